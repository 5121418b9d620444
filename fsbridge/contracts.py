"""What the rooms owe one another: a source yields messages, a destination's plugins turn them into calls on FullStory.

Values of the page are port values (see `fsbridge.runtime`): type checkers know them as ``Value``, and by what they hold
as ``Message`` (an object in the terms of the Segment spec) and ``Args`` (an array of a call's arguments).
"""

from __future__ import annotations

from . import fullstory_options
from .messages import installs
from .runtime import UNDEFINED, raw_get
from .settings import is_org

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from .runtime import Value as Value
    from .settings import Setting

    Message = Any
    Args = Any
    Place = tuple[str, str, str, str | None]
    Report = Callable[[str], None]
    """Takes what went wrong without harm, as a sentence for the console."""
    Performing = Callable[[str, Args, "Moment | None"], Value]

    class Plugin(Protocol):
        """An integration of a vendor: a destination has one or, as Segment's Actions do, one for each action."""

        @property
        def integration(self) -> str:
            """The name by which ``integrations`` filters know it."""

        @property
        def alternative(self) -> str:
            """Another name by which they know it, or an empty one."""

        @property
        def types(self) -> Sequence[str]:
            """The types of messages that it makes calls of."""

        def calls(self, message: Message, report: Report) -> Sequence[Any]:
            """The `Call`s (on a server: requests) of a message. ``report`` hears of mappings that fail on it."""


MAX_WAITING = 1000
"""How many messages, or calls, wait in a source at most, for middleware, a page's decision, an SDK: the newest."""


class Call:
    """``FS.<method>(*args)``, or ``FS(*args)`` when ``method`` is empty. ``args`` are port values."""

    def __init__(self, method: str, args: list[Value]) -> None:
        self.method = method
        self.args = args

    @property
    def name(self) -> str:
        """As a developer writes it: "FS" or "FS.identify"."""
        return "FS." + self.method if self.method else "FS"

    @property
    def of_page(self) -> bool:
        """Whether it sets page properties, which mean nothing on another page."""
        if self.method == "setVars":
            return bool(self.args and self.args[0] == "page")
        is_setting = not self.method and len(self.args) > 1 and self.args[0] in ("setProperties", "setPropertiesAsync")
        return is_setting and raw_get(self.args[1], "type") == "page"

    def __repr__(self) -> str:
        return "%s(%s)" % (self.name, ", ".join([repr(arg) for arg in self.args]))


class Destination:
    """One vendor's integration with its settings. Nothing changes it, and all that it does follows from its settings.

    A class of destinations says what it is called (``name``), whose API it belongs to (``source``), under which setting
    its vendor keeps the org id (``org``), its ``settings`` (``own`` are the vendor's among them, the rest FullStory's
    options), and keys of the vendor's settings documents that mean nothing here (``ignored``). ``options`` are the
    settings as `fsbridge.settings.check` returns them.
    """

    name = ""
    source = ""
    org = ""
    own: tuple[Setting, ...] = ()
    settings: tuple[Setting, ...] = ()
    ignored: tuple[str, ...] = ()
    integration = ""
    plugins: Sequence[Plugin] = ()

    def __init__(self, options: dict[str, Value]) -> None:
        self.options = options

    @classmethod
    def names(cls) -> list[str]:
        """The name by which ``integrations`` know it by default, and an alternative one for each plugin it may have."""
        return [cls.integration]

    def configured(self, load_options: Value, report: Report) -> Destination:
        """The destination to use with these options of ``analytics.load``: itself, unless they say something of it.

        What is wrong in them is reported.
        """
        return self

    def installed(self, integrations: Value) -> bool:
        """Whether ``integrations`` in the options of ``analytics.load`` let it be set up at all."""
        return installs(integrations, self.integration)

    def problems(self) -> list[str]:
        """What is wrong with the settings that only shows later, a text each."""
        found = fullstory_options.problems(self.options)
        org = self.options.get(self.org, "")
        if isinstance(org, str) and not is_org(org):
            said = "setting %r is %r, and FullStory's org ids look like o-1ABC-na1: nothing may arrive"
            found.append(said % (self.org, org))
        return found

    def configurations(self) -> list[dict[str, Any]] | None:
        """What RudderStack's source configuration says of it, as plain data; None where it is no RudderStack's."""
        return None

    def fullstory(self) -> dict[str, Any]:
        """The options of `fsbridge.browser.fullstory.FullStory`."""
        return {}


class Moment:
    """Where and when a call was made: ``place`` is ``(url, title, referrer, canonical)``, ``time`` in milliseconds.

    ``canonical`` is the href of such a link, or None. ``carried`` means: on an earlier page, which was left before
    FullStory got it. ``note(text)`` hears "begun" and "done" of a call that waited, when it is performed.
    """

    def __init__(
        self, place: Place, time: float, carried: bool = False, note: Callable[[str], None] | None = None
    ) -> None:
        self.note = note
        self.place = place
        self.time = time
        self.carried = carried

    @property
    def url(self) -> str:
        """The page's address, with its query and fragment."""
        return self.place[0]

    @property
    def title(self) -> str:
        """The page's title."""
        return self.place[1]

    @property
    def referrer(self) -> str:
        """Where the visitor came from; empty where that isn't known."""
        return self.place[2]

    @property
    def canonical(self) -> str | None:
        """The address in the page's canonical link; None where there is none."""
        return self.place[3]


class Source:
    """The API of a vendor's SDK over one page: it turns the page's calls into messages for a destination.

    A class of sources says what it is called (``api``) and by which global pages know it (``global_name``), which
    ``methods`` it has, and which of the vendor's it has for show (``unsupported``): those do nothing.

    Made with ``(page, destination, deliver, report, begin, version)``. ``deliver(message, plugin)`` takes each finished
    message for each plugin of the destination that may have it; ``report(text)`` takes what went wrong without harm;
    ``begin(destination)`` is called once, when the destination is to be set up, with the one to use from then on.
    """

    api = ""
    global_name = ""
    methods: list[str] = []
    unsupported: list[str] = []
    answering: Sequence[str] = ()
    """Methods whose results pages use: not there before we are."""
    debugging = False
    """Whether the page asked for help on the console."""
    public: Value = UNDEFINED
    """The object that the page knows as this API, if there is one: see `appear_as`."""

    def appear_as(self, public: Value) -> None:
        """Take ``public`` for the object that the page knows as this API."""
        self.public = public

    def call(self, method: str, args: Args, moment: Moment | None = None) -> Value:
        """Perform a method with an array of arguments; ``moment`` is when and where it was called, now if None.

        Returns what the page gets.
        """
        raise NotImplementedError

    def replay(self, calls: list[tuple[str, Args, Moment]], perform: Performing) -> list[Value]:
        """Perform with ``perform`` what a page called before we were there; returns what each call gives."""
        raise NotImplementedError

    def start_once(self) -> None:
        """Start with default options, unless the page has started it, or is waited for."""

    def hand_back(self) -> tuple[list[Message], list[tuple[str, Args, Moment]]]:
        """Give up what waits on its way: messages, and calls as `replay` takes them."""
        return [], []

    def forget(self) -> None:
        """The visitor doesn't agree any more: remove what is stored of them, and know nobody."""

    def renew(self) -> None:
        """The visitor agrees again, after `forget`: a visitor that nobody knows."""
