"""Who the visitor is for RudderStack: ids, traits, session and first referrer, and their storage."""

from __future__ import annotations

from ....runtime import NULL, UNDEFINED, is_nullish, is_plain, keys, lower, make_object, raw_get, truthy, type_of
from . import storage
from .options import COOKIE, LOCAL, MEMORY, NONE, is_count
from .options import SESSION as SESSION_AREA
from .urls import referring_domain
from .values import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....contracts import Value
    from ...page import Page
    from .options import LoadOptions

USER_ID, USER_TRAITS, ANONYMOUS_ID = "userId", "userTraits", "anonymousId"
GROUP_ID, GROUP_TRAITS = "groupId", "groupTraits"
REFERRER, REFERRING_DOMAIN = "initialReferrer", "initialReferringDomain"
SESSION, AUTH_TOKEN = "sessionInfo", "authToken"

ENTRIES = (
    (USER_ID, "rl_user_id"),
    (USER_TRAITS, "rl_trait"),
    (ANONYMOUS_ID, "rl_anonymous_id"),
    (GROUP_ID, "rl_group_id"),
    (GROUP_TRAITS, "rl_group_trait"),
    (REFERRER, "rl_page_init_referrer"),
    (REFERRING_DOMAIN, "rl_page_init_referring_domain"),
    (SESSION, "rl_session"),
    (AUTH_TOKEN, "rl_auth_token"),
)
_KEYS = dict(ENTRIES)
_KEPT_ON_RESET = (ANONYMOUS_ID, REFERRER, REFERRING_DOMAIN)
_SESSION_FIELDS = ("id", "expiresAt", "timeout", "autoTrack", "manualTrack", "sessionStart")
_SESSION_REFRESH = 1000
"""Milliseconds for which a session that only grew older is neither written nor read again."""


def _empty(entry: str) -> Value:
    if entry in (USER_TRAITS, GROUP_TRAITS):
        return make_object()
    return NULL if entry == AUTH_TOKEN else ""


class Visitor:
    """The visitor of one page. Values are port values; the session is a dict of plain ones."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.values = {entry: _empty(entry) for entry, _ in ENTRIES if entry != SESSION}
        self.session: dict[str, Any] = {}
        self.areas: dict[str, str] = {}
        self._stores: storage.Stores = None  # type: ignore[assignment]  # until `open`
        self._options: LoadOptions = None  # type: ignore[assignment]  # likewise
        self._settled = False
        self._session_seen: float = 0

    # Beginning, and beginning anew once the visitor has consented

    def open(self, options: LoadOptions) -> None:
        """Take the load options. What is to be stored waits for `keep`: that takes browsers long."""
        self._settled = False
        self._options = options
        self._stores = storage.Stores(self.page, options)
        self._stores.hold()

    def keep(self) -> None:
        """Store what has changed since `open`, and from now on at once."""
        if self._stores is not None:
            self._stores.release()

    def settle(self, areas: dict[str, str], at_once: bool = True) -> None:
        """Keep each entry in its area of ``areas`` from now on, and take over what is stored.

        When that changes, what is known goes first: an area that comes to hold an entry forgets the one it held. Not so
        (``at_once=False``) in calls made before load, because there the vendor writes at the end.
        """
        stores = self._stores
        self.areas = {entry: stores.resolved(areas[entry]) for entry, _ in ENTRIES}
        if self._settled and at_once:
            self._save_all()
        at_hand = self._at_hand()
        if self._options.migrates:
            for area, keys_ in at_hand:
                for key in keys_:
                    stores.migrate(area, key)
        self._gather(at_hand)
        self.set_user_id(self._stored(USER_ID))
        self.set_traits(USER_TRAITS, self._stored(USER_TRAITS))
        self._set(GROUP_ID, self._stored(GROUP_ID))
        self.set_traits(GROUP_TRAITS, self._stored(GROUP_TRAITS))
        external = NULL
        if self._options.anonymous_id_cookie:
            external = self._foreign(COOKIE, self._options.anonymous_id_cookie)
        self.set_anonymous_id(self.anonymous_id(self._options.anonymous_id_options) if external is NULL else external)
        self._set(AUTH_TOKEN, self._stored(AUTH_TOKEN))
        self._settle_referrer()
        self._settle_session()
        if not (self._settled and at_once):
            self._settled = True
            self._save_all()

    def _save_all(self) -> None:
        for entry in self.values:
            self._save(entry)
        self._save_session()

    def _gather(self, at_hand: Any) -> None:
        """Bring what lies in other areas into the area of its entry; the last one that has it wins."""
        for entry, key in ENTRIES:
            home = self.areas[entry]
            if home == NONE:
                continue
            for area, keys_ in at_hand:
                if area != home and key in keys_:
                    value = self._stores.read(area, key)
                    if value is not NULL and value != "":
                        self._stores.write(home, key, value)
                    self._stores.remove(area, key)

    def _at_hand(self) -> Value:
        """The areas that the page lets us have, each with our keys that stand there."""
        areas = [area for area in (COOKIE, LOCAL, SESSION_AREA) if self._stores.has(area)]
        return [(area, [key for key in self._stores.keys(area) if key in _KEYS.values()]) for area in areas]

    def _settle_referrer(self) -> None:
        referrer, domain = self._stored(REFERRER), self._stored(REFERRING_DOMAIN)
        if not (truthy(referrer) and truthy(domain)):
            if not truthy(referrer):
                referrer = self.page.said("referrer") or "$direct"
            domain = referring_domain(referrer)
        self._set(REFERRER, referrer)
        self._set(REFERRING_DOMAIN, domain)

    # Single values

    def keeps(self, entry: str) -> bool:
        """Whether there is anywhere to keep ``entry``."""
        return self.areas.get(entry, NONE) != NONE

    def _stored(self, entry: str) -> Value:
        if not self.keeps(entry):
            return NULL
        return self._stores.read(self.areas[entry], _KEYS[entry])

    def _set(self, entry: str, value: Value) -> None:
        value = value if self.keeps(entry) and truthy(value) else _empty(entry)
        changed = keys(self.values[entry]) if is_plain(value) else value != self.values[entry]
        self.values[entry] = value
        if changed:
            self._save(entry)

    def _save(self, entry: str) -> None:
        if not self._settled or not self.keeps(entry):
            return
        value = self.values[entry]
        if (type_of(value) == "string" and value) or (is_plain(value) and keys(value)):
            self._stores.write(self.areas[entry], _KEYS[entry], value)
        else:
            self._stores.remove(self.areas[entry], _KEYS[entry])

    def set_user_id(self, value: Value) -> None:
        """Another user id; what JavaScript takes for false forgets it."""
        self._set(USER_ID, value)

    def set_group_id(self, value: Value) -> None:
        """Another group id, likewise."""
        self._set(GROUP_ID, value)

    def set_auth_token(self, value: Value) -> None:
        """Another token, likewise. FullStory has no use for it; it is stored for the vendor's SDK."""
        self._set(AUTH_TOKEN, value)

    def set_traits(self, entry: str, traits: Value) -> None:
        """Merge ``traits`` into the known ones; what is no plain object forgets them."""
        if self.keeps(entry) and is_plain(traits):
            self.values[entry] = merged(self.values[entry], traits)
            self._save(entry)
        else:
            self._set(entry, UNDEFINED)

    def set_anonymous_id(self, value: Value) -> None:
        """Another anonymous id, a new one where ``value`` is none."""
        if type_of(value) != "string" or not value:
            value = self.page.uuid()
        self._set(ANONYMOUS_ID, value)

    def anonymous_id(self, options: Value = None) -> Value:
        """The anonymous id, made on first need; empty where it can't be kept. ``options``: where else to look."""
        if not self.keeps(ANONYMOUS_ID):
            return self.values[ANONYMOUS_ID]
        value = self.values[ANONYMOUS_ID]
        if not truthy(value):
            value = self._stored(ANONYMOUS_ID)
            if not truthy(value):
                value = self._captured(options)
            if not truthy(value):
                value = self.page.uuid()
            self._set(ANONYMOUS_ID, value)
        return value

    def _captured(self, options: Value) -> Value:
        capture = options.get("autoCapture") if isinstance(options, dict) else None
        if not isinstance(capture, dict) or not capture.get("enabled"):
            return NULL
        if lower(str(capture.get("source"))) != "segment" or not self._options.has_plugin("ExternalAnonymousId"):
            return NULL
        value = self._foreign(LOCAL, "ajs_anonymous_id")
        return value if truthy(value) else self._foreign(COOKIE, "ajs_anonymous_id")

    def _foreign(self, area: str, key: str) -> Value:
        """What another script keeps."""
        return self._stores.raw(area, key) if self._stores.has(area) else NULL

    def event_anonymous_id(self) -> Value:
        """The anonymous id of an event: where none can be kept, each event has its own."""
        return self.values[ANONYMOUS_ID] if self.keeps(ANONYMOUS_ID) else self.page.uuid()

    def reset(self, options: Value = UNDEFINED) -> None:
        """Forget the visitor, all but the anonymous id and the first referrer unless ``options`` say otherwise."""
        chosen = {entry: entry not in _KEPT_ON_RESET for entry, _ in ENTRIES}
        if type_of(options) == "boolean":
            chosen[ANONYMOUS_ID] = options
        wanted = raw_get(options, "entries") if is_plain(options) else UNDEFINED
        if is_plain(wanted):
            for entry in keys(wanted):
                if entry in chosen and type_of(raw_get(wanted, entry)) == "boolean":
                    chosen[entry] = raw_get(wanted, entry)
        for entry, _ in ENTRIES:
            if not chosen[entry]:
                continue
            if entry == ANONYMOUS_ID:
                self.set_anonymous_id(UNDEFINED)
            elif entry == SESSION:
                self._renew_session()
            else:
                self._set(entry, UNDEFINED)

    def forget(self) -> None:
        """Remove all that lies under our keys, and know nobody until `settle`."""
        self.values = {entry: _empty(entry) for entry, _ in ENTRIES if entry != SESSION}
        self.session = {}
        if self._stores is None:
            return
        self._settled = False
        for area in (COOKIE, LOCAL, SESSION_AREA, MEMORY):
            for _, key in ENTRIES:
                self._stores.remove(area, key)

    # Sessions

    def _settle_session(self) -> None:
        self.session = {}
        if not self.keeps(SESSION):
            return
        known, options = self._stored_session(), self._options
        manual = known.get("manualTrack") is True
        if manual or options.session_auto:
            known["autoTrack"] = options.session_auto and not manual
            known["timeout"] = options.session_timeout
            before = known.pop("cutOff", {})
            if options.session_cut_off is not None:
                expiry = before.get("expiresAt")
                known["cutOff"] = {"enabled": True, "duration": options.session_cut_off, "expiresAt": expiry}
            self.session = known
            if known["autoTrack"]:
                self._extend_session(self.page.now())
        self._save_session()

    def _stored_session(self) -> dict[str, Any]:
        """The stored session as plain data."""
        found = self._stored(SESSION)
        session = {}
        if is_plain(found):
            for name in _SESSION_FIELDS:
                if not is_nullish(raw_get(found, name)):
                    session[name] = raw_get(found, name)
            cut_off = raw_get(found, "cutOff")
            if is_plain(cut_off):
                session["cutOff"] = {name: raw_get(cut_off, name) for name in keys(cut_off)}
        return session

    def _save_session(self) -> None:
        if not self._settled or not self.keeps(SESSION):
            return
        if not self.session:
            self._stores.remove(self.areas[SESSION], _KEYS[SESSION])
            return
        pairs = [(name, self.session[name]) for name in _SESSION_FIELDS if self.session.get(name) is not None]
        cut_off = self.session.get("cutOff")
        if cut_off:
            pairs.append(("cutOff", make_object([pair for pair in cut_off.items() if pair[1] is not None])))
        self._stores.write(self.areas[SESSION], _KEYS[SESSION], make_object(pairs))

    def _session_is_over(self, now: float) -> bool:
        session = self.session
        expiry = session.get("expiresAt")
        return not expiry or now > expiry or self._cut_off_is_over(now)

    def _cut_off_is_over(self, now: float) -> bool:
        cut_off = self.session.get("cutOff") or {}
        return bool(cut_off.get("enabled") and cut_off.get("expiresAt") and now > cut_off["expiresAt"])

    def _extend_session(self, now: float) -> None:
        """Let the automatic session live on, or begin another one when its time is over."""
        old = self.session
        if self._session_is_over(now):
            self.session = {"id": now, "timeout": old["timeout"], "autoTrack": True}
            if old.get("cutOff"):
                self.session["cutOff"] = old["cutOff"]
        self.session["expiresAt"] = now + self.session["timeout"]
        cut_off = self.session.get("cutOff")
        if cut_off and cut_off.get("enabled") and (self._cut_off_is_over(now) or not cut_off.get("expiresAt")):
            cut_off["expiresAt"] = now + cut_off["duration"]

    def refresh_session(self) -> None:
        """Note an event: its session lives on. Other tabs share the session, so it is read again now and then."""
        if not self.keeps(SESSION):
            self.session = {}
            return
        now = self.page.now()
        is_due = now >= self._session_seen + _SESSION_REFRESH
        if is_due:
            self.session = self._stored_session()
        session = self.session
        if not (session.get("autoTrack") or session.get("manualTrack")):
            return
        if session.get("autoTrack"):
            self._extend_session(now)
            session = self.session
        before = session.get("sessionStart")
        session["sessionStart"] = before is None
        if is_due or session["sessionStart"] is not before:
            self._session_seen = now
            self._save_session()

    def _renew_session(self) -> None:
        session = self.session
        if session.get("autoTrack"):
            self.session = {"timeout": session["timeout"], "autoTrack": True}
            if session.get("cutOff"):
                cut_off = session["cutOff"]
                self.session["cutOff"] = {"enabled": cut_off.get("enabled"), "duration": cut_off.get("duration")}
            self._extend_session(self.page.now())
        elif session.get("manualTrack"):
            self.session = {"id": self.page.now(), "manualTrack": True}
        self._save_session()

    def start_session(self, session_id: Value = UNDEFINED) -> None:
        """A session that the page ends itself. An id is a whole number of at least ten digits."""
        valid = type_of(session_id) == "number" and is_count(session_id) and session_id >= 1000000000
        self.session = {"id": session_id if valid else self.page.now(), "manualTrack": True}
        self._save_session()

    def end_session(self) -> None:
        """End the session. No event begins another one, until the page does."""
        self.session = {}
        self._save_session()

    def session_id(self) -> Value:
        """The id of the session that is on, NULL when none is."""
        session = self.session
        if session.get("manualTrack") or (session.get("autoTrack") and not self._session_is_over(self.page.now())):
            return session.get("id", NULL)
        return NULL
