"""How rudderanalytics begins: ``load``, consent, and the calls that waited for them."""

from __future__ import annotations

from ....runtime import UNDEFINED, keys, make_object, raw_get, type_of
from . import targets, urls, visitor
from .consent import Consent
from .options import COOKIE, NONE, LoadOptions, entry_area, integrations_of
from .values import plain_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from ....contracts import Destination, Moment, Report, Value
    from ...page import Page
    from .crossdomain import CrossDomain
    from .sending import Sender

    Taken = list[Value]
    """A call's arguments, copied and filled up: see `filled`."""
    Waiting = tuple[str, Taken, Moment]
    """A call that waits: its method, its arguments, and when and where it was made."""

    class Api(Protocol):
        """What a load sets up: the source, see `RudderAnalytics`."""

        page: Page
        report: Report
        global_name: str
        debugging: bool
        visitor: visitor.Visitor
        sender: Sender

        def perform(self, method: str, args: Taken, moment: Moment) -> None:
            """Perform a call at once."""


CONSENT_EVENT = "Consent Management Interaction"
HELD = (
    "ready page track identify alias group reset setAnonymousId startSession endSession consent "
    "setCustomContext clearCustomContext"
).split()
"""Methods whose calls wait for load; the others answer at once."""


class Loader:
    """Begins on behalf of ``api``; ``begin(destination)`` is called once a destination is to be set up.

    ``started``: there are options, those of ``load`` or none. ``loaded``: what was called before has been performed.
    ``replaced``: there was a load with another write key, whose instance has the page's calls from then on.
    """

    def __init__(self, api: Api, destination: Destination, begin: Callable[[Destination], None]) -> None:
        self.started = self.loaded = self.replaced = False
        self._api = api
        self._destination = destination
        self._begin = begin
        self._begun = False
        self._options = LoadOptions(UNDEFINED)
        self._consent = Consent(api.page, self._options)
        self._integrations: dict[str, Any] = {}
        self._cross_domain: CrossDomain | None = None
        self._write_key: Value = None
        self._early: list[Waiting] = []  # calls before load
        self._replayed: list[Waiting] = []  # calls from before we were there
        self._current_queue: list[Waiting] | None = None  # the one of them that is being performed

    def load(self, args: Taken) -> None:
        """``load(writeKey, dataPlaneUrl, options)``, of which the first counts."""
        key, address, options = args[:3]
        if self._write_key is not None:
            if key != self._write_key:
                self.replaced = True
                self._api.report("rudderanalytics.load with a second write key: calls from here on are lost")
        elif type_of(key) != "string" or not key.strip() or not _is_address(address):
            self._api.report("rudderanalytics.load needs a write key and a data plane URL")
        else:
            self._write_key = key
            self.start(options)

    def hold(self, method: str, args: Taken, moment: Moment) -> None:
        """Keep a call until there is a load."""
        self._early.append((method, args, moment))

    def hold_replayed(self, calls: list[Waiting]) -> None:
        """Keep calls from before we were there. As with the vendor's own snippet ``consent`` goes first."""
        self._replayed.extend([waiting for waiting in calls if waiting[0] == "consent"])
        self._replayed.extend([waiting for waiting in calls if waiting[0] != "consent"])

    def start(self, options: Value) -> None:
        """Begin with the options of ``load``: identity, consent, what was called before."""
        api, again = self._api, self.started
        self._options = LoadOptions(options)
        self.started = True
        api.debugging = raw_get(options, "logLevel") == "DEBUG"
        self._consent = Consent(api.page, self._options)
        try:
            api.sender.add_context(self._options.context)
        except Exception as error:
            api.report("rudderanalytics.load: its context is not taken: %s" % error)
        self._choose_integrations()
        api.visitor.open(self._options)
        try:
            api.visitor.settle(self._areas())
            if again:
                api.sender.hold()
            self.loaded = True
            self._perform_queue(self._early)
            if not again:
                self._query_string()
            self._perform_queue(self._replayed)
            if not self._consent.pending:
                self._open()
        finally:
            api.visitor.keep()
        if type_of(self._options.on_loaded) == "function":
            api.sender.call_back(self._options.on_loaded, api.page.global_(api.global_name))

    def renew(self) -> None:
        """Know the visitor anew, after all has been forgotten."""
        if self.loaded:
            self._api.visitor.settle(self._areas())

    def _choose_integrations(self) -> None:
        """Which integrations count: those of consent, else those of load; messages carry them where load says so."""
        chosen = self._consent.integrations
        self._integrations = self._options.integrations if chosen is None else chosen
        self._api.sender.integrations = self._integrations if self._options.integrations_for_events else None

    def _perform_queue(self, queue: list[Waiting]) -> None:
        """Perform the calls of ``queue``; more may come while it lasts."""
        self._current_queue = queue
        while queue:
            method, args, moment = queue.pop(0)
            try:
                self._api.perform(method, args, moment)
            except Exception as error:
                self._api.report("rudderanalytics.%s: %s" % (method, error))
        self._current_queue = None

    def _areas(self) -> dict[str, str]:
        """Where each entry of the visitor is kept, given options and consent."""
        options, consent = self._options, self._consent
        kind, entries = options.storage_type, options.storage_entries
        if isinstance(consent.storage, dict) and ("type" in consent.storage or "entries" in consent.storage):
            kind, entries = consent.storage.get("type"), consent.storage.get("entries")
        default = NONE if consent.pending and consent.strategy is None else COOKIE
        areas = {entry: entry_area(entry, kind, entries, default) for entry, _ in visitor.ENTRIES}
        if consent.pending and consent.strategy is not None:
            kept = {"session": visitor.SESSION, "anonymousId": visitor.ANONYMOUS_ID}.get(consent.strategy)
            areas = {entry: area if entry == kept else NONE for entry, area in areas.items()}
        return areas

    def _open(self) -> None:
        """Decide which destinations there are, and let them have what was held for them."""
        if self._api.sender.holds:
            found = targets.configurations(self._destination)
            self._api.sender.release(targets.active(found, self._options, self._consent), self._set_up)

    def _set_up(self) -> None:
        if not self._begun:
            self._begun = True
            self._begin(self._destination)
        own = self._integrations.get(targets.DISPLAY_NAME) or self._integrations.get("FULLSTORY")
        if self._cross_domain is None and isinstance(own, dict) and own.get("crossDomainSupport") is True:
            from .crossdomain import CrossDomain  # late: hardly any page needs it

            self._cross_domain = CrossDomain(self._api.page, own, self._api.sender.deliver_to_all)
            self._cross_domain.start()

    def _query_string(self) -> None:
        """The calls that ``ajs_`` parameters of the page's address ask for."""
        moment = self._api.page.moment()
        url = moment.url.split("#", 1)[0]
        if "ajs_" not in url:
            return
        pairs = urls.query_pairs(url.partition("?")[2])
        first: dict[str, str] = {}
        for name, value in pairs:
            first.setdefault(name, value)

        def prefixed(prefix: str) -> Value:
            return make_object([(name[len(prefix) :], first[name]) for name, _ in pairs if name.startswith(prefix)])

        traits, user_id = prefixed("ajs_trait_"), first.get("ajs_uid")
        if first.get("ajs_aid"):
            self._api.visitor.set_anonymous_id(first["ajs_aid"])
        if user_id:
            self._api.perform("identify", filled(user_id, traits), moment)
        elif keys(traits):
            self._api.perform("identify", filled(traits), moment)
        if first.get("ajs_event"):
            self._api.perform("track", filled(first["ajs_event"], prefixed("ajs_prop_")), moment)

    def consent(self, args: Taken, moment: Moment) -> None:
        """``consent(options)``: what the visitor decided."""
        visitor_, sender = self._api.visitor, self._api.sender
        given = plain_data(args[0])
        buffered = self._consent.buffers
        self._consent.decide(given, integrations_of(raw_get(args[0], "integrations")))
        self._choose_integrations()
        visitor_.keep()  # settling looks at what lies where
        visitor_.settle(self._areas(), self._current_queue is None)
        if buffered and sender.holds and given.get("discardPreConsentEvents") is True:
            sender.drop_held()
        self._open()
        for wanted, method, call_args in (("trackConsent", "track", (CONSENT_EVENT,)), ("sendPageEvent", "page", ())):
            if given.get(wanted) is not True:
                continue
            if self._current_queue is None:
                self._api.perform(method, filled(*call_args), moment)
            else:
                self._current_queue.append((method, filled(*call_args), moment))


def filled(*given: Value) -> Taken:
    """A call's arguments, filled up."""
    return list(given) + [UNDEFINED] * (5 - len(given))


def _is_address(value: Value) -> bool:
    """Whether the data plane URL that a page gives is one."""
    if type_of(value) != "string":
        return False
    url = urls.parse(value)
    host = url.host.split(":", 1)[0] if url else ""
    return url is not None and url.origin.startswith("http") and ("." in host or host == "localhost")
