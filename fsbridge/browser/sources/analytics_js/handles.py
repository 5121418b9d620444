"""The objects that ``analytics.user()`` and ``analytics.group()`` give."""

from __future__ import annotations

from ....runtime import UNDEFINED, make_function, make_object, raw_get, raw_put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ....contracts import Args, Value
    from .user import User


def handle(current: Callable[[], User], with_properties: bool) -> Value:
    """An object of the page with a visitor's methods; ``current()`` is whom it speaks of."""

    def traits(args: Args) -> Value:
        return current().traits(raw_get(args, 0))

    def identify(args: Args) -> Value:
        current().identify(raw_get(args, 0), raw_get(args, 1))
        return UNDEFINED

    def logout(args: Args) -> Value:
        current().logout()
        return UNDEFINED

    def reset(args: Args) -> Value:
        current().reset()
        return UNDEFINED

    methods: list[tuple[str, Callable[[Args], Value]]] = [
        ("id", lambda args: current().id(raw_get(args, 0))),
        ("anonymousId", lambda args: current().anonymous_id(raw_get(args, 0))),
        ("traits", traits),
        ("identify", identify),
        ("logout", logout),
        ("reset", reset),
        ("save", lambda args: True),
    ]
    if with_properties:
        methods.append(("properties", traits))
    handed_out = make_object([(name, make_function(body, name)) for name, body in methods])
    raw_put(handed_out, "load", make_function(lambda args: handed_out, "load"))
    return handed_out
