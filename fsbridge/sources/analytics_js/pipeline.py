"""From message to destination, in order: tracking plan, source middleware and plugins, filters, destination middleware.

A middleware may be slow: then later messages wait their turn. One that throws, or that takes longer than
``PATIENCE`` milliseconds, is skipped and reported, and the message goes on.
"""

from ...runtime import (
    NULL,
    UNDEFINED,
    call,
    get,
    invoke,
    is_nullish,
    is_plain,
    kind,
    lower,
    make_function,
    make_object,
    truthy,
)
from .facade import Facades

PATIENCE = 10_000
LIMIT = 1000


def allows(integrations, name, alternative):
    """Whether ``integrations`` of a message lets a destination have it.

    The destination's own name counts most, then its alternative name; without either, ``All`` unless strictly false.
    """
    for own in (name, alternative):
        verdict = get(integrations, own) if own else UNDEFINED
        if not is_nullish(verdict):
            return truthy(verdict)
    return get(integrations, "All") is not False


class Pipeline:
    """Carries messages, one after the other. ``deliver(message, plugin)`` takes each for each plugin it may go to."""

    def __init__(self, page, deliver, report):
        self.page = page
        self.plugins = ()
        self.deliver = deliver
        self.report = report
        self.steps = []
        self.destination_steps = []
        self.workspace = None
        self._waiting = []
        self._work = None
        self._facades = Facades()
        self._turn = 0
        # One function of each kind for good: JavaScript would keep one made for every message.
        self._next = make_function(self._on_next, "next")
        self._fulfilled = make_function(lambda args: self._settled(UNDEFINED), "fulfilled")
        self._rejected = make_function(lambda args: self._settled(get(args, 0), True), "rejected")
        self._overdue = make_function(self._on_overdue, "overdue")

    def install(self, plugins):
        """Deliver to these plugins from now on."""
        self.plugins = plugins
        self.destination_steps = [[] for _ in plugins]

    def add_source_middleware(self, function):
        self.steps.append(("middleware", function))

    def add_plugin(self, plugin):
        """A plugin of type "before" or "enrichment" with methods per message type."""
        if get(plugin, "type") in ("before", "enrichment"):
            self.steps.append(("plugin", plugin))

    def add_destination_middleware(self, name, functions):
        for plugin, steps in zip(self.plugins, self.destination_steps):
            if name == "*" or lower(name) == lower(plugin.integration):
                steps.extend(functions)

    def send(self, message, done):
        """Carry ``message`` through; ``done(message or None)`` follows when all destinations have had it."""
        if self._work is None:
            if self.steps or self.workspace is not None or any(self.destination_steps):
                self._run(self._carry(message, done))
                return
            integrations = get(message, "integrations")
            for plugin in self.plugins:
                if allows(integrations, plugin.integration, plugin.alternative):
                    self.deliver(message, plugin)
            done(message)
            return
        if len(self._waiting) >= LIMIT:
            self.report("a middleware holds up more than %d messages: the oldest is dropped" % LIMIT)
            self._waiting.pop(0)
        self._waiting.append((message, done))

    # A message's way is a generator that yields each promise to wait for; with none it runs through at once.

    def _run(self, work):
        self._work = work
        while self._work is not None:
            try:
                promise = next(self._work)
            except StopIteration:
                self._work = None
                if self._waiting:
                    self._work = self._carry(*self._waiting.pop(0))
                continue
            self._turn += 1
            invoke(promise, "then", self._fulfilled, self._rejected)
            self.page.later_with(self._overdue, PATIENCE, self._turn)
            return

    def _settled(self, error, failed=False):
        work, self._work = self._work, None
        if work is None:
            return
        if failed:
            self._failure = error
        self._turn += 1
        self._run(work)

    def _on_overdue(self, args):
        if self._work is not None and get(args, 0) == self._turn:
            self.report("a middleware took longer than %d seconds and is skipped" % (PATIENCE // 1000))
            self._next_called = True
            self._settled(UNDEFINED)
        return UNDEFINED

    def _on_next(self, args):
        self._next_called = True
        payload = get(args, 0)
        if truthy(payload):
            changed = get(payload, "obj")
            if is_plain(changed):
                self._message = changed
        elif payload is NULL:
            self._nulled = True
        return UNDEFINED

    def _carry(self, message, done):
        if self.workspace is not None:
            self.workspace.plan(message)
        for kind_, step in list(self.steps):
            if kind_ == "middleware":
                for promise in self._middleware(step, message, "integrations", self._names()):
                    yield promise
                message = self._message
                if not self._next_called:
                    done(None)
                    return
            else:
                message = self._plugin(step, message)
        integrations = get(message, "integrations")
        for plugin, steps in zip(self.plugins, self.destination_steps):
            if not allows(integrations, plugin.integration, plugin.alternative):
                continue
            own = message
            if self.workspace is not None:
                own = self.workspace.message_for(plugin, message, self._facades.clone)
                if own is None:
                    continue
            for function in list(steps):
                if own is message:
                    own = self._facades.clone(message)
                for promise in self._middleware(function, own, "integration", plugin.integration):
                    yield promise
                if self._nulled or not self._next_called:
                    own = None
                    break
                own = self._message
            if own is not None:
                self.deliver(own, plugin)
        done(message)

    def _middleware(self, function, message, extra_name, extra):
        self._message, self._next_called, self._nulled, self._failure = message, False, False, None
        payload = make_object((("payload", self._facades.make(message)), ("next", self._next), (extra_name, extra)))
        try:
            result = call(function, payload)
            if kind(result) == "object" and kind(get(result, "then")) == "function":
                yield result
        except Exception as error:
            self._failure = error
        if self._failure is not None:
            self.report("a middleware failed and is skipped: %s" % self._failure)
            self._message, self._next_called, self._nulled = message, True, False

    def _plugin(self, plugin, message):
        context = make_object((("event", message),))
        try:
            if kind(get(plugin, get(message, "type"))) == "function":
                result = invoke(plugin, get(message, "type"), context)
                changed = get(result if is_plain(result) else context, "event")
                return changed if is_plain(changed) else message
        except Exception as error:
            self.report("plugin %s failed and is skipped: %s" % (get(plugin, "name"), error))
        return message

    def _names(self):
        return make_object([(plugin.integration, True) for plugin in self.plugins if plugin.integration])
