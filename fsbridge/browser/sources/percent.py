"""Percent-encoding of text as JavaScript's encodeURIComponent and decodeURIComponent do it."""

_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"


def encode(value: str, keep: str = "") -> str:
    """``encodeURIComponent(value)``, leaving the characters of ``keep`` as they are, too."""
    safe = _UNRESERVED + keep
    # Character by character would take MicroPython long: a text is searched for what it holds that isn't safe.
    for char in sorted(set(value.strip(safe)), key=lambda char: char != "%"):
        if char not in safe:
            value = value.replace(char, "".join(["%%%02X" % octet for octet in char.encode()]))
    return value


def decode(value: str) -> str:
    """``decodeURIComponent(value)``. Raises ValueError where that throws."""
    if "%" not in value:
        return value
    # Split, not indexed: in MicroPython finding a character takes as long as the text before it.
    parts = value.split("%")
    octets = bytearray(parts[0].encode())
    for part in parts[1:]:
        if not is_octet(part[:2]):
            raise ValueError("malformed percent-encoding")
        octets.append(int(part[:2], 16))
        octets.extend(part[2:].encode())
    return bytes(octets).decode()


def is_octet(digits: str) -> bool:
    """Whether these are the two hexadecimal digits that may follow a percent sign."""
    return len(digits) == 2 and all([digit in "0123456789abcdefABCDEF" for digit in digits])
