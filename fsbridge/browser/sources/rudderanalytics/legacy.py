"""The encryption of RudderStack's older SDKs: AES-256-CBC under a well-known passphrase, in OpenSSL's format.

``RudderEncrypt:`` + base64 of ``Salted__``, 8 bytes of salt and the cipher text; key and initial vector come from the
passphrase and the salt by MD5. It hides nothing; it is here because visitors still carry cookies written that way.
"""

from __future__ import annotations

from .. import base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_PASSPHRASE = b"Rudder"
_MAGIC = b"Salted__"


def decrypt(value: str) -> str:
    """The text behind ``value``, which comes without the prefix. Raises ValueError when it is not of that format."""
    raw = base64.decode(value)
    if raw[:8] != _MAGIC or len(raw) < 32 or len(raw) % 16:
        raise ValueError("not encrypted by RudderStack's legacy SDK")
    round_keys, previous = _derived(raw[8:16])
    plain = bytearray()
    for start in range(16, len(raw), 16):
        block = raw[start : start + 16]
        plain.extend(_xor(_decrypt_block(block, round_keys), previous))
        previous = block
    padding = plain[-1]
    if not 1 <= padding <= 16:
        raise ValueError("bad padding")
    return bytes(plain[:-padding]).decode()


def encrypt(value: str, salt: bytes) -> str:
    """``value`` encrypted, without the prefix; ``salt`` is 8 random bytes."""
    round_keys, previous = _derived(salt)
    plain = value.encode()
    padding = 16 - len(plain) % 16
    plain += bytes([padding]) * padding
    out = bytearray(_MAGIC + salt)
    for start in range(0, len(plain), 16):
        previous = _encrypt_block(_xor(plain[start : start + 16], previous), round_keys)
        out.extend(previous)
    return base64.encode(bytes(out))


def _derived(salt: bytes) -> tuple[list[bytes], bytes]:
    """The round keys and the initial vector that OpenSSL derives from passphrase and salt."""
    material, digest = b"", b""
    while len(material) < 48:
        digest = md5(digest + _PASSPHRASE + salt)
        material += digest
    return _round_keys(material[:32]), material[32:48]


def _xor(left: Sequence[int], right: Sequence[int]) -> bytes:
    return bytes([a ^ b for a, b in zip(left, right)])


# MD5 (RFC 1321): the browser's own digests lack it, MicroPython's too.

_SHIFTS = (7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21)


def md5(message: bytes) -> bytes:
    """The MD5 digest."""
    from math import sin

    sines = [int(abs(sin(i + 1)) * 4294967296.0) for i in range(64)]
    length = len(message) * 8
    message = message + b"\x80"
    message += bytes((56 - len(message)) % 64) + length.to_bytes(8, "little")
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    for start in range(0, len(message), 64):
        words = [int.from_bytes(message[start + i : start + i + 4], "little") for i in range(0, 64, 4)]
        a, b, c, d = state
        for i in range(64):
            if i < 16:
                mix, word = b & c | ~b & d, i
            elif i < 32:
                mix, word = d & b | ~d & c, (5 * i + 1) % 16
            elif i < 48:
                mix, word = b ^ c ^ d, (3 * i + 5) % 16
            else:
                mix, word = c ^ (b | ~d & 0xFFFFFFFF), 7 * i % 16
            total = (a + mix + sines[i] + words[word]) & 0xFFFFFFFF
            shift = _SHIFTS[i // 16][i % 4]
            a, d, c, b = d, c, b, (b + (total << shift | total >> (32 - shift))) & 0xFFFFFFFF
        state = [(old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d))]
    return b"".join([word.to_bytes(4, "little") for word in state])


# AES (FIPS 197), 14 rounds.


def _double(value: int) -> int:
    return (value << 1 ^ 0x1B) & 0xFF if value & 0x80 else value << 1


def _times(left: int, right: int) -> int:
    """The product of two bytes in AES's field."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        left, right = _double(left), right >> 1
    return product


def _substitutions() -> list[int]:
    box = [0] * 256
    power = inverse = 1
    while True:
        power ^= _double(power)  # times 3, which runs through all bytes but 0
        for shift in (1, 2, 4):  # divided by 3
            inverse ^= inverse << shift
        inverse &= 0xFF
        if inverse & 0x80:
            inverse ^= 0x09
        turned = inverse
        for shift in (1, 2, 3, 4):
            turned ^= inverse << shift | inverse >> (8 - shift)
        box[power] = (turned ^ 0x63) & 0xFF
        if power == 1:
            break
    box[0] = 0x63
    return box


_tables: list[list[int]] = []


def _boxes() -> list[list[int]]:
    """The substitution box and its inverse, made on first use."""
    if not _tables:
        box = _substitutions()
        back = [0] * 256
        for index, value in enumerate(box):
            back[value] = index
        _tables.extend((box, back))
    return _tables


def _round_keys(key: bytes) -> list[bytes]:
    box = _boxes()[0]
    words = [list(key[i : i + 4]) for i in range(0, 32, 4)]
    constant = 1
    for i in range(8, 60):
        word = list(words[-1])
        if i % 8 == 0:
            word = [box[value] for value in word[1:] + word[:1]]
            word[0] ^= constant
            constant = _double(constant)
        elif i % 8 == 4:
            word = [box[value] for value in word]
        words.append([a ^ b for a, b in zip(words[i - 8], word)])
    return [bytes(words[i] + words[i + 1] + words[i + 2] + words[i + 3]) for i in range(0, 60, 4)]


def _mixed(state: Sequence[int], factors: tuple[int, ...]) -> list[int]:
    out = []
    for column in range(0, 16, 4):
        for row in range(4):
            value = 0
            for i in range(4):
                value ^= _times(state[column + i], factors[(i - row) % 4])
            out.append(value)
    return out


def _encrypt_block(block: bytes, round_keys: list[bytes]) -> bytes:
    box = _boxes()[0]
    state: Sequence[int] = _xor(block, round_keys[0])
    for number in range(1, 15):
        state = [box[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 14:
            state = _mixed(state, (2, 3, 1, 1))
        state = _xor(state, round_keys[number])
    return bytes(state)


def _decrypt_block(block: bytes, round_keys: list[bytes]) -> bytes:
    back = _boxes()[1]
    state: Sequence[int] = _xor(block, round_keys[14])
    for number in range(13, -1, -1):
        state = [back[state[(i - 4 * (i % 4)) % 16]] for i in range(16)]
        state = _xor(state, round_keys[number])
        if number:
            state = _mixed(state, (14, 11, 13, 9))
    return bytes(state)
