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
    octets = bytearray()
    index = 0
    while index < len(value):
        if value[index] == "%":
            digits = value[index + 1 : index + 3]
            if not is_octet(digits):
                raise ValueError("malformed percent-encoding")
            octets.append(int(digits, 16))
            index += 3
        else:
            octets.extend(value[index].encode())
            index += 1
    return bytes(octets).decode()


def is_octet(digits: str) -> bool:
    """Whether these are the two hexadecimal digits that may follow a percent sign."""
    return len(digits) == 2 and all([digit in "0123456789abcdefABCDEF" for digit in digits])
