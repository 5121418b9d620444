"""ISO date texts as Segment's classic integrations recognise them (from ``YYYY-MM-DD``), as Dates."""

from __future__ import annotations

from ..runtime import make_date, zone_offset_minutes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..contracts import Value

_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def parse_iso_date(text: str) -> Value:
    """A Date for an ISO date text; None for any other text.

    ``YYYY-MM-DD`` with an optional time after "T" or a space, seconds, fraction and zone. Without a zone "T" means
    UTC; after a space it is local time by today's offset, whatever zone follows. Fields may overflow (month 13).
    """
    if len(text) < 10 or text[4] != "-" or text[7] != "-":
        return None
    if not (text[:4] + text[5:7] + text[8:10]).isdigit() or not _ascii(text):
        return None
    year, month, day = int(text[:4]), int(text[5:7]) or 1, int(text[8:10]) or 1
    rest = text[10:]
    if not rest:
        return make_date(_utc(year, month, day, 0, 0, 0, 0))
    parsed = _time(rest)
    if parsed is None:
        return None
    hour, minute, second, milliseconds, offset = parsed
    if rest[0] == " ":
        offset = zone_offset_minutes()
    return make_date(_utc(year, month, day, hour, minute + offset, second, milliseconds))


def _ascii(text: str) -> bool:
    for char in text:
        if char > "\x7f":
            return False
    return True


class _Reader:
    """Reads a text from the left."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, chars: str) -> str:
        """The next character when it is one of ``chars``, else empty."""
        if self.at < len(self.text) and self.text[self.at] in chars:
            self.at += 1
            return self.text[self.at - 1]
        return ""

    def digits(self, least: int, most: int) -> str:
        """That many digits, else empty."""
        start = self.at
        while self.at < len(self.text) and self.at - start < most and self.text[self.at] in "0123456789":
            self.at += 1
        if self.at - start < least:
            self.at = start
        return self.text[start : self.at]

    def rest(self) -> str:
        return self.text[self.at :]


def _time(text: str) -> tuple[int, int, int, int, int] | None:
    """``(hour, minute, second, millisecond, minutes to add for the zone)`` of what follows a date, or None."""
    reader = _Reader(text)
    if not reader.take(" T"):
        return None
    hour = reader.digits(2, 2)
    reader.take(":")
    minute = reader.digits(2, 2)
    if not hour or not minute:
        return None
    second = fraction = ""
    mark = reader.at
    reader.take(":")
    second = reader.digits(2, 2)
    if not second:
        reader.at = mark
    else:
        mark = reader.at
        if reader.take(",."):
            fraction = reader.digits(1, 1000)
            if not fraction:
                reader.at = mark
    offset = 0
    if not reader.take("Z"):
        sign = reader.take("+-")
        if sign:
            hours = reader.digits(2, 2)
            if not hours:
                return None
            mark = reader.at
            reader.take(":")
            minutes = reader.digits(2, 2)
            if not minutes:
                reader.at = mark
            east = int(hours) * 60 + int(minutes or 0)
            offset = -east if sign == "+" else east
    if reader.rest():
        return None
    return int(hour), int(minute), int(second or 0), int((fraction + "00")[:3]) if fraction else 0, offset


def _utc(year: int, month: int, day: int, hour: int, minute: int, second: int, millisecond: int) -> int:
    """``Date.UTC``: milliseconds since 1970; fields overflow, years 0 to 99 are 19xx."""
    if 0 <= year <= 99:
        year += 1900
    year += (month - 1) // 12
    month = (month - 1) % 12
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    past = year - 1
    days = past * 365 + past // 4 - past // 100 + past // 400 - 719162
    days += _DAYS_BEFORE[month] + (1 if leap and month > 1 else 0) + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60000 + second * 1000 + millisecond
