"""Percent-encoding of text as JavaScript's encodeURIComponent and decodeURIComponent do it."""

_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"


def encode(value: str, keep: str = "") -> str:
    """``encodeURIComponent(value)``, leaving the characters of ``keep`` as they are, too."""
    out = []
    for char in value:
        if char in _UNRESERVED or char in keep:
            out.append(char)
        else:
            for octet in char.encode():
                out.append("%%%02X" % octet)
    return "".join(out)


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
