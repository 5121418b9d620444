"""The port in a browser: the verbs over real JavaScript values, for Pyodide and MicroPython alike."""

from __future__ import annotations

import sys

import js

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

if sys.implementation.name == "micropython":
    from . import micropython as _own
else:
    from . import pyodide as _own  # type: ignore[no-redef]

UNDEFINED = _own.UNDEFINED
NULL = _own.NULL
JsError = _own.JsError
read = _own.read
raw_items = _own.items
make_object = _own.make_object
raw_put = _own.write
outgoing = _own.outgoing
JsProxy = _own.JsProxy
raw_bound = _own.bound
attempt = _own.attempt
callback = _own.callback
_tag_of = _own.tag_of

window = js.window if hasattr(js, "window") else js.globalThis

# Functions are read with Reflect.get: MicroPython's attribute access would wrap them.
_get = js.Reflect.get
_apply = js.Reflect.apply
_construct = js.Reflect.construct
_delete = js.Reflect.deleteProperty
_new = js.Object.new
_array_new = js.Array.new
_array_of = js.Array.of
_safe_get = _get(js.Reflect, "get")
_safe_set = _get(js.Reflect, "set")
_tag = _get(js.Object.prototype, "toString")
_box = _get(window, "Object")
_assign = _get(js.Object, "assign")
_keys_of = _get(js.Object, "keys")
_entries = _get(js.Object, "entries")
_from_entries = js.Object.fromEntries
_percent_encode = _get(window, "encodeURIComponent")
_unescape = _get(window, "unescape")
_btoa = _get(window, "btoa")
_percent_decode = _get(window, "decodeURIComponent")
_escape = _get(window, "escape")
_atob = _get(window, "atob")
_has_own = js.Object.hasOwn
_stringify = _get(js.JSON, "stringify")
_parse = _get(js.JSON, "parse")
_string = _get(js, "String") if sys.implementation.name != "micropython" else _get(window, "String")
_number = _get(window, "Number")
_array_from = js.Array["from"] if sys.implementation.name == "micropython" else _get(js.Array, "from")
_upper = _get(js.String.prototype, "toUpperCase")
_source_of = _get(js.Function.prototype, "toString")
_trim = _get(js.String.prototype, "trim")
_lower = _get(js.String.prototype, "toLowerCase")
_noop = _get(js.Function, "prototype")
_no_args = js.Array.new()
_map = _get(js.Array.prototype, "map")
_call = _get(js.Function.prototype, "call")
_values_of = _get(js.Object, "values")
_join = _get(js.Array.prototype, "join")

_KINDS = {
    "[object Array]": "array",
    "[object Date]": "date",
    "[object Function]": "function",
    "[object AsyncFunction]": "function",
    "[object GeneratorFunction]": "function",
    "[object AsyncGeneratorFunction]": "function",
    "[object BigInt]": "bigint",
    "[object Symbol]": "symbol",
}
_SCALARS = {str: "string", bool: "boolean", int: "number", float: "number"}


def type_of(value: Any) -> str:
    scalar = _SCALARS.get(type(value))
    if scalar:
        return scalar
    if value is UNDEFINED:
        return "undefined"
    if value is NULL:
        return "null"
    if not isinstance(value, JsProxy):
        return "bigint" if isinstance(value, int) else "object"
    found = _KINDS.get(_tag_of(value), "object")
    # An object may call itself a function (Symbol.toStringTag): believe only what has a source text.
    return "object" if found == "function" and not _is_function(value) else found


def _is_function(value: Any) -> Any:
    try:
        attempt(_source_of, value, ())
    except JsError:
        return False
    return True


def tag(value: Any) -> str:
    return _tag_of(value)[8:-1].lower() if isinstance(value, JsProxy) else type_of(value)


def is_javascript(value: Any) -> bool:
    return isinstance(value, _own.HANDLES) or is_nullish(value)


def is_nullish(value: Any) -> bool:
    return value is UNDEFINED or value is NULL


def is_plain(value: Any) -> bool:
    return isinstance(value, JsProxy) and _tag_of(value) == "[object Object]"


def truthy(value: Any) -> bool:
    if isinstance(value, JsProxy):
        return True
    if value is UNDEFINED or value is NULL:
        return False
    return bool(value) and value == value  # NaN is false


def same(left: Any, right: Any) -> bool:
    if type(left) in _SCALARS or type(right) in _SCALARS:
        number = (int, float)
        return left == right and (type(left) is type(right) or (type(left) in number and type(right) in number))
    return _apply(_get(js.Object, "is"), UNDEFINED, _array_of(left, right))


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return attempt(_string, UNDEFINED, (value,))


def to_number(value: Any) -> float:
    if type(value) in (int, float):
        return value
    box = _array_new()
    box[0] = outgoing(value)
    return read(attempt(_array_from, UNDEFINED, (box, _number)), 0)


def make_array(values: Iterable[Any] = ()) -> Any:
    items = [outgoing(value) for value in values]
    if len(items) <= _AT_ONCE:
        return _array_of(*items)
    result = _array_new()
    for item in items:
        result.push(item)
    return result


_AT_ONCE = 32  # arguments of one call: they go over the stack


def keys(value: Any) -> list[str]:
    if isinstance(value, str):
        return [str(i) for i in range(len(value))]
    if not isinstance(value, JsProxy):
        return []
    return _texts(attempt(_keys_of, UNDEFINED, (value,)))


def _get_of_ours(value: Any, key: Any) -> Any:
    """``value[key]`` of what isn't an object of JavaScript."""
    if isinstance(value, str):
        if key == "length":
            return len(value) + sum([char > "\uffff" for char in value])
        if isinstance(key, int) or (key.isdigit() and _is_ascii(key)):
            return value[int(key)] if 0 <= int(key) < len(value) else UNDEFINED
    if is_nullish(value):
        return UNDEFINED
    return _get(_apply(_box, UNDEFINED, _array_of(outgoing(value))), key)  # a method of a primitive


raw_get = _own.getter(_get_of_ours)


def get(value: Any, key: str | int) -> Any:
    return attempt(_safe_get, UNDEFINED, (value, key))


def put(value: Any, key: str | int, item: Any) -> None:
    if not attempt(_safe_set, UNDEFINED, (value, key, item)):
        raise JsError("read-only property")


def raw_has(value: Any, key: str) -> bool:
    return isinstance(value, JsProxy) and _has_own(value, key)


def raw_delete(value: Any, key: str) -> None:
    _delete(value, key)


def copy(*sources: Any) -> Any:
    return attempt(_assign, UNDEFINED, (_new(),) + sources)


record = _own.record
raw_assign = _assign


def raw_copy(value: Any) -> Any:
    return _assign(_new(), value)


def raw_keys(value: Any) -> list[str]:
    return _texts(_keys_of(value))


def raw_tags(value: Any) -> list[str]:
    tags = _apply(_map, _values_of(value), _array_of(_call, _tag))  # Object.prototype.toString of each
    return _apply(_join, tags, _array_of("\n"))[8:-1].lower().split("]\n[object ")


def _texts(array: Any) -> Any:
    """A JavaScript array of texts as a list, in few crossings."""
    texts = _apply(_join, array, _array_of("\n")).split("\n")
    return texts if texts != [""] and len(texts) == array.length else raw_items(array)


def rename(value: Any, rule: Callable[[str], str]) -> Any:
    # The values stay on the JavaScript side: only keys cross.
    pairs = attempt(_entries, UNDEFINED, (value,))
    for index, name in enumerate(_texts(_keys_of(value))):
        new = rule(name)
        if new != name:
            pairs[index][0] = new
    return _from_entries(pairs)


_date = js.Date.new


def make_date(ms: float) -> Any:
    return _date(outgoing(ms))


def date_ms(date: Any) -> float:
    return to_number(date)


def clock(window: Any) -> Callable[[], float]:
    return _own.now


def zone_offset_minutes() -> int:
    return js.Date.new().getTimezoneOffset()


def to_json(value: Any) -> Any:
    return attempt(_stringify, UNDEFINED, (value,))


def to_base64(value: str) -> str:
    for function in (_percent_encode, _unescape, _btoa):
        value = call(function, value)
    return value


def from_base64(digits: str) -> str:
    for function in (_atob, _escape, _percent_decode):
        digits = call(function, digits)
    return digits


def json_copy(value: Any) -> Any:
    texts = attempt(_array_from, UNDEFINED, (_array_of(value), _stringify))
    return read(attempt(_array_from, UNDEFINED, (texts, _parse)), 0)


def json_size(value: Any) -> int:
    texts = attempt(_array_from, UNDEFINED, (_array_of(outgoing(value)), _stringify))
    return raw_construct("Blob", texts).size


def from_json(source: str) -> Any:
    try:
        value = attempt(_parse, UNDEFINED, (source,))
        return -0.0 if value == 0 and type(value) is int and "-" in source else value
    except JsError:
        pass  # raised below: MicroPython prints a warning for every chained exception
    raise ValueError("malformed JSON")


def _is_ascii(value: Any) -> Any:
    return all(char < "\x80" for char in value)


def lower(value: str) -> str:
    return value.lower() if _is_ascii(value) else _apply(_lower, value, _no_args)


def upper(value: str) -> str:
    return value.upper() if _is_ascii(value) else _apply(_upper, value, _no_args)


def trim(value: str) -> str:
    return _apply(_trim, value, _no_args)


_settlers: list[Any] = []
_keep_settlers: list[Any] = []  # one, for it lives on; not made on import, as a snapshot of Pyodide can't hold it


def make_promise() -> tuple[Any, Callable[[Any], None], Callable[[Any], None]]:
    if not _keep_settlers:
        _keep_settlers.append(_own.callback(lambda resolve, reject: _settlers.extend((resolve, reject))))
    promise = js.Promise.new(_keep_settlers[0])
    reject, resolve = _settlers.pop(), _settlers.pop()
    return promise, resolve, reject


resolved = _own.resolved


def make_rejected(message: str) -> Any:
    promise = _own.rejected(js.Error.new(message))
    # A no-op handler: the page may look at the promise, and need not.
    _apply(_get(promise, "catch"), promise, _array_of(_noop))
    return promise


def make_function(body: Callable[[Any], Any], name: str = "") -> Any:
    return make_method(lambda this, args: body(args), name)


_maker = None


def use_helpers(guard: Any, method: Any) -> None:
    """Let JavaScript of ours catch exceptions (``guard``) and make functions around those of Python (``method``)."""
    global _maker
    _own.use_guard(guard)
    _maker = method


def make_method(body: Callable[[Any, Any], Any], name: str = "") -> Any:
    if _maker is not None:
        return _maker(_own.callback(lambda this, args: outgoing(body(this, args))))

    def trap(target: Any, this: Any, args: Any) -> Any:
        try:
            _own.check_readable(args)
        except JsError as error:
            js.console.error("[fsbridge] a call is not taken: %s" % error)
            return UNDEFINED
        return outgoing(body(this, args))

    # A Proxy's apply trap hands over the arguments as one array, so that no argument is converted on the way.
    handler = _new()
    handler.apply = _own.callback(trap)
    target = _apply(_get(js.Function.prototype, "bind"), _get(window, "Object"), _no_args)
    return js.Proxy.new(target, handler)


_define = js.Reflect.defineProperty


def lazy(key: str, body: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def settle(this: Any, value: Any) -> Any:
        _define(this, key, record(value=value, writable=True, enumerable=True, configurable=True))
        return value

    descriptor = record(enumerable=True, configurable=True)
    raw_put(descriptor, "get", make_method(lambda this, args: settle(this, body(this)), key))
    raw_put(descriptor, "set", make_method(lambda this, args: settle(this, raw_get(args, 0)), key))
    return lambda value: _define(value, key, descriptor)


def call(function: Any, *args: Any) -> Any:
    return attempt(function, UNDEFINED, args)


apply = attempt


# A method may be a getter that throws, which Pyodide would raise anyway.
_method = get if sys.implementation.name == "micropython" else _get


def invoke(value: Any, method: str, *args: Any) -> Any:
    return attempt(_method(value, method), value, args)


def raw_invoke(value: Any, method: str, *args: Any) -> Any:
    return getattr(value, method)(*args)


def raw_construct(name: str, *args: Any) -> Any:
    return _construct(_get(window, name), make_array(args))
