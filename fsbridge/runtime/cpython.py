"""The port on CPython: JavaScript's values as plain Python ones, so that everything is testable without a browser.

`fsbridge.runtime` says what the verbs do.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any


class _Undefined:
    """JavaScript's ``undefined``."""

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False


UNDEFINED = _Undefined()
NULL = None

local_zone: tzinfo = timezone.utc
"""The zone of ``text(date)``; a simulated page may set another."""


def zone_name(moment: datetime) -> str:
    """What ``text(date)`` calls the zone. Browsers know long names ("Eastern Daylight Time"), Python short ones."""
    return "Coordinated Universal Time" if moment.tzinfo is timezone.utc else moment.tzname() or ""


class BigInt(int):
    """JavaScript's BigInt."""


class JsError(Exception):
    """An exception that JavaScript would throw; ``str()`` is its message."""

    name = "Error"


_CYCLE = 146_097 * 86_400_000
"""Milliseconds of 400 years, after which the calendar begins again."""


class Date:
    """JavaScript's Date: ``ms`` since 1970 UTC, NaN when invalid. Mutable there, a plain value here."""

    def __init__(self, ms: float) -> None:
        self.ms = ms

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Date) and (self.ms == other.ms or (math.isnan(self.ms) and math.isnan(other.ms)))

    def __hash__(self) -> int:
        return hash(self.ms)

    def __repr__(self) -> str:
        return f"Date({self.iso() or 'invalid'})"

    def iso(self) -> str:
        """ISO text as ``toISOString`` gives it; empty when invalid."""
        if math.isnan(self.ms):
            return ""
        cycles, rest = divmod(self.ms, _CYCLE)  # Python's years end with 9999
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=rest)
        year = moment.year + 400 * int(cycles)
        shown = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+07d}"
        return f"{shown}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class Array(list[Any]):
    """A JavaScript array: a list with properties of its own like any object."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__(values)
        self.properties: dict[str, Any] = {}


class Function:
    """A JavaScript function: called with an array of arguments, and with properties of its own like any object."""

    def __init__(self, body: Callable[..., Any], name: str = "") -> None:
        self.body = body
        self.properties: dict[str, Any] = {"name": name}

    def __repr__(self) -> str:
        return f"Function({self.properties['name']})"


class Method(Function):
    """A function that is told its ``this``."""


class Host:
    """An object of the page (window, document, …): public attributes are its properties, methods its functions."""

    def _keys(self) -> list[str]:
        """Its own enumerable keys."""
        return []

    if TYPE_CHECKING:  # pages hang on it what they like

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


class Promise(Host):
    """A settled or pending promise; ``state`` is "pending", "fulfilled" or "rejected"."""

    def __init__(self) -> None:
        self.state = "pending"
        self.value: Any = UNDEFINED
        self._reactions: list[Callable[[], None]] = []

    def then(self, fulfilled: Any = UNDEFINED, rejected: Any = UNDEFINED) -> Promise:
        """JavaScript's ``then``; what it calls is called at once where the promise is settled."""
        after = Promise()

        def react() -> None:
            handler = fulfilled if self.state == "fulfilled" else rejected
            if type_of(handler) != "function":
                after.settle(self.state, self.value)
                return
            try:
                after.settle("fulfilled", call(handler, self.value))
            except JsError as error:
                after.settle("rejected", error)

        if self.state == "pending":
            self._reactions.append(react)
        else:
            react()
        return after

    def catch(self, rejected: Any) -> Promise:
        """JavaScript's ``catch``."""
        return self.then(UNDEFINED, rejected)

    def settle(self, state: str, value: Any) -> None:
        """Settle a pending promise as "fulfilled" or "rejected"; it follows a ``value`` that is a promise."""
        if self.state != "pending":
            return
        if isinstance(value, Promise):
            value.then(
                Function(lambda args: self.settle("fulfilled", raw_get(args, 0))),
                Function(lambda args: self.settle("rejected", raw_get(args, 0))),
            )
            return
        self.state, self.value = state, value
        for react in self._reactions:
            react()
        self._reactions.clear()


window: Any = None
"""CPython has no page of its own: pass a simulated one (`fsbridge.testing.simulated`)."""


def type_of(value: Any) -> str:
    if value is UNDEFINED:
        return "undefined"
    if value is NULL:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, BigInt):
        return "bigint"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (list, tuple)):
        return "array"
    if isinstance(value, Date):
        return "date"
    if isinstance(value, Function) or callable(value):
        return "function"
    return "object"


def tag(value: Any) -> str:
    if isinstance(value, JsError):
        return "error"
    return "promise" if isinstance(value, Promise) else type_of(value)


def is_javascript(value: Any) -> bool:
    return is_nullish(value) or isinstance(value, (Date, BigInt, Function, Host, JsError))


def is_nullish(value: Any) -> bool:
    return value is UNDEFINED or value is NULL


def is_plain(value: Any) -> bool:
    return isinstance(value, (dict, Host))


def truthy(value: Any) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return False
    if isinstance(value, (bool, int, float, str)):
        return bool(value)
    return not is_nullish(value)


def same(left: Any, right: Any) -> bool:
    kinds = type_of(left), type_of(right)
    if kinds[0] != kinds[1]:
        return False
    if kinds[0] in ("string", "number", "boolean", "bigint"):
        return bool(left == right)
    return left is right


def _number_text(value: float) -> str:
    if isinstance(value, int) and abs(value) < 2**53:
        return str(int(value))
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    if value < 0:
        return "-" + _number_text(-value)
    # Python's repr has the same shortest digits as JavaScript; only the layout differs.
    mantissa, _, exponent_text = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent_text or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if 0 < point <= 21:
        if len(digits) <= point:
            return digits + "0" * (point - len(digits))
        return digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    exponent = point - 1
    head = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{head}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


_DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def _date_text(date: Date) -> str:
    if math.isnan(date.ms):
        return "Invalid Date"
    local = (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=date.ms)).astimezone(local_zone)
    offset = int((local.utcoffset() or timedelta()).total_seconds() // 60)
    sign = "-" if offset < 0 else "+"
    return (
        f"{_DAYS[local.weekday()]} {_MONTHS[local.month - 1]} {local.day:02d} {local.year:04d} "
        f"{local:%H:%M:%S} GMT{sign}{abs(offset) // 60:02d}{abs(offset) % 60:02d} ({zone_name(local)})"
    )


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is UNDEFINED or value is NULL:
        return "undefined" if value is UNDEFINED else "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, BigInt):
        return str(int(value))
    if isinstance(value, (int, float)):
        return _number_text(value)
    if isinstance(value, Date):
        return _date_text(value)
    if isinstance(value, (list, tuple)):
        return ",".join("" if is_nullish(item) else text(item) for item in value)
    if isinstance(value, JsError):
        return f"{value.name}: {value}" if str(value) else value.name
    if type_of(value) == "function":
        return f"function {raw_get(value, 'name')}() {{ [native code] }}".replace("  ", " ")
    return "[object Object]"


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|Infinity)\Z")


def to_number(value: Any) -> float:
    if isinstance(value, (bool, BigInt)):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if value is NULL:
        return 0
    if value is UNDEFINED:
        return math.nan
    if isinstance(value, Date):
        return value.ms
    stripped = trim(text(value))
    if not stripped:
        return 0
    if stripped[:2].lower() in ("0x", "0o", "0b"):
        try:
            return int(stripped, 0)
        except ValueError:
            return math.nan
    if not _NUMBER.match(stripped):
        return math.nan
    number = float(stripped.replace("Infinity", "inf"))
    return int(number) if number.is_integer() and number and abs(number) < 2**53 else number


def make_object(pairs: Iterable[tuple[str, Any]] = ()) -> Any:
    result = dict(pairs)
    result.pop("__proto__", None)  # JavaScript sets the prototype
    return result


def record(**fields: Any) -> Any:
    return fields


def make_array(values: Iterable[Any] = ()) -> Any:
    return Array(values)


def _index(key: Any) -> int | None:
    if isinstance(key, int):
        return key
    return int(key) if key.isascii() and key.isdigit() and (key == "0" or key[0] != "0") else None


def keys(value: Any) -> list[str]:
    if isinstance(value, (str, list, tuple)):
        return [str(i) for i in range(len(value))] + list(getattr(value, "properties", ()))
    if isinstance(value, Function):
        return [key for key in value.properties if key != "name"]
    if isinstance(value, Host):
        return value._keys()
    if not isinstance(value, dict):
        return []
    indices = [key for key in value if _index(key) is not None]
    if not indices:
        return list(value)
    return sorted(indices, key=int) + [key for key in value if _index(key) is None]


_METHODS = {
    "": "hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf",
    "array": "at concat copyWithin entries every fill filter find findIndex findLast findLastIndex flat flatMap "
    "forEach includes indexOf join keys lastIndexOf map pop push reduce reduceRight reverse shift slice some sort "
    "splice toReversed toSorted toSpliced unshift values with",
    "function": "apply bind call",
    "number": "toExponential toFixed toPrecision",
    "string": "at charAt charCodeAt codePointAt concat endsWith includes indexOf isWellFormed lastIndexOf "
    "localeCompare match matchAll normalize padEnd padStart repeat replace replaceAll search slice split "
    "startsWith substr substring toLocaleLowerCase toLocaleUpperCase toLowerCase toUpperCase toWellFormed trim "
    "trimEnd trimStart",
}
_PROTOTYPES: dict[str, dict[str, Any]] = {
    owner: {name: Function(lambda args: UNDEFINED, name) for name in names.split()} for owner, names in _METHODS.items()
}
_CONSTRUCTORS = {
    "array": "Array", "bigint": "BigInt", "boolean": "Boolean", "date": "Date", "function": "Function",
    "number": "Number", "object": "Object", "string": "String",
}  # fmt: skip


def _inherited(value: Any, key: str) -> Any:
    """What JavaScript's prototypes have under ``key``: functions that are there, but do nothing here."""
    if is_nullish(value):
        return UNDEFINED
    kind = type_of(value)
    if key == "constructor":
        return Function(lambda args: UNDEFINED, _CONSTRUCTORS[kind])
    if key == "__proto__":
        return {}
    if key == "bind" and isinstance(value, Function):
        return Function(lambda bound: Function(lambda args: value.body([*bound[1:], *args])), "bind")
    return _PROTOTYPES.get(kind, {}).get(key) or _PROTOTYPES[""].get(key, UNDEFINED)


def _spliced(array: list[Any], start: int, count: int) -> list[Any]:
    taken = array[start : start + count]
    del array[start : start + count]
    return taken


def raw_get(value: Any, key: str | int) -> Any:
    if isinstance(value, dict):
        key = str(key)
        return value[key] if key in value else _inherited(value, key)
    if isinstance(value, Array) and key in value.properties:
        return value.properties[str(key)]
    if isinstance(value, (str, list, tuple)):
        if key == "length":
            return len(value) + sum(char > "\uffff" for char in value) if isinstance(value, str) else len(value)
        if key == "push" and isinstance(value, list):
            return Function(lambda args: len(value.extend(args) or value), "push")  # type: ignore[func-returns-value]
        if key == "splice" and isinstance(value, list):
            return Function(lambda args: _spliced(value, args[0], args[1]), "splice")
        index = _index(key)
        if index is not None:
            return value[index] if index < len(value) else UNDEFINED
        return _inherited(value, str(key))
    if isinstance(value, Function):
        return value.properties[str(key)] if str(key) in value.properties else _inherited(value, str(key))
    if isinstance(value, JsError):
        return {"message": str(value), "name": value.name}.get(str(key), UNDEFINED)
    if isinstance(value, Host) and not str(key).startswith("_"):
        return getattr(value, str(key), UNDEFINED)
    return _inherited(value, str(key)) if isinstance(value, (bool, int, float, Date)) else UNDEFINED


def get(value: Any, key: str | int) -> Any:
    return raw_get(value, key)


def put(value: Any, key: str | int, item: Any) -> None:
    raw_put(value, key, item)


def raw_has(value: Any, key: str) -> bool:
    if isinstance(value, dict):
        return key in value
    if isinstance(value, (str, list, tuple)):
        index = _index(key)
        own = isinstance(value, Array) and key in value.properties
        return own or key == "length" or (index is not None and index < len(value))
    if isinstance(value, Function):
        return key in value.properties
    return isinstance(value, (Host, JsError)) and raw_get(value, key) is not UNDEFINED


def raw_put(value: Any, key: str | int, item: Any) -> None:
    if isinstance(value, dict):
        value[str(key)] = item
    elif isinstance(value, list):
        index = _index(key)
        if index is None and isinstance(value, Array):
            value.properties[str(key)] = item
            return
        assert index is not None, f"a plain list has no property {key!r}: use Array"
        value.extend([UNDEFINED] * (index + 1 - len(value)))
        value[index] = item
    elif isinstance(value, Function):
        value.properties[str(key)] = item
    else:
        setattr(value, str(key), item)


def raw_delete(value: Any, key: str) -> None:
    if isinstance(value, dict):
        value.pop(key, None)
    elif isinstance(value, Function) or (isinstance(value, Array) and key in value.properties):
        value.properties.pop(key, None)
    elif isinstance(value, list) and raw_has(value, key) and key != "length":
        value[int(key)] = UNDEFINED  # JavaScript leaves a hole
    elif isinstance(value, Host) and hasattr(value, key):
        delattr(value, key)


def copy(*sources: Any) -> Any:
    result: dict[str, Any] = {}
    for source in sources:
        for key in keys(source):
            result[key] = raw_get(source, key)
    return make_object(result.items())


def raw_assign(target: Any, source: Any) -> Any:
    target.update(source)
    return target


def raw_copy(value: Any) -> Any:
    return copy(value)


def raw_keys(value: Any) -> list[str]:
    return keys(value)


def raw_tags(value: Any) -> list[str]:
    return [tag(item) for item in value.values()]


def rename(value: Any, rule: Callable[[str], str]) -> Any:
    return {rule(key): raw_get(value, key) for key in keys(value)}


def raw_items(array: Any) -> list[Any]:
    return list(array)


def make_date(ms: float) -> Any:
    return Date(ms)


def date_ms(date: Any) -> float:
    return float(date.ms)


def clock(window: Any) -> Callable[[], float]:
    return raw_bound(raw_get(window, "Date"), "now")


def zone_offset_minutes() -> int:
    offset = datetime.now(local_zone).utcoffset() or timedelta()
    return -int(offset.total_seconds() // 60)


def _plain(value: Any, odd: list[float]) -> Any:
    """What JSON.stringify sees of a value; UNDEFINED where it leaves the value out.

    ``odd`` gets the numbers that Python doesn't write as JavaScript does.
    """
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, dict):
        pairs = [(key, _plain(value[key], odd)) for key in keys(value)]
        return {key: plain for key, plain in pairs if plain is not UNDEFINED}
    if isinstance(value, (list, tuple)):
        return [None if (plain := _plain(item, odd)) is UNDEFINED else plain for item in value]
    if isinstance(value, BigInt):
        raise JsError("Do not know how to serialize a BigInt")
    if isinstance(value, (int, float)):
        if -(2**53) < value < 2**53 and value == int(value):
            return int(value)
        if not math.isfinite(value):
            return None
        if not 1e-4 <= abs(value) < 2**53:
            odd.append(value)
        return value
    if isinstance(value, Date):
        return value.iso() or None
    return UNDEFINED if value is UNDEFINED or type_of(value) == "function" else {}


def to_json(value: Any) -> Any:
    odd: list[float] = []
    try:
        plain = _plain(value, odd)
    except RecursionError:
        raise JsError("Converting circular structure to JSON") from None
    if plain is UNDEFINED:
        return UNDEFINED
    return _encode(plain) if odd else _text(plain)


def json_copy(value: Any) -> Any:
    return from_json(to_json(value))


def json_size(value: Any) -> int:
    return len(text(to_json(value)).encode())


_SURROGATE = re.compile("[\ud800-\udfff]")


def _encode(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number_text(value)
    if isinstance(value, list):
        return "[" + ",".join(_encode(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_encode(key)}:{_encode(item)}" for key, item in value.items()) + "}"
    return _text(value)


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def _text(value: Any) -> str:
    """JSON of a value without numbers that Python writes in another way."""
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", _dumps(value))


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _int(digits: str) -> Any:
    if digits == "-0":
        return -0.0
    number = float(digits)
    return int(digits) if abs(number) <= 2**53 else number


def from_json(source: str) -> Any:
    return json.loads(source, parse_constant=_refuse, parse_int=_int)


def to_base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def from_base64(digits: str) -> str:
    return base64.b64decode(digits + "=" * (-len(digits) % 4)).decode()


def lower(value: str) -> str:
    return value.lower()


def upper(value: str) -> str:
    return value.upper()


_SPACES = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


def trim(value: str) -> str:
    return value.strip(_SPACES)


def make_promise() -> tuple[Any, Callable[[Any], None], Callable[[Any], None]]:
    promise = Promise()
    return (
        promise,
        lambda value: promise.settle("fulfilled", value),
        lambda error: promise.settle("rejected", error),
    )


def resolved(value: Any) -> Any:
    promise = Promise()
    promise.settle("fulfilled", value)
    return promise


def make_rejected(message: str) -> Any:
    promise = Promise()
    promise.settle("rejected", JsError(message))
    return promise


def make_function(body: Callable[[Any], Any], name: str = "") -> Any:
    return Function(body, name)


def make_method(body: Callable[[Any, Any], Any], name: str = "") -> Any:
    return Method(body, name)


def use_helpers(guard: Any, method: Any) -> None:
    pass


def callback(body: Callable[..., Any]) -> Any:
    return body


def lazy(key: str, body: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: raw_put(value, key, body(value))


def call(function: Any, *args: Any) -> Any:
    if isinstance(function, Function):
        return function.body(list(args))
    if not callable(function):
        raise JsError(f"{text(function)} is not a function")
    return function(*args)


def apply(function: Any, this: Any, args: tuple[Any, ...]) -> Any:
    if isinstance(function, Method):
        return function.body(this, list(args))
    return call(function, *args)


def invoke(value: Any, method: str, *args: Any) -> Any:
    return apply(raw_get(value, method), value, args)


def raw_invoke(value: Any, method: str, *args: Any) -> Any:
    return invoke(value, method, *args)


def raw_bound(value: Any, method: str) -> Callable[..., Any]:
    return lambda *args: invoke(value, method, *args)


def raw_construct(name: str, *args: Any) -> Any:
    if name == "Error":
        return JsError(*args)
    raise JsError(f"{name} is not a constructor")
