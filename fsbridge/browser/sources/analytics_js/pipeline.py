"""From message to destination, straight: most pages have nothing that stands between.

Where there is middleware, a plugin of the page's or a workspace's rules, `steps` carries messages.
"""

from __future__ import annotations

from ....messages import allows
from ....runtime import raw_get
from .context import Contexts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ....contracts import Message, Plugin, Report
    from ...page import Page
    from .steps import Done, Steps
    from .workspace import Workspace


class Pipeline:
    """Carries messages. ``deliver(message, plugin)`` takes each for each plugin it may go to."""

    def __init__(self, page: Page, deliver: Callable[[Message, Plugin], None], report: Report) -> None:
        self.page = page
        self.deliver = deliver
        self.report = report
        self.plugins: Sequence[Plugin] = ()
        self.contexts = Contexts()
        self.workspace: Workspace | None = None
        self._takers: dict[str, list[Plugin]] = {}  # by type of message, the plugins that take any of it
        self._steps: Steps | None = None

    @property
    def steps(self) -> Steps:
        """What stands between a message and the destinations."""
        if self._steps is None:
            from .steps import Steps  # late: few pages have any

            self._steps = Steps(self)
        return self._steps

    def install(self, plugins: Sequence[Plugin]) -> None:
        """Deliver to these plugins from now on."""
        self.plugins = plugins
        self._takers = {}
        if self._steps is not None:
            self._steps.install()

    def deliver_directly(self, message: Message, type_: str, filtered: bool) -> bool:
        """Deliver at once if nothing waits or stands between; returns whether it was so.

        ``filtered`` is whether the message's ``integrations`` may say anything.
        """
        if self.workspace is not None or (self._steps is not None and self._steps.any()):
            return False
        takers = self._takers.get(type_)
        if takers is None:
            takers = self._takers[type_] = [plugin for plugin in self.plugins if type_ in plugin.types]
        integrations = raw_get(message, "integrations") if filtered else None
        for plugin in takers:
            if integrations is None or allows(integrations, plugin.integration, plugin.alternative):
                self.deliver(message, plugin)
        return True

    def send(self, message: Message, done: Done) -> None:
        """Carry ``message`` through; ``done(message or None)`` follows when all destinations have had it."""
        self.steps.send(message, done)

    def hand_back(self) -> list[Message]:
        """Give up the messages that are on their way, in order; for their senders they are through, as dropped ones."""
        return [] if self._steps is None else self._steps.hand_back()
