"""What is Pyodide's own about crossing into JavaScript.

A promise that a JavaScript function returns arrives as a Python future, and would go back as something else than the
promise it was. So `read` and `attempt` let results come in an array, whose items stay what they are.
"""

from __future__ import annotations

import js
from pyodide.ffi import JsBigInt, JsException, create_proxy, jsnull
from pyodide.webloop import PyodideFuture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# The base of every handle's type. pyodide.ffi.JsProxy stands for the same, but isinstance takes twenty times as long.
JsProxy = type(js.globalThis).__mro__[1]
HANDLES = (JsProxy, JsBigInt)
JsError = JsException
UNDEFINED = None
NULL = jsnull

_get = js.Reflect.get
_set = js.Reflect.set
_apply = js.Reflect.apply
_descriptor = js.Object.getOwnPropertyDescriptor
_values = js.Object.values
_is = _get(js.Object, "is")
_array_of = js.Array.of
_array_from = getattr(js.Array, "from")
_bind_apply = _get(js.Reflect, "apply").bind
_safe_get = _get(js.Reflect, "get")
_resolve = _get(js.Promise, "resolve")
_reject = _get(js.Promise, "reject")
_object = js.Object.new
_tag = _get(js.Object.prototype, "toString")
_no_args = js.Array.new()
_box = _get(js.globalThis, "Object")
_one = js.Array.of(0)


def read(obj: Any, key: Any) -> Any:
    """``obj[key]``, exact for own properties: Pyodide alone would turn -0 into 0."""
    value = _get(obj, key)
    if type(value) is int and value == 0:
        return _zero(obj, key)
    if type(value) is PyodideFuture:
        return attempt(_safe_get, js.Reflect, (obj, key))
    return value


def getter(other: Any) -> Any:
    """A function of a value and a key: `read`, or ``other`` where the value isn't JavaScript's."""
    return lambda value, key: read(value, key) if isinstance(value, JsProxy) else other(value, key)


def tag_of(value: Any) -> Any:
    """``Object.prototype.toString`` of an object."""
    return _apply(_tag, value, _no_args)


def items(array: Any) -> Any:
    """The items of an array."""
    return [read(array, index) for index in range(array.length)]


def _zero(obj: Any, key: Any) -> Any:
    """0 or -0, whichever ``obj[key]`` is."""
    descriptor = _descriptor(obj, key)
    if descriptor is not UNDEFINED:
        row = _values(descriptor)
        row[1] = -0.0
        if _apply(_is, UNDEFINED, row):
            return -0.0
    return 0


now = js.Date.now


def write(value: Any, key: Any, item: Any) -> Any:
    """``value[key] = item``, exact."""
    _set(value, key, outgoing(item))


def make_object(pairs: Iterable[tuple[str, Any]] = ()) -> Any:
    """An object of these keys and values."""
    result = _object()
    for key, value in pairs:
        write(result, key, value)
    return result


def record(**fields: Any) -> Any:
    """The same of keyword arguments."""
    for name, value in fields.items():
        if type(value) is int:
            fields[name] = outgoing(value)
    return _box(**fields)


def use_guard(function: Any) -> Any:
    """Nothing: a JavaScript exception is an exception here."""


def check_readable(args: Any) -> Any:
    """Nothing, for the same reason."""


def outgoing(value: Any) -> Any:
    """``value`` in a form that crosses exactly: Pyodide would make a BigInt of a large int."""
    if type(value) is int and not -(2**53) + 1 < value < 2**53 - 1:
        return float(value)
    return value


def bound(value: Any, method: str) -> Any:
    """``value[method]`` as a function for Python to call."""
    return getattr(value, method)


_boxed = None


def use_box(function: Any) -> Any:
    """Let JavaScript of ours call: ``function(f, this, ...args)`` gives the result in an array."""
    global _boxed
    _boxed = function


def attempt(function: Any, this: Any, args: Any) -> Any:
    """``function.apply(this, args)``. Raises JsError when it throws."""
    args = [outgoing(arg) for arg in args]
    if _boxed is None:
        results = _array_from(_one, _bind_apply(UNDEFINED, function, this, _array_of(*args)))
    else:
        results = _boxed(function, this, *args)
    value = results[0]
    return _zero(results, 0) if type(value) is int and value == 0 else value


def resolved(value: Any) -> Any:
    """``Promise.resolve(value)``."""
    return attempt(_resolve, js.Promise, (value,))


def rejected(value: Any) -> Any:
    """``Promise.reject(value)``."""
    return attempt(_reject, js.Promise, (value,))


def callback(body: Callable[..., Any]) -> Any:
    """A Python function as JavaScript can hold it."""
    return create_proxy(body)
