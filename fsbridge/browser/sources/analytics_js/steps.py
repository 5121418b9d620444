"""From message to destination, in order: tracking plan, source middleware and plugins, filters, destination middleware.

A middleware may be slow: then later messages wait their turn. One that throws, or that takes longer than ``TIMEOUT``
milliseconds, is skipped and reported, and the message goes on.
"""

from __future__ import annotations

from ....contracts import MAX_WAITING
from ....messages import allows
from ....runtime import (
    NULL,
    UNDEFINED,
    call,
    invoke,
    is_nullish,
    is_plain,
    lower,
    make_function,
    make_object,
    raw_get,
    text,
    truthy,
    type_of,
)
from .context import is_promise
from .facade import Facades

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Protocol

    from ....contracts import Args, Message, Plugin, Report, Value
    from ...page import Page
    from .context import Contexts
    from .workspace import Workspace

    Done = Callable[[Message | None], None]
    Way = Iterator[Value]
    """A way through the pipeline: it yields each promise to wait for, and goes straight through where there is none."""

    class Carrier(Protocol):
        """The pipeline whose steps these are."""

        page: Page
        deliver: Callable[[Message, Plugin], None]
        report: Report
        contexts: Contexts
        plugins: Sequence[Plugin]
        workspace: Workspace | None


TIMEOUT = 10_000


class Passage:
    """One message's way through the pipeline.

    ``given`` is the message as it came, ``message`` as it is now; ``done(message or None)`` follows when all
    destinations have had it, or a step has dropped it. Of the step that it is in: ``passed`` is whether it lets the
    message go on, ``nulled`` whether it went on with null, ``failure`` what it threw, ``result`` what it gave.
    """

    def __init__(self, message: Message, done: Done) -> None:
        self.given = self.message = message
        self.done = done
        self.way: Way = iter(())
        self.begin(False)

    def begin(self, passed: bool) -> None:
        """Enter a step, which lets the message go on by itself or has to say so."""
        self.passed, self.nulled = passed, False
        self.failure: Value | Exception | None = None
        self.result: Value = UNDEFINED


class Steps:
    """Carries messages, one after the other, through what stands in front of a pipeline's destinations."""

    def __init__(self, pipeline: Carrier) -> None:
        self._pipeline = pipeline
        self._page = pipeline.page
        self._deliver = pipeline.deliver
        self._report = pipeline.report
        self._contexts = pipeline.contexts
        self._steps: list[tuple[str, Value]] = []  # before all destinations: pairs of its kind and what the page gave
        self._enrichments: list[Value] = []
        self._own_destinations: list[Value] = []  # the page's plugins that get each message after ours
        self._destination_steps: list[list[Value]] = []
        self._destination_middleware: list[tuple[str, list[Value]]] = []  # names and their functions
        self._steered = False  # whether any destination has a step
        self._current: Passage | None = None
        self._waiting: list[Passage] = []
        self._facades = Facades()
        self._turn = 0  # counts what has been waited for
        self._given_up = 0  # counts messages that were given up before their middleware was done
        self._next: Value = UNDEFINED
        self._fulfilled: Value = UNDEFINED
        self._rejected: Value = UNDEFINED
        self._listen()
        self._overdue = make_function(self._on_overdue, "overdue")
        self._in_vain = make_function(self._on_vain, "failed")
        self.install()

    # Steps

    def install(self) -> None:
        """The pipeline has other plugins from now on."""
        self._destination_steps = [[] for _ in self._pipeline.plugins]
        self._steered = False
        for name, functions in self._destination_middleware:
            self._steer(name, functions)

    def any(self) -> bool:
        """Whether anything stands between, or waits."""
        there = self._current is not None or self._steps or self._enrichments or self._own_destinations
        return bool(there) or self._steered

    def add_source_middleware(self, function: Value) -> None:
        """Let this function see each message before all destinations; it has to call ``next`` for it to go on."""
        self._steps.append(("middleware", function))

    def add_plugin(self, plugin: Value, instance: Value) -> None:
        """Load a plugin of the page: an object with a ``type`` and a method per type of message.

        Those of type "before" see a message first and may drop it: they do so by throwing, or by not returning their
        context. "enrichment" follows, then the destinations, ours and those of the page, and "after".
        """
        type_ = raw_get(plugin, "type")
        try:
            if type_of(raw_get(plugin, "load")) == "function":
                self._unwatched(invoke(plugin, "load", self._contexts.system(), instance))
        except Exception as error:
            self._report("plugin %s can't be loaded: %s" % (raw_get(plugin, "name"), error))
            return
        if type_ == "before":
            self._steps.append(("plugin", plugin))
        elif type_ == "enrichment":
            self._enrichments.append(plugin)
        elif type_ == "destination":
            self._own_destinations.insert(0, plugin)
        elif type_ == "after":
            self._own_destinations.append(plugin)

    def remove_plugin(self, name: Value, instance: Value) -> None:
        """Unload the page's plugins of this name."""
        before = [step for kind, step in self._steps if kind == "plugin"]
        for plugin in before + self._enrichments + self._own_destinations:
            if raw_get(plugin, "name") != name:
                continue
            try:
                if type_of(raw_get(plugin, "unload")) == "function":
                    self._unwatched(invoke(plugin, "unload", self._contexts.system(), instance))
            except Exception as error:
                self._report("plugin %s can't be unloaded: %s" % (name, error))
            self._steps = [step for step in self._steps if step[1] is not plugin]
            self._enrichments = [step for step in self._enrichments if step is not plugin]
            self._own_destinations = [own for own in self._own_destinations if own is not plugin]

    def add_destination_middleware(self, name: str, functions: list[Value]) -> None:
        """Let these functions see messages before the destinations of this name, "*" for all."""
        self._destination_middleware.append((name, functions))
        self._steer(name, functions)

    def use_destination_middleware(self, functions: list[Value]) -> None:
        """Let these functions, and no others, see messages before each destination."""
        self._destination_steps = [functions for _ in self._pipeline.plugins]

    def _steer(self, name: str, functions: list[Value]) -> None:
        for plugin, steps in zip(self._pipeline.plugins, self._destination_steps):
            if name == "*" or lower(name) == lower(plugin.integration):
                steps.extend(functions)
                self._steered = True

    # Messages

    def send(self, message: Message, done: Done) -> None:
        """Carry ``message`` through; ``done(message or None)`` follows when all destinations have had it."""
        passage = Passage(message, done)
        passage.way = self._way(passage)
        if self._current is None:
            self._run(passage)
            return
        if len(self._waiting) >= MAX_WAITING:
            self._report("a middleware holds up more than %d messages: the oldest is dropped" % MAX_WAITING)
            self._waiting.pop(0)
        self._waiting.append(passage)

    def hand_back(self) -> list[Message]:
        """Give up the messages that are on their way, in order; for their senders they are through, as dropped ones."""
        waiting, self._waiting = self._waiting, []
        if self._current is not None:
            waiting.insert(0, self._current)
            self._current = None
            self._turn += 1
            self._give_up()
        for passage in waiting:
            passage.done(None)
        return [passage.given for passage in waiting]

    def _run(self, passage: Passage | None) -> None:
        """Carry this message, and those that wait, until there is something to wait for."""
        self._current = passage
        while self._current is not None:
            try:
                promise = next(self._current.way)
            except StopIteration:
                self._current = self._waiting.pop(0) if self._waiting else None
                continue
            self._turn += 1
            turn = self._turn  # a page's own kind of promise may go on at once
            invoke(promise, "then", self._fulfilled, self._rejected)
            self._page.later_with(self._overdue, TIMEOUT, turn)
            return

    def _listen(self) -> None:
        """Make what middleware gets: one function of each kind for all messages, as JavaScript would keep one made for
        each, until a message is given up. Whatever its middleware does later is heard no more."""
        given_up = self._given_up

        def made(body: Callable[[Args], Value], name: str) -> Value:
            return make_function(lambda args: body(args) if given_up == self._given_up else UNDEFINED, name)

        self._next = made(self._on_next, "next")
        self._fulfilled = made(lambda args: self._settled(raw_get(args, 0), False), "fulfilled")
        self._rejected = made(lambda args: self._settled(raw_get(args, 0), True), "rejected")

    def _give_up(self) -> None:
        self._given_up += 1
        self._listen()

    def _settled(self, value: Value, failed: bool) -> Value:
        passage = self._current
        if passage is not None:
            if failed:
                passage.failure = value
            else:
                passage.result = value
            self._turn += 1
            self._run(passage)
        return UNDEFINED

    def _on_overdue(self, args: Args) -> Value:
        passage = self._current
        if passage is not None and raw_get(args, 0) == self._turn:
            self._report("a middleware took longer than %d seconds and is skipped" % (TIMEOUT // 1000))
            passage.passed = True
            self._give_up()
            self._settled(UNDEFINED, False)
        return UNDEFINED

    def _on_next(self, args: Args) -> Value:
        passage, payload = self._current, raw_get(args, 0)
        if passage is not None:
            passage.passed = True
            if truthy(payload):
                changed = raw_get(payload, "obj")
                if is_plain(changed):
                    passage.message = changed
            elif payload is NULL:
                passage.nulled = True
        return UNDEFINED

    # A message's way

    def _way(self, passage: Passage) -> Way:
        if self._pipeline.workspace is not None:
            self._pipeline.workspace.plan(passage.message)
        for kind, step in self._steps + [("plugin", plugin) for plugin in self._enrichments]:
            if kind == "middleware":
                way = self._middleware(passage, step, "integrations", self._names())
            else:
                way = self._plugin(passage, step)
            for promise in way:
                yield promise
            if not passage.passed:
                passage.done(None)
                return
        message = passage.message
        integrations = raw_get(message, "integrations")
        for plugin, steps in zip(self._pipeline.plugins, self._destination_steps):
            if not allows(integrations, plugin.integration, plugin.alternative):
                continue
            own = message
            if self._pipeline.workspace is not None:
                own = self._pipeline.workspace.message_for(plugin, message, self._facades.clone)
                if own is None:
                    continue
            for function in list(steps):
                passage.message = self._facades.clone(message) if own is message else own
                for promise in self._middleware(passage, function, "integration", plugin.integration):
                    yield promise
                if passage.nulled or not passage.passed:
                    own = None
                    break
                own = passage.message
            if own is not None:
                self._deliver(own, plugin)
        for own_plugin in self._own_destinations:
            self._hand_over(own_plugin, message)
        passage.done(message)

    def _middleware(self, passage: Passage, function: Value, extra_name: str, extra: Value) -> Way:
        message = passage.message
        passage.begin(False)
        payload = make_object((("payload", self._facades.make(message)), ("next", self._next), (extra_name, extra)))
        try:
            result = call(function, payload)
            if is_promise(result):
                yield result
        except Exception as error:
            passage.failure = error
        if passage.failure is not None:
            self._report("a middleware failed and is skipped: %s" % passage.failure)
            passage.message, passage.passed, passage.nulled = message, True, False

    def _plugin(self, passage: Passage, plugin: Value) -> Way:
        hook = raw_get(passage.message, "type")
        if type_of(raw_get(plugin, hook)) != "function":
            passage.begin(True)
            return
        passage.begin(False)
        context = self._contexts.make(passage.message)
        try:
            passage.result = invoke(plugin, hook, context)
            if is_promise(passage.result):
                yield passage.result
        except Exception as error:
            passage.failure, passage.result = error, UNDEFINED
        if passage.failure is not None:
            self._report("plugin %s failed: %s" % (raw_get(plugin, "name"), passage.failure))
        goes_on = passage.failure is None and is_plain(passage.result)
        changed = raw_get(passage.result if goes_on else context, "event")
        if is_plain(changed):
            passage.message = changed
        if goes_on or raw_get(plugin, "type") == "enrichment":
            passage.passed = True

    def _hand_over(self, plugin: Value, message: Message) -> None:
        """Let a destination of the page's own have the message; how long it takes is its own affair."""
        hook, integrations = raw_get(message, "type"), raw_get(message, "integrations")
        verdict = raw_get(integrations, raw_get(plugin, "name"))
        if is_nullish(verdict):
            verdict = raw_get(integrations, "All")
        if raw_get(plugin, "type") == "destination" and verdict is False:
            return
        try:
            if type_of(raw_get(plugin, hook)) == "function":
                self._unwatched(invoke(plugin, hook, self._contexts.make(message)))
        except Exception as error:
            self._report("plugin %s failed: %s" % (raw_get(plugin, "name"), error))

    def _unwatched(self, result: Value) -> None:
        """Report it if this turns out a promise that fails."""
        if is_promise(result):
            invoke(result, "then", UNDEFINED, self._in_vain)

    def _on_vain(self, args: Args) -> Value:
        self._report("a plugin failed: %s" % text(raw_get(args, 0)))
        return UNDEFINED

    def _names(self) -> Value:
        return make_object([(plugin.integration, True) for plugin in self._pipeline.plugins if plugin.integration])
