"""What is Pyodide's own about crossing into JavaScript."""

import js
from pyodide.ffi import JsException, JsProxy, create_proxy, jsnull

JsError = JsException
UNDEFINED = None
NULL = jsnull

_get = js.Reflect.get
_set = js.Reflect.set
_apply = js.Reflect.apply
_descriptor = js.Object.getOwnPropertyDescriptor
_values = js.Object.values
_is = _get(js.Object, "is")


def read(obj, key):
    """``obj[key]``, exact for own properties: Pyodide alone would turn -0 into 0."""
    value = _get(obj, key)
    if type(value) is int and value == 0:
        descriptor = _descriptor(obj, key)
        if descriptor is not UNDEFINED:
            row = _values(descriptor)
            row[1] = -0.0
            if _apply(_is, UNDEFINED, row):
                return -0.0
    return value


def write(obj, key, value):
    """``obj[key] = value``, exact."""
    _set(obj, key, outgoing(value))


def use_guard(function):
    """Nothing: a JavaScript exception is an exception here."""


def outgoing(value):
    """``value`` in a form that crosses exactly: Pyodide would make a BigInt of a large int."""
    if type(value) is int and not -(2**53) < value < 2**53:
        return float(value)
    return value


def is_handle(value):
    return isinstance(value, JsProxy)


def attempt(function, this, args):
    """``function.apply(this, args)``. Raises JsError when it throws."""
    return _apply(function, this, js.Array.of(*[outgoing(arg) for arg in args]))


def callback(body):
    """A Python function as JavaScript can hold it."""
    return create_proxy(body)
