"""What is MicroPython's own about crossing into JavaScript.

- Attribute access binds a function to its object, for every later call of it, too. So functions are read by subscript
  or Reflect.get, and one that is called by itself is never read as an attribute anywhere.
- Whole numbers are cut to 32 bits in both directions: `read` fetches them again as text, `outgoing` sends floats.
- A JavaScript exception is not an exception here: it unwinds the interpreter past every ``except`` and leaves its
  garbage collector off. Whatever may throw goes through `attempt`, which lets a built-in catch for us: `new Promise`
  catches what its executor throws.
"""

from __future__ import annotations

import js
from jsffi import JsProxy as JsProxy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

HANDLES = (JsProxy,)
UNDEFINED = js.undefined
NULL = None

_get = js.Reflect.get
_apply = js.Reflect.apply
_bind = _get(js.Function.prototype, "bind")
_assign = _get(js.Object, "assign")
_define = js.Object.defineProperty
_descriptor = js.Object.getOwnPropertyDescriptor
_values = _get(js.Object, "values")
_is = _get(js.Object, "is")
_array = js.Array.of
_object = js.Object.new
_promise = js.Promise.new
_SAFE = 1 << 30


class JsError(Exception):
    """JavaScript threw; the text of its error is not known here."""


# The tag's own host (web/micropython.js) lets every number cross as it is; interpreters of other pages don't.
_CROSSES_WHOLE = type(_get(js.Number, "MAX_SAFE_INTEGER")) is float


def read(obj: Any, key: Any) -> Any:
    """``obj[key]``, exact for own properties. Not for objects whose getters may throw."""
    # A text key: with a number MicroPython checks the bounds, and throws.
    value = obj[key] if type(key) is str else obj[str(key)]
    if type(value) is int:
        return _exact(obj, key, value)
    return value


def getter(other: Any) -> Any:
    """A function of a value and a key: `read`, or ``other`` where the value isn't JavaScript's."""

    def get(value: Any, key: Any) -> Any:  # all in one, as each call costs, and this one is made most
        if type(value) is not JsProxy:
            return other(value, key)
        found = value[key] if type(key) is str else value[str(key)]
        return _exact(value, key, found) if type(found) is int else found

    def get_whole(value: Any, key: Any) -> Any:
        return value[key] if type(value) is JsProxy else other(value, key)

    return get_whole if _CROSSES_WHOLE else get


def write(value: Any, key: Any, item: Any) -> Any:
    """``value[key] = item``, exact."""
    if type(item) is int and not -_SAFE < item < _SAFE:
        item = float(item)
    value[key] = item


tag_of = _apply(_bind, _get(js.Function.prototype, "call"), _array(_get(js.Object.prototype, "toString")))
"""``Object.prototype.toString`` of an object."""


def items(array: Any) -> Any:
    """The items of an array."""
    result = []
    for index in range(array.length):
        value = array[index]
        result.append(_exact(array, str(index), value) if type(value) is int else value)
    return result


def make_object(pairs: Iterable[tuple[str, Any]] = ()) -> Any:
    """An object of these keys and values."""
    result = _object()
    for key, value in pairs:
        result[key] = outgoing(value) if type(value) is int else value
    return result


record = _get(js.globalThis, "Object")
"""The same of keyword arguments."""


def _exact(obj: Any, key: Any, cut: int) -> Any:
    if _CROSSES_WHOLE:
        return cut
    descriptor = _descriptor(obj, key)
    if descriptor is UNDEFINED:  # inherited: the cut number is all there is
        return cut
    row = _values(descriptor)
    row[1] = cut
    if _apply(_is, None, row):
        return outgoing(cut)
    row[1] = -0.0
    if cut == 0 and _apply(_is, None, row):
        return -0.0
    digits = row.join(" ").split(" ", 1)[0]
    try:
        return float(digits)
    except ValueError:  # a getter: its own descriptor holds no value
        return cut


_clock = js.Date.now
_HALF = 1 << 31


def _counting_on() -> Any:
    """A clock of which only 32 bits cross, which count on from the whole reading at the start."""
    start = int(_array(js.Date.new()).map(_get(js.globalThis, "Number")).join(""))
    return lambda: float(start + ((_clock() - start + _HALF) & 0xFFFFFFFF) - _HALF)


now = _clock if _CROSSES_WHOLE else _counting_on()  # the host of snapshots reads no clock
"""Milliseconds since 1970."""


def outgoing(value: Any) -> Any:
    """``value`` in a form that crosses exactly."""
    if type(value) is int and not -_SAFE < value < _SAFE:
        return float(value)
    return value


def bound(value: Any, method: str) -> Any:
    """``value[method]`` as a function for Python to call."""
    return getattr(value, method)


_guard = None


def use_guard(function: Any) -> Any:
    """Let JavaScript of ours catch: ``function(f, this, ...args)`` gives the result, or itself with a ``message``."""
    global _guard
    _guard = function


class _Thrower:
    """What our own host measures (web/micropython.js) to raise here what JavaScript throws."""

    def __len__(self) -> int:
        raise JsError(_guard["message"] if _guard is not None else "a JavaScript error")


thrower = _Thrower()


def attempt(function: Any, this: Any, args: Any) -> Any:
    """``function.apply(this, args)``, for port values and small whole numbers. Raises JsError when it throws."""
    if type(function) is not JsProxy:
        raise JsError("not a function")
    if _guard is not None:
        outcome = _guard(function, this, *args)
        if outcome is _guard:
            raise JsError(_guard["message"])
        return outcome
    thunk = _object()
    bound = _apply(_bind, function, _array(this, *args))
    getter = _object()
    getter.get = bound
    getter.enumerable = True
    _define(thunk, "value", getter)
    out = _object()
    promise = _promise(_apply(_bind, _assign, _array(None, out, thunk)))
    if not _has_value(out):
        _apply(_get(promise, "catch"), promise, _array(_ignore))
        raise JsError("a JavaScript error")
    return read(out, "value")


_map = _get(js.Array.prototype, "map")
_filter = _get(js.Array.prototype, "filter")
_call = _get(js.Function.prototype, "call")
_tag = _get(js.Object.prototype, "toString")
_prototype = _get(js.Object, "prototype")
_is_prototype_of = _get(js.Object.prototype, "isPrototypeOf")


def check_readable(args: Any) -> Any:
    """Raise JsError where a value throws when merely looked at, as a revoked Proxy does: it would harm us for good."""
    seen, waiting = js.Set.new(), [args]
    while waiting:
        values = waiting.pop()
        tags = attempt(_map, values, (_call, _tag)).join("\n").split("\n")  # Object.prototype.toString of each
        if not [tag for tag in tags if tag not in _PRIMITIVES]:
            continue
        attempt(_filter, values, (_is_prototype_of, _prototype))
        for index, tag in enumerate(tags[: values.length]):
            value = values[index] if tag in ("[object Object]", "[object Array]") else None
            if isinstance(value, JsProxy) and not seen.has(value):
                seen.add(value)
                try:
                    waiting.append(attempt(_values, js.Object, (value,)))
                except JsError:  # a getter's; those of objects are read with care
                    if tag == "[object Array]":
                        raise


_PRIMITIVES = [
    "[object %s]" % name for name in ("String", "Number", "Boolean", "Null", "Undefined", "BigInt", "Symbol")
]


def _has_value(out: Any) -> Any:
    return js.Object.hasOwn(out, "value")


_ignore = _get(js.Function, "prototype")


resolved = js.Promise.resolve
rejected = js.Promise.reject


_returned = None


def callback(body: Callable[..., Any]) -> Any:
    """A Python function as JavaScript can hold it."""

    def kept(*args: Any) -> Any:
        # Garbage may be collected after a function returned and before JavaScript took the result: hold on to it.
        global _returned
        _returned = body(*args)
        return _returned

    return kept
