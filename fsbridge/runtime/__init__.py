"""The port: one set of verbs over JavaScript values, the same on CPython, Pyodide and MicroPython.

A *port value* is whatever the page handed over. In a browser that is a JavaScript value: strings, booleans and numbers
arrive as their Python counterparts, everything else stays a handle to the page's own object, so that a Date stays that
Date. On CPython the same verbs work on dict, list, str, int, float, bool, ``NULL`` and ``UNDEFINED``, plus the classes
`Date`, `BigInt`, `Function` and `JsError` of `fsbridge.runtime.cpython`.

This module says what every verb does; the ports implement them (``cpython``, and ``browser`` with ``pyodide`` or
``micropython``).

Never write ``value is None`` for a port value: Pyodide spells ``undefined`` as None, MicroPython spells ``null`` so.
Compare with ``NULL`` and ``UNDEFINED`` by ``is``, or ask `type_of` or `is_nullish`.

One rule for names: what begins with ``raw_`` is fast and unguarded, for objects of our own, and of the page only where
nothing can throw: with npm's host of MicroPython (PyScript) a throw there unwinds it past every ``except``. Everything
else is guarded.
"""

import sys

ON_CPYTHON = sys.implementation.name == "cpython" and sys.platform != "emscripten"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Value = Any
    """A port value."""

    UNDEFINED: Any
    NULL: Any
    window: Any
    JsError: type[Exception]

    # Asking about a value

    def is_javascript(value: Any) -> bool:
        """Whether JavaScript made the value and Python has a mere handle to it."""

    def type_of(value: Any) -> str:
        """One of undefined, null, boolean, number, bigint, string, symbol, array, date, function and object."""

    def tag(value: Any) -> str:
        """What ``Object.prototype.toString`` calls the value, in lower case: "object", "promise", "map", …"""

    def is_nullish(value: Any) -> bool:
        """Whether the value is null or undefined."""

    def is_plain(value: Any) -> bool:
        """Whether JavaScript calls the value "[object Object]": no array, Date, Map, Error, function or scalar."""

    def truthy(value: Any) -> bool:
        """Whether JavaScript takes the value for true."""

    def same(left: Any, right: Any) -> bool:
        """JavaScript's ``===``."""

    def text(value: Any) -> str:
        """JavaScript's ``String(value)``."""

    def to_number(value: Any) -> float:
        """JavaScript's ``Number(value)``; NaN where there is none."""

    # Objects and arrays

    def make_object(pairs: Iterable[tuple[str, Any]] = ()) -> Any:
        """An object of these pairs, in their order."""

    def record(**fields: Any) -> Any:
        """`make_object` of keyword arguments, in one crossing: what `raw_get` gives, and small whole numbers."""

    def make_array(values: Iterable[Any] = ()) -> Any:
        """An array of these values."""

    def keys(value: Any) -> list[str]:
        """Own enumerable string keys in JavaScript's order: indices first, ascending."""

    def raw_get(value: Any, key: str | int) -> Any:
        """A property, own or inherited; UNDEFINED where there is none or the value can have none."""

    def get(value: Any, key: str | int) -> Any:
        """`raw_get` where the read itself may throw (host objects, strangers' getters); raises then."""

    def put(value: Any, key: str | int, item: Any) -> None:
        """`raw_put` where the write itself may throw; raises then."""

    def raw_has(value: Any, key: str) -> bool:
        """Whether ``key`` is an own property."""

    def raw_put(value: Any, key: str | int, item: Any) -> None:
        """Set a property; on an array, an index may be the length (append)."""

    def raw_delete(value: Any, key: str) -> None:
        """Remove an own property."""

    def copy(*sources: Any) -> Any:
        """A new object with the own properties of all ``sources``, later ones winning (``Object.assign({}, …)``)."""

    def raw_assign(target: Any, source: Any) -> Any:
        """``target``, with the properties of ``source``."""

    def raw_copy(value: Any) -> Any:
        """`copy` of one plain object of our own."""

    def raw_keys(value: Any) -> list[str]:
        """`keys` of a plain object of our own."""

    def raw_tags(value: Any) -> list[str]:
        """The `tag` of each own value; not exact where an object gives itself one with line breaks."""

    def rename(value: Any, rule: Callable[[str], str]) -> Any:
        """A new object with every own key passed through ``rule``; of equal names the last wins."""

    def raw_items(array: Any) -> list[Any]:
        """The items of an array, as a list."""

    # Other values

    def make_date(ms: float) -> Any:
        """A Date of that many milliseconds since 1970."""

    def date_ms(date: Any) -> float:
        """The milliseconds since 1970 of a Date, NaN when it is invalid."""

    def clock(window: Any) -> Callable[[], float]:
        """The clock of a window, taken when it is first asked for: a function that gives milliseconds since 1970."""

    def zone_offset_minutes() -> int:
        """Minutes from local time to UTC, now (``new Date().getTimezoneOffset()``): positive west of Greenwich."""

    def to_json(value: Any) -> Any:
        """``JSON.stringify(value)``: text, or UNDEFINED. Raises where JavaScript throws (cycles, BigInt)."""

    def json_copy(value: Any) -> Any:
        """What is left of an object after JSON. Raises where JavaScript throws."""

    def json_size(value: Any) -> int:
        """Bytes of ``JSON.stringify(value)`` in UTF-8, without bringing a large text across. Raises like `to_json`."""

    def from_json(source: str) -> Any:
        """``JSON.parse``. Raises ValueError on malformed text."""

    def to_base64(value: str) -> str:
        """The base64 digits of a text in UTF-8. Raises for half a surrogate pair."""

    def from_base64(digits: str) -> str:
        """The text whose UTF-8 these base64 digits are, padded or not. Raises where there is none."""

    def lower(value: str) -> str:
        """``value.toLowerCase()``, which knows all letters."""

    def upper(value: str) -> str:
        """``value.toUpperCase()``, which knows all letters."""

    def trim(value: str) -> str:
        """``value.trim()``: JavaScript's idea of white space."""

    def make_promise() -> tuple[Any, Callable[[Any], None], Callable[[Any], None]]:
        """A pending promise with the functions that resolve and reject it."""

    def resolved(value: Any) -> Any:
        """A promise that already holds ``value``."""

    def make_rejected(message: str) -> Any:
        """A promise rejected with an Error; nobody needs to handle it."""

    def make_function(body: Callable[[Any], Any], name: str = "") -> Any:
        """A JavaScript function whose ``body`` gets the call's arguments as one array and returns a port value."""

    def make_method(body: Callable[[Any, Any], Any], name: str = "") -> Any:
        """Like `make_function`, for a function that also wants its ``this``: ``body(this, args)``."""

    def callback(body: Callable[..., Any]) -> Any:
        """A Python function for JavaScript of ours to call; arguments cross as values, and it lives for good."""

    def lazy(key: str, body: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A function that gives an object of ours the property ``key``, which is ``body(object)``.

        In a browser it is made when it is first read: what hardly anybody reads may cost something.
        """

    def use_helpers(guard: Any, method: Any) -> None:
        """Take what the tag's JavaScript does better: catching exceptions for us, and making functions for the page."""

    # Calling JavaScript

    def invoke(value: Any, method: str, *args: Any) -> Any:
        """Call a method of an object; whatever it throws is raised."""

    def raw_invoke(value: Any, method: str, *args: Any) -> Any:
        """`invoke` for the page's own methods that never throw; cheaper in a browser."""

    def raw_bound(value: Any, method: str) -> Callable[..., Any]:
        """``value[method]`` as a function for Python to call; it doesn't throw."""

    def call(function: Any, *args: Any) -> Any:
        """Call a function without a ``this``; whatever it throws is raised."""

    def apply(function: Any, this: Any, args: tuple[Any, ...]) -> Any:
        """`call` with a ``this``."""

    def raw_construct(name: str, *args: Any) -> Any:
        """``new name(…args)`` for a global constructor; here there is Error only."""

elif ON_CPYTHON:
    from .cpython import *  # noqa: F403
else:
    from .browser import *  # noqa: F403
