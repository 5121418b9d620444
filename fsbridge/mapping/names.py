"""Property names in camel case: what the ways of the vendors' integrations have in common.

All leave FullStory's type suffixes alone: of ``order_total_real`` only ``order_total`` is camel-cased. They run for
every property of every call, so finished names are kept, up to a bound. Each way is a module of its own, of which a
destination needs one: `camelcase`, `words`, `lodash`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[[str], str]

SUFFIXES = ("str", "int", "date", "real", "bool", "strs", "ints", "dates", "reals", "bools")

_MAX_KEPT = 500


def rule(camel_case: Rule) -> Rule:
    """``camel_case`` made to leave type suffixes alone and to remember names."""
    kept: dict[str, str] = {}

    def name_in_camel_case(name: str) -> str:
        result = kept.get(name)
        if result is None:
            stem, _, suffix = name.rpartition("_")
            if suffix in SUFFIXES and len(suffix) < len(name):
                result = camel_case(stem) + "_" + suffix
            else:
                result = camel_case(name)
            if len(kept) >= _MAX_KEPT:
                kept.clear()
            kept[name] = result
        return result

    return name_in_camel_case
