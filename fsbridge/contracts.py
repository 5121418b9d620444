"""What the rooms owe one another: a source yields messages, a destination's plugins turn them into calls on FullStory.

Values of the page are port values (see `fsbridge.runtime`): type checkers know them as ``Value``, and by what they hold
as ``Message`` (an object in the terms of the Segment spec) and ``Args`` (an array of a call's arguments).
"""

from .messages import installs
from .runtime import UNDEFINED, raw_get
from .settings import is_org

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from .settings import Setting

    Value = Any
    Message = Any
    Args = Any
    Place = tuple[str, str, str, str | None]
    Report = Callable[[str], None]
    """Takes what went wrong without harm, as a sentence for the console."""
    Performing = Callable[[str, Args, "Moment | None"], Value]

    class Plugin(Protocol):
        """One integration of a vendor, of which a destination has one or, as Segment's Actions do, one for each action.

        ``integration`` is the name by which ``integrations`` filters know it, ``alternative`` another one or empty;
        ``types`` are the types of messages that it makes calls of.
        """

        @property
        def integration(self) -> str: ...
        @property
        def alternative(self) -> str: ...
        @property
        def types(self) -> "Sequence[str]": ...

        def calls(self, message: Message, report: Report) -> "Sequence[Any]":
            """The `Call`s (on a server: requests) of a message. ``report`` hears of mappings that fail on it."""


class Call:
    """``FS.<method>(*args)``, or ``FS(*args)`` when ``method`` is empty. ``args`` are port values."""

    def __init__(self, method: str, args: "list[Value]") -> None:
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
    its vendor keeps the org id (``org``), its ``settings``, and keys of the vendor's settings documents that mean
    nothing here (``ignored``). ``options`` are the settings as `fsbridge.settings.check` returns them.
    """

    name = ""
    source = ""
    org = ""
    settings: "tuple[Setting, ...]" = ()
    ignored: "tuple[str, ...]" = ()
    integration = ""
    plugins: "Sequence[Plugin]" = ()

    def __init__(self, options: "dict[str, Value]") -> None:
        self.options = options

    def configured(self, load_options: "Value", report: "Report") -> "Destination":
        """The destination to use with these options of ``analytics.load``: itself, unless they say something of it.

        What is wrong in them is reported.
        """
        return self

    def installed(self, integrations: "Value") -> bool:
        """Whether ``integrations`` in the options of ``analytics.load`` let it be set up at all."""
        return installs(integrations, self.integration)

    def problems(self) -> "list[str]":
        """What is wrong with the settings that only shows later, a text each."""
        org = self.options.get(self.org, "")
        if not isinstance(org, str) or is_org(org):
            return []
        return ["setting %r is %r, and FullStory's org ids look like o-1ABC-na1: nothing may arrive" % (self.org, org)]

    def configurations(self) -> "list[dict[str, Any]] | None":
        """What RudderStack's source configuration says of it, as plain data; None where it is no RudderStack's."""
        return None

    def fullstory(self) -> "dict[str, Any]":
        """The options of `fsbridge.browser.fullstory.FullStory`."""
        return {}


class Moment:
    """Where and when a call was made: ``place`` is ``(url, title, referrer, canonical)``, ``time`` in milliseconds.

    ``canonical`` is the href of such a link, or None. ``carried`` means: on an earlier page, which was left before
    FullStory got it.
    """

    def __init__(self, place: "Place", time: float, carried: bool = False) -> None:
        self.place = place
        self.time = time
        self.carried = carried

    @property
    def url(self) -> str:
        return self.place[0]

    @property
    def title(self) -> str:
        return self.place[1]

    @property
    def referrer(self) -> str:
        return self.place[2]

    @property
    def canonical(self) -> "str | None":
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
    methods: "list[str]" = []
    unsupported: "list[str]" = []
    debugging = False
    """Whether the page asked for help on the console."""
    public: "Value" = UNDEFINED
    """The object that the page knows as this API, if there is one: see `appear_as`."""

    def appear_as(self, public: "Value") -> None:
        """Take ``public`` for the object that the page knows as this API."""
        self.public = public

    def call(self, method: str, args: "Args", moment: "Moment | None" = None) -> "Value":
        """Perform a method with an array of arguments; ``moment`` is when and where it was called, now if None.

        Returns what the page gets.
        """
        raise NotImplementedError

    def replay(self, calls: "list[tuple[str, Args, Moment]]", perform: "Performing") -> "list[Value]":
        """Perform with ``perform`` what a page called before we were there; returns what each call gives."""
        raise NotImplementedError

    def start_once(self) -> None:
        """Start with default options, unless the page has started it, or is waited for."""

    def hand_back(self) -> "tuple[list[Message], list[tuple[str, Args, Moment]]]":
        """Give up what waits on its way: messages, and calls as `replay` takes them."""
        return [], []
