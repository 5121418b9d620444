"""A visitor with Firefox: a tab, the FullStory that its pages see, and what they complain about."""

from contextlib import suppress

from fsbridge.testing import FullStory
from fsbridge.testing.record import STAND_IN, WAIT
from tools.firefox import BiDiError

HOST = "edge.fullstory.com"

# What the stand-in receives waits in localStorage for us: a channel of BiDi's is dead when a page comes back from the
# back/forward cache.
KEEP = """() => {
  window.__fsbridge_testing = (text) => {
    const count = (localStorage["received"] = 1 + Number(localStorage["received"] || 0));
    localStorage["received:" + String(count).padStart(9, "0")] = text;
  };
}"""
FETCH = """
(() => {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith("received:")).sort();
  return keys.map((key) => {
    const text = localStorage[key];
    delete localStorage[key];
    return text;
  });
})()"""


def wire(firefox):
    """Have Firefox ask us for fs.js, and give pages what the stand-in needs; once for each Firefox."""
    patterns = [{"type": "pattern", "hostname": HOST}]
    firefox.command("network.addIntercept", phases=["beforeRequestSent"], urlPatterns=patterns)
    firefox.command("script.addPreloadScript", functionDeclaration=KEEP)


class Visitor(FullStory):
    """What a tab of its own sends to FullStory. ``console``: the warnings and errors in it."""

    def __init__(self, firefox):
        super().__init__()
        self._attached = True
        self.tab = firefox.tab()
        self.console = []
        self._firefox = firefox
        self._held = None  # requests for fs.js
        firefox.listen("network.beforeRequestSent", self._asked)
        firefox.listen("log.entryAdded", self._said)

    def hold(self):
        """From now on fs.js stays on its way."""
        self._held = []

    def release(self):
        """What was held arrives, where its page is still there."""
        held, self._held = self._held, None
        for request in held:
            self._give(request)

    @property
    def held(self):
        """How many requests for fs.js wait."""
        self._catch_up()
        return len(self._held)

    def _asked(self, event):
        if not event["isBlocked"]:
            return
        if self._held is None:
            self._give(event["request"]["request"])
        else:
            self._held.append(event["request"]["request"])

    def _give(self, request):
        headers = {"Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*"}
        self._firefox.post(
            "network.provideResponse",
            request=request,
            statusCode=200,
            headers=[{"name": name, "value": {"type": "string", "value": value}} for name, value in headers.items()],
            body={"type": "string", "value": STAND_IN["path"].read_text("utf-8")},
        )

    def _said(self, entry):
        if entry["level"] in ("warn", "error"):
            self.console.append(entry["text"])

    # As the FullStory of Playwright's pages does it with theirs.

    def _catch_up(self):
        with suppress(BiDiError):  # in the middle of leaving
            for text in self.tab.evaluate(FETCH):
                self._receive(None, text)

    def _let_pass(self):
        self.tab.wait_for_timeout(WAIT)
