"""From message to destination, in order: tracking plan, source middleware and plugins, filters, destination middleware.

A middleware may be slow: then later messages wait their turn. One that throws, or that takes longer than
``PATIENCE`` milliseconds, is skipped and reported, and the message goes on.
"""

from ....messages import allows
from ....runtime import (
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
    text,
    truthy,
)
from .context import Contexts
from .facade import Facades

PATIENCE = 10_000
LIMIT = 1000


def is_promise(value):
    """Whether this is something to wait for."""
    return kind(value) == "object" and kind(get(value, "then")) == "function"


class Pipeline:
    """Carries messages, one after the other. ``deliver(message, plugin)`` takes each for each plugin it may go to."""

    def __init__(self, page, deliver, report):
        self.page = page
        self.plugins = ()
        self.deliver = deliver
        self.report = report
        self.steps = []
        self.enrichments = []
        self.own_destinations = []  # the page's plugins that get each message after ours
        self.destination_steps = []
        self._destination_middleware = []  # pairs of a name and its functions
        self._steered = False  # whether any of those has a function
        self._takers = {}  # by type of message, the plugins that take any of it
        self.contexts = Contexts()
        self.workspace = None
        self._waiting = []
        self._work = None
        self._current = None  # the message that is worked on, as given
        self._facades = Facades()
        self._turn = 0
        self._given_up = 0  # how many messages were given up before their middleware was done
        self._listen()
        self._overdue = make_function(self._on_overdue, "overdue")
        self._in_vain = make_function(self._on_vain, "failed")

    def install(self, plugins):
        """Deliver to these plugins from now on."""
        self.plugins = plugins
        self.destination_steps = [[] for _ in plugins]
        self._steered = False
        self._takers = {}
        for name, functions in self._destination_middleware:
            self._steer(name, functions)

    def add_source_middleware(self, function):
        self.steps.append(("middleware", function))

    def add_plugin(self, plugin, instance):
        """Load a plugin of the page: an object with a ``type`` and a method per type of message.

        Those of type "before" see a message first and may drop it: they do so by throwing, or by not returning their
        context. "enrichment" follows, then the destinations, ours and those of the page, and "after".
        """
        type_ = get(plugin, "type")
        try:
            if kind(get(plugin, "load")) == "function":
                self._unwatched(invoke(plugin, "load", self.contexts.system(), instance))
        except Exception as error:
            self.report("plugin %s can't be loaded: %s" % (get(plugin, "name"), error))
            return
        if type_ == "before":
            self.steps.append(("plugin", plugin))
        elif type_ == "enrichment":
            self.enrichments.append(("plugin", plugin))
        elif type_ == "destination":
            self.own_destinations.insert(0, plugin)
        elif type_ == "after":
            self.own_destinations.append(plugin)

    def remove_plugin(self, name, instance):
        """Unload the page's plugins of this name."""
        named = [step for kind_, step in self.steps + self.enrichments if kind_ == "plugin"] + self.own_destinations
        for plugin in named:
            if get(plugin, "name") != name:
                continue
            try:
                if kind(get(plugin, "unload")) == "function":
                    self._unwatched(invoke(plugin, "unload", self.contexts.system(), instance))
            except Exception as error:
                self.report("plugin %s can't be unloaded: %s" % (name, error))
            self.steps = [step for step in self.steps if step[1] is not plugin]
            self.enrichments = [step for step in self.enrichments if step[1] is not plugin]
            self.own_destinations = [own for own in self.own_destinations if own is not plugin]

    def add_destination_middleware(self, name, functions):
        self._destination_middleware.append((name, functions))
        self._steer(name, functions)

    def _steer(self, name, functions):
        for plugin, steps in zip(self.plugins, self.destination_steps):
            if name == "*" or lower(name) == lower(plugin.integration):
                steps.extend(functions)
                self._steered = True

    def straight(self, message, type_, filtered):
        """Deliver at once if nothing waits or stands between; returns whether it was so.

        ``filtered`` is whether the message's ``integrations`` may say anything.
        """
        if self._work is not None or self.steps or self.enrichments or self.own_destinations:
            return False
        if self._steered or self.workspace is not None:
            return False
        takers = self._takers.get(type_)
        if takers is None:
            takers = self._takers[type_] = [plugin for plugin in self.plugins if type_ in plugin.types]
        integrations = get(message, "integrations") if filtered else None
        for plugin in takers:
            if integrations is None or allows(integrations, plugin.integration, plugin.alternative):
                self.deliver(message, plugin)
        return True

    def send(self, message, done):
        """Carry ``message`` through; ``done(message or None)`` follows when all destinations have had it."""
        if self._work is None:
            self._run(self._carry(message, done))
            return
        if len(self._waiting) >= LIMIT:
            self.report("a middleware holds up more than %d messages: the oldest is dropped" % LIMIT)
            self._waiting.pop(0)
        self._waiting.append((message, done))

    def hand_back(self):
        """Give up the messages that are on their way, in order; for their senders they are through, as dropped ones."""
        waiting, self._waiting = self._waiting, []
        if self._work is not None:
            self._work = None
            self._turn += 1
            self._give_up()
            waiting.insert(0, self._current)
        for _, done in waiting:
            done(None)
        return [message for message, _ in waiting]

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

    def _listen(self):
        """Make what middleware gets: one function of each kind for all messages, as JavaScript would keep one made for
        each, until a message is given up. Whatever its middleware does later is heard no more."""
        given_up = self._given_up

        def made(body, name):
            return make_function(lambda args: body(args) if given_up == self._given_up else UNDEFINED, name)

        self._next = made(self._on_next, "next")
        self._fulfilled = made(lambda args: self._settled(get(args, 0)), "fulfilled")
        self._rejected = made(lambda args: self._settled(get(args, 0), True), "rejected")

    def _give_up(self):
        self._given_up += 1
        self._listen()

    def _settled(self, value, failed=False):
        work, self._work = self._work, None
        if work is None:
            return
        if failed:
            self._failure = value
        else:
            self._result = value
        self._turn += 1
        self._run(work)

    def _on_overdue(self, args):
        if self._work is not None and get(args, 0) == self._turn:
            self.report("a middleware took longer than %d seconds and is skipped" % (PATIENCE // 1000))
            self._next_called = True
            self._give_up()
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
        self._current = message, done
        if self.workspace is not None:
            self.workspace.plan(message)
        for kind_, step in self.steps + self.enrichments:
            if kind_ == "middleware":
                way = self._middleware(step, message, "integrations", self._names())
            else:
                way = self._plugin(step, message)
            for promise in way:
                yield promise
            message = self._message
            if not self._next_called:
                done(None)
                return
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
        for plugin in self.own_destinations:
            self._hand_over(plugin, message)
        done(message)

    def _middleware(self, function, message, extra_name, extra):
        self._message, self._next_called, self._nulled, self._failure = message, False, False, None
        payload = make_object((("payload", self._facades.make(message)), ("next", self._next), (extra_name, extra)))
        try:
            result = call(function, payload)
            if is_promise(result):
                yield result
        except Exception as error:
            self._failure = error
        if self._failure is not None:
            self.report("a middleware failed and is skipped: %s" % self._failure)
            self._message, self._next_called, self._nulled = message, True, False

    def _plugin(self, plugin, message):
        hook = get(message, "type")
        self._message, self._next_called = message, True
        if kind(get(plugin, hook)) != "function":
            return
        self._next_called, self._failure = False, None
        context = self.contexts.make(message)
        try:
            self._result = invoke(plugin, hook, context)
            if is_promise(self._result):
                yield self._result
        except Exception as error:
            self._failure, self._result = error, UNDEFINED
        if self._failure is not None:
            self.report("plugin %s failed: %s" % (get(plugin, "name"), self._failure))
        goes_on = self._failure is None and is_plain(self._result)
        changed = get(self._result if goes_on else context, "event")
        if is_plain(changed):
            self._message = changed
        if goes_on or get(plugin, "type") == "enrichment":
            self._next_called = True

    def _hand_over(self, plugin, message):
        """Let a destination of the page's own have the message; how long it takes is its own affair."""
        hook, integrations = get(message, "type"), get(message, "integrations")
        verdict = get(integrations, get(plugin, "name"))
        if is_nullish(verdict):
            verdict = get(integrations, "All")
        if get(plugin, "type") == "destination" and verdict is False:
            return
        try:
            if kind(get(plugin, hook)) == "function":
                self._unwatched(invoke(plugin, hook, self.contexts.make(message)))
        except Exception as error:
            self.report("plugin %s failed: %s" % (get(plugin, "name"), error))

    def _unwatched(self, result):
        """Report it if this turns out a promise that fails."""
        if is_promise(result):
            invoke(result, "then", UNDEFINED, self._in_vain)

    def _on_vain(self, args):
        self.report("a plugin failed: %s" % text(get(args, 0)))
        return UNDEFINED

    def _names(self):
        return make_object([(plugin.integration, True) for plugin in self.plugins if plugin.integration])
