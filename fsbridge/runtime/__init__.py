"""The port: one set of verbs over JavaScript values, the same on CPython, Pyodide and MicroPython.

A *port value* is whatever the page handed over. In a browser that is a JavaScript value: strings, booleans and numbers
arrive as their Python counterparts, everything else stays a handle to the page's own object, so that a Date stays that
Date. On CPython the same verbs work on dict, list, str, int, float, bool, ``NULL`` and ``UNDEFINED``, plus the classes
`Date`, `BigInt`, `Function` and `JsError` of `fsbridge.runtime.cpython`.

Never write ``value is None`` for a port value: Pyodide spells ``undefined`` as None, MicroPython spells ``null`` so.
Compare with ``NULL`` and ``UNDEFINED`` by ``is``, or ask `kind` or `is_nullish`.
"""

import sys

ON_CPYTHON = sys.implementation.name == "cpython" and sys.platform != "emscripten"

if ON_CPYTHON:
    from . import cpython as _port
else:
    from . import browser as _port  # type: ignore[no-redef]

UNDEFINED = _port.UNDEFINED
NULL = _port.NULL

# Asking about a value
is_javascript = _port.is_javascript
kind = _port.kind
tag = _port.tag
is_nullish = _port.is_nullish
is_plain = _port.is_plain
truthy = _port.truthy
same = _port.same
text = _port.text
to_number = _port.to_number

# Objects and arrays
make_object = _port.make_object
# The same from keyword arguments, in one crossing: what `get` gives, and small whole numbers.
record = _port.record
make_array = _port.make_array
keys = _port.keys
get = _port.get
safe_get = _port.safe_get
safe_put = _port.safe_put
has = _port.has
put = _port.put
delete = _port.delete
copy = _port.copy
# Cheaper, for plain objects that we made ourselves: nothing of theirs can throw.
assign = _port.assign
duplicate = _port.duplicate
own_keys = _port.own_keys
own_tags = _port.own_tags
rename = _port.rename
items = _port.items

# Other values
make_date = _port.make_date
date_ms = _port.date_ms
clock = _port.clock
zone_offset_minutes = _port.zone_offset_minutes
to_json = _port.to_json
json_copy = _port.json_copy
json_size = _port.json_size
from_json = _port.from_json
to_base64 = _port.to_base64
from_base64 = _port.from_base64
lower = _port.lower
upper = _port.upper
trim = _port.trim
make_promise = _port.make_promise
resolved = _port.resolved
make_rejected = _port.make_rejected
make_function = _port.make_function
make_method = _port.make_method
callback = _port.callback
lazy = _port.lazy
use_helpers = _port.use_helpers

# Calling JavaScript
invoke = _port.invoke
ask = _port.ask
bound = _port.bound
call = _port.call
apply = _port.apply
construct = _port.construct
window = _port.window

from .python_values import from_python as from_python  # noqa: E402 (it uses the verbs above)
