"""The pure functions that have recordings, callable on every interpreter: port values in, one port object out.

It holds ``value``, or ``error`` (the exception's classes among `CLASSES`), ``errors`` (its texts) and ``phase``.
"""

try:
    from collections.abc import Callable
    from typing import Any
except ImportError:  # MicroPython has neither, and doesn't look at annotations
    pass

from fsbridge.mapping.camelcase import classic
from fsbridge.mapping.errors import AggregateError, MappingError, ValidationError
from fsbridge.mapping.fql import FqlError, parse
from fsbridge.mapping.lodash import actions, camel_case
from fsbridge.mapping.resolving import resolve, resolve_batch
from fsbridge.mapping.validation import validate
from fsbridge.mapping.words import rudder
from fsbridge.runtime import JsError, make_array, make_object, raw_get, raw_has

CLASSES = (
    ("ValidationError", ValidationError),
    ("AggregateError", AggregateError),
    ("MappingError", MappingError),
    ("FqlError", FqlError),
    ("TypeError", TypeError),
    ("AttributeError", AttributeError),
    ("JsError", JsError),
)

CASINGS = {
    "camelcase-classic": classic,
    "camelcase-rudder": rudder,
    "camelcase-lodash": actions,
    "lodash": camel_case,
}


def mapping(asked: Any) -> Any:
    """A recording of the mapping kit: ``function``, ``mapping``, ``payload``."""
    function = raw_get(asked, "function")
    given = [raw_get(asked, "payload")] if raw_has(asked, "payload") else []

    def run() -> Any:
        if function == "validate":
            validate(raw_get(asked, "mapping"))
            return make_object((("valid", True),))
        return (resolve_batch if function == "transformBatch" else resolve)(raw_get(asked, "mapping"), *given)

    return _outcome(run, "run")


def subscription(asked: Any) -> Any:
    """A recording of FQL: ``subscribe``, ``event``."""
    found: list[Any] = []
    outcome = _outcome(lambda: found.append(parse(raw_get(asked, "subscribe"))), "parse")
    return _outcome(lambda: found[0].matches(raw_get(asked, "event")), "run") if found else outcome


def name(asked: Any) -> Any:
    """A recording of a camel-casing: ``function``, ``input``."""
    return _outcome(lambda: CASINGS[raw_get(asked, "function")](raw_get(asked, "input")), "run")


def _outcome(run: Callable[[], Any], phase: str) -> Any:
    try:
        return make_object((("value", run()),))
    except Exception as error:
        classes = [name for name, class_ in CLASSES if isinstance(error, class_)]
        texts = getattr(error, "errors", None) or [str(error)]
        return make_object((("error", make_array(classes)), ("errors", make_array(texts)), ("phase", phase)))
