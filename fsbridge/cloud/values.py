"""What Python authors hand over, as a message: JSON's types, dates where a message has them, and clear errors."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from .errors import Rejected


def iso(moment: datetime) -> str:
    """ISO text in UTC with milliseconds, as JavaScript writes dates. A moment without a zone is in local time.

    Raises OverflowError or ValueError where UTC has no such date, as at the very ends of Python's calendar.
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cleaned(message: Any, date_of: Callable[[datetime], Any] = iso) -> dict[str, Any]:
    """A copy of a message in JSON's types. Raises TypeError naming the first value that has no place in one, and
    Rejected where it is nested too deeply.

    Decimals become numbers, UUIDs and dates text, sets and tuples lists. Datetimes become ISO text; within properties
    and traits it is ``date_of`` that decides.
    """
    if not isinstance(message, Mapping):
        raise TypeError(f"A message must be a dict, and is {type(message).__name__}.")
    result = {}
    try:
        for key, value in message.items():
            result[str(key)] = _clean(value, str(key), date_of if key in ("properties", "traits") else iso)
    except RecursionError:
        raise Rejected("it is nested too deeply") from None
    return result


def _clean(value: Any, where: str, date_of: Callable[[datetime], Any]) -> Any:
    kind = type(value)
    if value is None or kind is str or kind is bool:  # most values are plain, and told apart fastest by their type
        return value
    if kind is dict:
        return {
            key if type(key) is str else str(key): _clean(item, f"{where}.{key}", date_of)
            for key, item in value.items()
        }
    if isinstance(value, (str, bool)):
        return value
    if not isinstance(value, (int, float)) and isinstance(value, Mapping):
        return {str(key): _clean(item, f"{where}.{key}", date_of) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(item, f"{where}[{index}]", date_of) for index, item in enumerate(value)]
    try:
        if isinstance(value, int):
            return value if abs(value) <= 2**53 else float(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else None  # as JSON.stringify has it
        if isinstance(value, Decimal):
            return _number(value)
        if isinstance(value, datetime):
            return date_of(value)
    except (ArithmeticError, ValueError, OSError):
        raise TypeError(f"{where} is a {type(value).__name__} beyond what a message holds.") from None
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(
        f"{where} is a {type(value).__name__}; a message holds text, numbers, booleans, None, dates, lists and dicts."
    )


def _number(value: Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    number = float(value)
    if not math.isfinite(number):
        raise OverflowError
    return int(number) if number.is_integer() and abs(number) <= 2**53 else number
