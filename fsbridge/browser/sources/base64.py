"""Base64 in pieces: MicroPython's own takes memory with the square of the length."""

from binascii import a2b_base64, b2a_base64

_PIECE = 768  # bytes, a multiple of three


def encode(raw: bytes) -> str:
    """The base64 digits of ``raw``, padded."""
    pieces = [raw[start : start + _PIECE] for start in range(0, len(raw), _PIECE)]
    return "".join([b2a_base64(piece).decode().strip() for piece in pieces])


def decode(digits: str) -> bytes:
    """The bytes of base64 digits, padded or not. Raises an Exception when they are none."""
    raw = digits.rstrip("=").encode()
    size = _PIECE // 3 * 4
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    return b"".join([a2b_base64(piece + b"=" * (-len(piece) % 4)) for piece in pieces])
