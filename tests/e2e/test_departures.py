"""Nothing lost, nothing doubled, nothing reordered: a visitor who leaves page after page, in every way there is.

`departures.js` is the visitor. The seed is printed, and chosen with FSBRIDGE_SEED; FSBRIDGE_DEPARTURES sets how many
pages are left on each runtime.
"""

import contextlib
import os
import random
import ssl
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import Error

from tools.browser import CHROMIUM, OWN, launch_options
from tools.serve import Site, address, server

from .shop import html_page, tag

VISITOR = (Path(__file__).parent / "departures.js").read_text(encoding="utf-8")
POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' https://edge.fullstory.com"
SEED = int(os.environ.get("FSBRIDGE_SEED") or random.randrange(1_000_000))
DEPARTURES = {"micropython": 200, "pyodide": 100}

FULLSTORY = """
(() => {
  const waiting = FS.q;
  FS._api = (operation, options) => {
    if (operation === "trackEvent") arrived(options.name);
  };
  FS.q = [];
  for (const entry of waiting) FS._api(...entry);
})();
"""


class SlowFullStory(Site):
    """fs.js takes its time, up to a second."""

    def get(self, *request):
        time.sleep(random.random() ** 2)
        return super().get(*request)


@pytest.fixture(scope="module")
def fullstory_port():
    """A server for https://edge.fullstory.com: not by Playwright's routes, which a popup's first requests escape."""
    site = SlowFullStory({"Access-Control-Allow-Origin": "*"})
    site.put("/s/fs.js", FULLSTORY, {"Content-Type": "text/javascript"})
    running = server(site)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("edge.fullstory.com").configure_cert(secure)
    running.socket = secure.wrap_socket(running.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield running.server_port
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="module")
def browser_with_cache(playwright, fullstory_port):
    """A browser with the back/forward cache, which Playwright turns off."""
    chosen = launch_options(os.environ.get(CHROMIUM, OWN))
    chosen["args"] = [
        *chosen["args"],
        f"--host-resolver-rules=MAP edge.fullstory.com 127.0.0.1:{fullstory_port}",
        "--ignore-certificate-errors",
    ]
    browser = playwright.chromium.launch(**chosen, ignore_default_args=["--disable-back-forward-cache"])
    yield browser
    browser.close()


@pytest.fixture
def shop(web):
    site = Site({"Content-Security-Policy": POLICY})
    site.mount("/fsbridge/", web)
    site.put("/departures.js", VISITOR)
    visitor = '<script src="/departures.js"></script>'
    for runtime in DEPARTURES:
        working = tag(org="o-1ABC-na1", runtime=runtime)
        site.put(f"/{runtime}/normal.html", html_page(working, visitor))
        site.put(f"/{runtime}/bare.html", html_page(visitor))
        site.put(
            f"/{runtime}/broken.html", html_page(working.replace(" data-", ' data-base="/nowhere/" data-', 1), visitor)
        )
    running = server(site)
    threading.Thread(target=running.serve_forever, args=[0.02], daemon=True).start()
    yield address(running)
    running.shutdown()
    running.server_close()


class Visit:
    """The pages of one browser context, and what they noted."""

    def __init__(self, browser):
        self.context = browser.new_context()
        self.page = self.context.new_page()

    def noted(self, key):
        """The lines that all pages wrote under ``key``, as (milliseconds, text), in the order of time."""
        texts = self.page.evaluate(
            "key => Object.entries(localStorage).filter(([own]) => own.startsWith(key + ':')).map(([, text]) => text)",
            key,
        )
        lines = [line.split(" ", 1) for text in texts for line in text.splitlines()]
        return sorted([(float(time_), what) for time_, what in lines], key=lambda line: line[0])


def out_of_order(made, arrived):
    """Pairs of calls that arrived the wrong way round.

    Within a page all count; between the pages of the tab, those that were made 100 ms apart: a page with the
    back/forward cache is hidden while the next one has begun.
    """
    when = {name: at for at, name in made}
    wrong = []
    newest = ("", 0.0)
    last = {}
    for name in arrived:
        tab, page, number = name.split(":")
        if int(number) <= last.get(page, 0):
            wrong.append((page, name))
        last[page] = int(number)
        if tab == "tab":
            if when[name] < newest[1] - 100:
                wrong.append((newest[0], name))
            newest = max(newest, (name, when[name]), key=lambda each: each[1])
    return wrong


@pytest.mark.timeout(900)
@pytest.mark.parametrize("runtime", DEPARTURES)
def test_every_call_arrives_once_and_in_order(browser_with_cache, shop, runtime, capsys):
    steps = int(os.environ.get("FSBRIDGE_DEPARTURES") or DEPARTURES[runtime])
    visit = Visit(browser_with_cache)
    page = visit.page
    page.goto(f"{shop}{runtime}/normal.html?seed={SEED}&steps={steps}")
    give_up = time.monotonic() + 2 * steps + 30
    over = False
    while not over and time.monotonic() < give_up:
        page.wait_for_timeout(100)
        with contextlib.suppress(Error):  # in the middle of leaving
            over = page.evaluate("sessionStorage.getItem('over')")
    assert over, f"seed {SEED}: the visit did not end"
    page.goto(f"{shop}{runtime}/normal.html?seed={SEED}&steps=0")
    patience = time.monotonic() + 20
    while time.monotonic() < patience and len(visit.noted("arrived")) < len(visit.noted("made")):
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)
    made, arrived = visit.noted("made"), [name for _, name in visit.noted("arrived")]
    ways = Counter(way for _, way in visit.noted("left"))
    with capsys.disabled():
        print(f"\n{runtime}, seed {SEED}: {len(made)} calls, left by {dict(ways)}")
    lost = [name for _, name in made if name not in set(arrived)]
    doubled = [name for name, count in Counter(arrived).items() if count > 1]
    assert (lost, doubled) == ([], []), f"seed {SEED}"
    assert out_of_order(made, arrived) == [], f"seed {SEED}"
    assert len(made) > steps
    visit.context.close()
