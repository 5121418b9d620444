"""Timestamps as Segment's cloud mode reads them: Day.js in UTC, and behind it the date parser of the V8 engine.

Day.js takes apart what looks like a date without a zone, digit by digit and without minding that month 13 doesn't
exist; everything else, and what ends in Z, is V8's. That knows the ISO format, and a lenient old one for the likes of
"Tue, 5 Mar 2024 10:11 +0200". A local time counts as UTC.
"""

from __future__ import annotations

import math
import re

from ..runtime import text, to_number

MAX_MS = 8.64e15
"""The milliseconds before and after 1970 that JavaScript's dates reach."""

_DAY = 86_400_000

_USUAL = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:[01][1-9]|10|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
)
"""What most messages carry: text that comes out as it went in."""


def is_date_like(given: str) -> bool:
    """Whether the vendor's validation takes ``given`` for a date; a number counts as seconds there."""
    if _USUAL.fullmatch(given):
        return True
    number = to_number(given)
    if text(number) == given:
        return abs(number * 1000) <= MAX_MS
    return _milliseconds(given) is not None


def iso(given: str | float) -> str | None:
    """``given`` as ISO text in UTC, None when it is no date. A number is milliseconds since 1970."""
    if not isinstance(given, str):
        return _iso(math.trunc(given)) if abs(given) <= MAX_MS else None
    if _USUAL.fullmatch(given):
        return given
    milliseconds = _milliseconds(given)
    return None if milliseconds is None else _iso(milliseconds)


def _milliseconds(given: str) -> int | None:
    parts = None if given[-1:] in ("Z", "z") else _DAYJS.fullmatch(given)
    found = _from_parts(parts) if parts else _from_iso(given) if _ISO.fullmatch(given) else None
    if found is None and not parts:
        found = _from_words(given)
    return found if found is not None and abs(found) <= MAX_MS else None


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970 to a date; month and day may lie outside their range."""
    year, month = year + (month - 1) // 12, (month - 1) % 12
    years, months = (year, month - 2) if month >= 2 else (year - 1, month + 10)  # counted from March
    return years * 365 + years // 4 - years // 100 + years // 400 + (months * 153 + 2) // 5 + day - 719_469


def _at(date: tuple[int, int, int], hour: int = 0, minute: int = 0, second: int = 0, ms: int = 0) -> int:
    return _days(*date) * _DAY + ((hour * 60 + minute) * 60 + second) * 1000 + ms


def _iso(milliseconds: int) -> str:
    days, rest = divmod(milliseconds, _DAY)
    era, days = divmod(days + 719_468, 146_097)  # days since 1 March of the year 0, in eras of 400 years
    of_era = (days - days // 1460 + days // 36_524 - days // 146_096) // 365
    days -= of_era * 365 + of_era // 4 - of_era // 100
    months = (days * 5 + 2) // 153
    month = months + 3 if months < 10 else months - 9
    year = era * 400 + of_era + (month <= 2)
    shown = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+07d}"
    seconds, ms = divmod(rest, 1000)
    day = days - (months * 153 + 2) // 5 + 1
    return f"{shown}-{month:02d}-{day:02d}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}Z"


_DAYJS = re.compile(
    r"([0-9]{4})[-/]?([0-9]{1,2})?[-/]?([0-9]{0,2})[Tt\s\ufeff]*([0-9]{1,2})?:?([0-9]{1,2})?:?([0-9]{1,2})?[.:]?([0-9]+)?"
)


def _from_parts(parts: re.Match[str]) -> int:
    year, month, day, hour, minute, second = (int(part) if part else None for part in parts.groups()[:6])
    assert year is not None
    date = (year + 1900 if year < 100 else year, 1 if month is None else month, 1 if day is None else day)
    return _at(date, hour or 0, minute or 0, second or 0, int((parts[7] or "0")[:3]))


_ISO = re.compile(
    r"([0-9]{4}|(?!-000000)[+-][0-9]{6})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?"
    r"(?:[Tt](?:([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]+))?)?|(24):00(?::00(?:\.0+)?)?)"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3])(?::([0-5][0-9])|(?<=[0-9]{2})([0-5][0-9])))?)?"
)


def _from_iso(given: str) -> int | None:
    parts = _ISO.fullmatch(given)
    assert parts
    year, month, day, hour, minute, second, fraction, midnight, sign, *offset = parts.groups()
    date = (int(year), int(month or 1), int(day or 1))
    moment = _at(date, int(hour or midnight or 0), int(minute or 0), int(second or 0), _fraction(fraction or "0"))
    hours, minutes = int(offset[0] or 0), int(offset[1] or offset[2] or 0)
    return moment - (-1 if sign == "-" else 1) * (hours * 60 + minutes) * 60_000


def _fraction(digits: str) -> int:
    return int((digits + "00")[:3])


# The old format is a sequence of numbers, words and signs, which are given their meaning one by one.

_TOKEN = re.compile(r"([0-9]+)|([\s\ufeff]+)|([A-Z\[-\U0010ffff]+)|(.)", re.DOTALL)
_KINDS = ("", "number", "space", "word", "sign")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_ZONES = {"ut": 0, "utc": 0, "z": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
          "pst": -8, "pdt": -7}  # fmt: skip
_END = ("end", "")


def _tokens(given: str) -> list[tuple[str, str]]:
    """Tokens as pairs of kind and text; a comment is what stands in parentheses."""
    result = []
    position = 0
    while position < len(given):
        if given[position] == "(":
            position = _after_parentheses(given, position)
            result.append(("comment", ""))
            continue
        found = _TOKEN.match(given, position)
        assert found
        position = found.end()
        kind = _KINDS[found.lastindex or 0]
        result.append((kind, found[0].lower()))
    return [*result, _END]


def _after_parentheses(given: str, position: int) -> int:
    depth = 0
    while position < len(given):
        depth += (given[position] == "(") - (given[position] == ")")
        position += 1
        if not depth:
            break
    return position


class _NoDate(Exception):
    pass


class _Words:
    """The state of reading the old format."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.position = 0
        self.day: list[int] = []
        self.time: list[int] = []
        self.month: int | None = None
        self.half: int | None = None
        self.sign: int | None = None
        self.zone_hour: int | None = None
        self.zone_minute: int | None = None
        self.has_number = False

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.position]

    def skip(self, sign: str) -> bool:
        found = self.peek() == ("sign", sign)
        self.position += found
        return found

    def read_iso_date(self) -> None:
        """Take what begins like an ISO date as year, month and day, even where the rest isn't ISO."""
        sign = self.peek()[1] if self.peek()[1] in ("+", "-") else ""
        kind, digits = self.tokens[len(sign)]
        if kind != "number" or len(digits) != (6 if sign else 4):
            return
        self.position += len(sign) + 1
        if sign == "-" and not int(digits):
            return
        self.day.append(int(sign + digits))
        for most in (12, 31):
            if not self.skip("-"):
                return
            kind, digits = self.peek()
            if kind != "number" or len(digits) != 2 or not 1 <= int(digits) <= most:
                return
            self.day.append(int(digits))
            self.position += 1

    def read(self) -> None:
        self.read_iso_date()
        self.has_number = bool(self.day)
        while self.peek() != _END:
            kind, value = self.peek()
            self.position += 1
            if kind == "number":
                self.has_number = True
                self.number(int(value[:-1].lstrip("0")[:9] + value[-1:]) if len(value) > 9 else int(value))
            elif kind == "word":
                self.word(value)
            elif value in ("+", "-") and (self.is_utc() or self.time):
                self.zone_offset(1 if value == "+" else -1)
            elif value in ("+", "-", ")") and self.has_number:
                raise _NoDate

    def is_utc(self) -> bool:
        return self.zone_hour == 0 and self.zone_minute == 0

    def expects(self, number: int) -> bool:
        """Whether ``number`` goes on with a time that has begun."""
        return 0 < len(self.time) < 4 and number < (0, 60, 60, 1000)[len(self.time)]

    def number(self, number: int) -> None:
        if self.skip(":"):
            if len(self.time) == 4 or (self.peek() == ("sign", ":") and self.time):
                raise _NoDate
            self.time.append(number)
            if self.skip(":"):
                self.time.append(0)
            else:
                self.skip(".")
        elif self.skip(".") and self.expects(number):
            kind, digits = self.peek()
            if kind != "number":
                raise _NoDate
            self.position += 1
            self.end_time(number, _fraction(digits))
        elif self.zone_hour is not None and self.zone_minute is None and number < 60:
            self.zone_minute = number
        elif self.expects(number):
            self.end_time(number)
            if self.peek()[0] not in ("end", "space") and self.peek()[1] not in ("z", "+", "-"):
                raise _NoDate
        elif len(self.day) == 3:
            raise _NoDate
        else:
            self.day.append(number)
            self.skip("-")

    def end_time(self, *numbers: int) -> None:
        self.time = [*self.time, *numbers, 0, 0, 0][:4]

    def word(self, word: str) -> None:
        if word in ("am", "pm") and self.time:
            self.half = 0 if word == "am" else 12
        elif word[:3] in _MONTHS:
            self.month = _MONTHS.index(word[:3]) + 1
            self.skip("-")
        elif word in _ZONES and self.has_number:
            offset = _ZONES[word]
            self.sign, self.zone_hour, self.zone_minute = (-1 if offset < 0 else 1), abs(offset), 0
        elif self.has_number or self.peek()[0] == "number":
            raise _NoDate

    def zone_offset(self, sign: int) -> None:
        self.sign = sign
        kind, digits = self.peek()
        number = 0
        if kind == "number":
            self.position += 1
            number = int(digits)
        else:
            digits = ""
        self.has_number = True
        if self.peek() == ("sign", ":"):
            self.zone_hour, self.zone_minute = number, None
        elif len(digits) in (1, 2):
            self.zone_hour, self.zone_minute = number, 0
        elif len(digits) in (3, 4):
            self.zone_hour, self.zone_minute = divmod(number, 100)
        else:
            raise _NoDate

    def moment(self) -> int:
        hour, minute, second, ms = [*self.time, 0, 0, 0, 0][:4]
        if self.half is not None:
            if hour > 12:
                raise _NoDate
            hour = hour % 12 + self.half
        ends_day = hour == 24 and not (minute or second or ms)
        if not (hour < 24 or ends_day) or minute > 59 or second > 59 or ms > 999:
            raise _NoDate
        offset = (self.sign or 1) * ((self.zone_hour or 0) * 60 + (self.zone_minute or 0))
        return _at(self.date(), hour, minute, second, ms) - offset * 60_000

    def date(self) -> tuple[int, int, int]:
        if not self.day:
            raise _NoDate
        first, second, third = [*self.day, 1, 1][:3]
        first_is_day = 1 <= first <= 31
        if self.month is None and first_is_day:
            month, day, year = first, second, third
        elif self.month is None:
            year, month, day = first, second, third
        else:
            month = self.month
            year, day = (second, first) if first_is_day else (first, second)
        if 0 <= year < 100:
            year += 2000 if year < 50 else 1900
        if not (1 <= month <= 12 and 1 <= day <= 31):
            raise _NoDate
        return year, month, day


def _from_words(given: str) -> int | None:
    words = _Words(_tokens(given))
    try:
        words.read()
        return words.moment()
    except _NoDate:
        return None
