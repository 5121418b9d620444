"""Random ids where the page's ``crypto`` makes none by itself: on http pages, and where it is missing or throws."""

from __future__ import annotations

from ..runtime import text, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..contracts import Value


def uuid(asked: Callable[..., Value], now: Callable[[], float]) -> str:
    """A UUID (version 4) of random bytes, or of ``Math.random``; at the worst of the clock.

    ``asked(name, method, *args)`` gives what a method of a global gives, ``now()`` milliseconds.
    """
    filled = asked("crypto", "getRandomValues", asked("Uint8Array", "of", *[0] * 16))
    octets = [int(octet) for octet in text(filled).split(",") if octet.isdigit()]
    while len(octets) < 16:
        number = asked("Math", "random")
        octets.append(int(number * 256 if type_of(number) == "number" else now() / 3 ** len(octets)) & 0xFF)
    octets[6] = octets[6] & 0x0F | 0x40
    octets[8] = octets[8] & 0x3F | 0x80
    digits = "".join(["%02x" % octet for octet in octets])
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
