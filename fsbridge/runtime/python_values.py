"""A Python author's values as port values: what has an obvious JSON form, deeply, and a TypeError for the rest.

Types that aren't built in are known by what they have, so that no module is imported for their sake.
"""

from __future__ import annotations

import sys

from . import NULL, is_javascript, make_array, make_date, make_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

MAX_DEPTH = 30
"""MicroPython's stack ends at a little more."""
INEXACT = "is more exact than JavaScript's numbers: pass it as text or float"
_EXACT = 1 << 53


def from_python(value: Any, name: str = "value") -> Any:
    """``value`` as a port value; ``name`` is what errors call it.

    - None is null; text, booleans and numbers are themselves, Decimals and numpy's, too, if JavaScript's numbers hold
      them exactly.
    - A datetime, also of pandas or numpy, is a Date (without a zone: local time, numpy's: UTC); a date or time of day
      is its ISO text.
    - Dicts, other mappings and dataclass instances are objects, keyed by text and whole numbers.
    - Lists, tuples, sets, other sequences and numpy arrays are arrays.
    - An Enum's member is its value, a UUID or path its text.
    - JavaScript's values stay what they are.

    Raises TypeError for everything else, and for what contains itself or lies deeper than 30 levels.
    """
    return _Conversion(name).of(value)


class _Conversion:
    """One value on its way, with the path to the part that is being looked at."""

    def __init__(self, name: str) -> None:
        self._path: list[Any] = [name]
        # By id: each container and what became of it, which is None while it is being looked at.
        self._done: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        """``value`` as a port value."""
        kind = type(value)
        if kind is str or kind is bool or kind is float:
            return value
        if value is None:
            return NULL
        if kind is int:
            return value if -_EXACT <= value <= _EXACT else self._large(value)
        if is_javascript(value):
            return value
        if isinstance(value, (dict, list, tuple)):
            return self._container(value, value)
        simpler = self._simpler(value)
        return self._container(value, simpler) if isinstance(simpler, (dict, list)) else self.of(simpler)

    def _simpler(self, value: Any) -> Any:
        """The same as a built-in value, or as one of JavaScript."""
        kind = type(value)
        if isinstance(value, (type, bytes, bytearray, memoryview)):
            self._refuse(value)
        if hasattr(kind, "__members__"):  # Enum
            return value.value
        if isinstance(value, str):
            return value[:]
        if isinstance(value, float):
            return float(value)
        if isinstance(value, int):
            return int(value)
        if hasattr(kind, "isoformat"):
            return self._date(value) if hasattr(kind, "timestamp") else value.isoformat()
        if hasattr(kind, "__array_interface__"):
            return self._of_numpy(value)
        if hasattr(kind, "as_tuple") and hasattr(kind, "quantize"):  # Decimal
            return self._of_decimal(value)
        if hasattr(kind, "urn"):  # UUID
            return str(value)
        if hasattr(kind, "__fspath__"):
            return value.__fspath__()
        if hasattr(kind, "__dataclass_fields__"):
            return {field.name: getattr(value, field.name) for field in sys.modules["dataclasses"].fields(value)}
        if isinstance(value, (set, frozenset, range)):
            return list(value)
        abstract = sys.modules.get("collections.abc")
        if abstract is not None and isinstance(value, abstract.Mapping):
            return dict(value)
        if abstract is not None and isinstance(value, (abstract.Set, abstract.Sequence)):
            return list(value)
        self._refuse(value)

    def _container(self, value: Any, simpler: Any) -> Any:
        known = self._done.get(id(value))
        if known is not None:
            if known[1] is None:
                self._refuse(value, "contains itself")
            return known[1]
        if len(self._path) > MAX_DEPTH:
            self._refuse(value, "lies deeper than %d levels" % MAX_DEPTH)
        self._done[id(value)] = (value, None)
        if isinstance(simpler, dict):
            pairs = self._named(simpler)
            result = make_object(zip([name for name, _ in pairs], self._items(pairs)))
        else:
            result = make_array(self._items(enumerate(simpler)))
        self._done[id(value)] = (value, result)  # holding on to it: an id is given again
        return result

    def _named(self, value: dict[Any, Any]) -> list[tuple[str, Any]]:
        """The pairs of a dict under the names that its keys have as properties."""
        pairs: list[tuple[str, Any]] = []
        names: set[str] = set()
        for key, item in value.items():
            if hasattr(type(key), "__members__"):
                key = key.value
            if isinstance(key, bool) or not isinstance(key, (str, int)):
                self._refuse(key, "has a key that is no text")
            name = key[:] if isinstance(key, str) else str(int(key))
            if name in names or name == "__proto__":
                self._refuse(key, "has a key %r that JavaScript wouldn't keep" % name)
            names.add(name)
            pairs.append((name, item))
        return pairs

    def _items(self, pairs: Any) -> list[Any]:
        converted = []
        for key, item in pairs:
            self._path.append(key)
            converted.append(self.of(item))
            self._path.pop()
        return converted

    def _large(self, value: int) -> float:
        try:
            number = float(value)
            if int(number) == value:
                return number
        except OverflowError:
            pass
        self._refuse(value, INEXACT)

    def _of_decimal(self, value: Any) -> float:
        try:
            number = float(value)
        except ValueError:  # a NaN that signals
            self._refuse(value)
        if number == number and type(value)(repr(number)) != value:
            self._refuse(value, INEXACT)
        return number

    def _date(self, value: Any) -> Any:
        if value != value:  # pandas has a time that is none
            return None
        try:
            return make_date(round(value.timestamp() * 1e6) // 1000)  # whole milliseconds, as a Date has
        except (OverflowError, ValueError, OSError):  # local time knows no such year
            self._refuse(value, "is too far away")

    def _of_numpy(self, value: Any) -> Any:
        kind = value.dtype.kind
        if kind not in "biufOUM":
            self._refuse(value)
        if value.ndim:
            return list(value)
        if kind == "M":
            return make_date(int(value.astype("datetime64[ms]").astype("int64"))) if value == value else None
        found = value.item()
        if type(found) is type(value):  # Python has nothing as large
            self._refuse(value)
        return found

    def _refuse(self, value: Any, problem: str = "has no JSON form") -> NoReturn:
        path = "".join(["[%d]" % key if isinstance(key, int) else "." + str(key) for key in self._path])
        raise TypeError("%s %s (type %s)" % (path[1:], problem, type(value).__name__))
