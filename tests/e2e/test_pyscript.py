"""Python authors' way in: PyScript on both interpreters, and Pyodide by itself."""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page

from fsbridge.testing import FS, FullStory
from tests.e2e.conftest import ShopSite

from .shop import ORG, Console, html_page, wait_until

INTERPRETERS = {"mpy": "micropython/micropython.js", "py": "pyodide/pyodide.js"}

# Runs in the page. What it finds goes to window.results, which JavaScript looks at.
SETUP = f"""
import js
from fsbridge import SettingsError, connect

def error_of(**settings):
    try:
        connect(**settings)
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return "none"

js.results.push(error_of(destination="segment-classic"))
js.results.push(error_of(destination="segment-classic", org="{ORG}", trackNamedPage=True))
js.results.push(error_of(destination="segment-classic", org=5))
js.results.push(error_of(destination="segment-clasic", org="{ORG}"))
js.results.push(str(issubclass(SettingsError, ValueError)))
"""

ERRORS = (
    "SettingsError: segment-classic: setting 'org' is missing",
    "SettingsError: segment-classic: unknown setting 'trackNamedPage'; did you mean 'trackNamedPages'?",
    "SettingsError: segment-classic: setting 'org' is 5 (int); accepted: text.",
    "SettingsError: unknown destination 'segment-clasic'; did you mean 'segment-classic'?",
    "True",
)

APP = f"""
from datetime import datetime, timezone

analytics = connect(
    "segment-classic", org="{ORG}", trackNamedPages=True, trackPagesWithEvents=None, expose=True
)
traits = {{"plan": "premium", "logins": 5, "ratio": 0.5, "big": 2**40, "nothing": None, "yes": True}}
analytics.identify("user-1", traits)
analytics.track("Python", {{"list": [1, "two", {{"three": 3}}], "nested": {{"a": {{}}}}, "last": -0.0}})
analytics.track("Callback", {{}}, {{}}, lambda: js.results.push("called back"))
analytics.ready(lambda: js.results.push("ready"))
analytics.page("Home")
try:
    analytics.trak("typo")
except AttributeError as error:
    js.results.push(str(error))
js.results.push(analytics.user().id())
js.results.push(analytics.status)
"""

DATED = """
analytics.track("Dated", {"at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)})
"""

JAVASCRIPT = """() => {
  window.held.track("From the old buffer");
  analytics.track("JavaScript", { at: new Date(0), n: 1 });
  analytics.push(["track", "Pushed"]);
  return [typeof analytics.page, analytics.user().id(), fsbridge.status, fsbridge.version];
}"""

BUFFER = """
window.results = [];
window.held = window.analytics = [["track", "Buffered", { n: 1 }]];
analytics.track = (...args) => analytics.push(["track", ...args]);
held.track = (...args) => held.push(["track", ...args]);
"""


def expected_calls(dated: bool) -> Any:
    home = {"path": "/app", "referrer": "", "search": "", "title": "Shop", "url": "https://shop.example/app"}
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    traits = {"plan": "premium", "logins": 5, "ratio": 0.5, "big": 2**40, "nothing": None, "yes": True}
    return [
        FS.event("Buffered", {"n": 1}, "segment"),
        FS.identify("user-1", traits, "segment"),
        FS.event("Python", {"list": [1, "two", {"three": 3}], "nested": {"a": {}}, "last": -0.0}, "segment"),
        FS.event("Callback", {}, "segment"),
        FS.setVars("page", {**home, "name": "Home", "pageName": "Home"}, "segment"),
        *([FS.event("Dated", {"at": at}, "segment")] if dated else []),
        FS.event("From the old buffer", {}, "segment"),
        FS.event("JavaScript", {"at": datetime(1970, 1, 1, tzinfo=UTC), "n": 1}, "segment"),
        FS.event("Pushed", {}, "segment"),
    ]


def check(page: Page, fullstory: FullStory, console: Console, dated: bool) -> None:
    wait_until(page, "results.length >= 10")
    results = page.evaluate("results")
    for found, wanted in zip(results[:5], ERRORS, strict=True):
        assert found.startswith(wanted)
    assert results[5:7] == ["analytics.js has no method 'trak'; did you mean 'track'?", "user-1"]
    assert results[7] in ("queueing", "ready")
    assert sorted(results[8:]) == ["called back", "ready"]
    wait_until(page, "fsbridge.status === 'ready'")
    assert page.evaluate(JAVASCRIPT) == ["function", "user-1", "ready", page.evaluate("fsbridge.version")]
    fullstory.expect_calls(*expected_calls(dated))
    assert console.thrown == console.written == []


@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_connect_in_a_pyscript_page(page: Page, site: ShopSite, fullstory: FullStory, runtime: str) -> None:
    # MicroPython's build has no datetime.
    dated = runtime == "py"
    python = SETUP + (APP + DATED if dated else APP.replace("from datetime import datetime, timezone\n", ""))
    console = Console(page)
    html = html_page(
        BUFFER,
        "<script type='module' src='/pyscript/core.js'></script>",
        f"""<script type="{runtime}" config='{{
          "interpreter": "/fsbridge/{INTERPRETERS[runtime]}",
          "files": {{"/fsbridge/fsbridge.zip": "./*"}}
        }}'>{python}</script>""",
    )
    page.goto(site.page("/app", html))
    check(page, fullstory, console, dated)


def test_connect_in_a_plain_pyodide_page(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    console = Console(page)
    site.put("/app.py", SETUP + APP + DATED)
    html = html_page(
        BUFFER,
        """<script type="module">
          import { loadPyodide } from "/fsbridge/pyodide/pyodide.js";
          const python = await loadPyodide({ indexURL: "/fsbridge/pyodide/" });
          python.unpackArchive(await (await fetch("/fsbridge/fsbridge.zip")).arrayBuffer(), "zip");
          python.runPython(await (await fetch("/app.py")).text());
        </script>""",
    )
    page.goto(site.page("/app", html))
    check(page, fullstory, console, True)


# What MicroPython has of Python's types, and what JavaScript has.
VALUES = f"""
import js
from collections import OrderedDict
from fsbridge import connect

analytics = connect("segment-classic", org="{ORG}")
shared = [1]
loop = []
loop.append(loop)
deep = 1
for _ in range(31):
    deep = [deep]
for value in (
    {{5}}, frozenset(["a"]), (1, (2,)), range(2), OrderedDict([("a", 1)]), {{1: "a"}}, 2**53, -(10**21), "é\U0001f600",
    js.Date.new(0), js.JSON.parse('{{"a": [1, null]}}'),
    js.Reflect.get(js.Math, "max"), js.document.body, [shared, shared], js.undefined,
    b"a", bytearray(b"a"), 2**53 + 1, 10**400, 1j, object(), len, lambda: None, dict, (n for n in [1]),
    {{("a",): 1}}, {{None: 1}}, {{"__proto__": 1}}, loop, deep,
):
    try:
        analytics.track("Value", {{"list": [{{"v": value}}]}})
    except TypeError as error:
        js.results.push(str(error))
"""

WANTED = [
    "[5]",
    '["a"]',
    "[1,[2]]",
    "[0,1]",
    '{"a":1}',
    '{"1":"a"}',
    "9007199254740992",
    "-1e+21",
    '"é😀"',
    "Date 1970-01-01T00:00:00.000Z",
    '{"a":[1,null]}',
    "the function",
    "the element",
    "[[1],[1]] shared",
]

REFUSALS = [
    "has no JSON form (type bytes)",
    "has no JSON form (type bytearray)",
    "is more exact than JavaScript's numbers: pass it as text or float (type int)",
    "is more exact than JavaScript's numbers: pass it as text or float (type int)",
    "has no JSON form (type complex)",
    "has no JSON form (type object)",
    "has no JSON form (type ",
    "has no JSON form (type function)",
    "has no JSON form (type type)",
    "has no JSON form (type generator)",
    "has a key that is no text (type tuple)",
    "has a key that is no text (type NoneType)",
    "has a key '__proto__' that JavaScript wouldn't keep (type str)",
    "[0] contains itself (type list)",
    "[0]" * 27 + " lies deeper than 30 levels (type list)",
]

SEEN = """
window.results = [];
window.seen = [];
const shown = value =>
  value instanceof Date ? "Date " + value.toISOString()
  : value === Math.max ? "the function" : value === document.body ? "the element"
  : JSON.stringify(value) + (Array.isArray(value?.[0]) && value[0] === value[1] ? " shared" : "");
window.FS = () => {};
window.FS.event = (name, properties) => window.seen.push(shown(properties.list[0].v));
"""


def pyscript(runtime: str, python: str, extra: str = "") -> Any:
    """The elements of a page that runs ``python`` in PyScript."""
    return (
        "<body><script type='module' src='/pyscript/core.js'></script>",
        f"""<script type="{runtime}" {extra} config='{{
          "interpreter": "/fsbridge/{INTERPRETERS[runtime]}",
          "files": {{"/fsbridge/fsbridge.zip": "./*"}}
        }}'>{python}</script>""",
    )


@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_python_values(page: Page, site: ShopSite, fullstory: FullStory, runtime: str) -> None:
    console = Console(page)
    page.goto(site.page("/app", html_page(SEEN, *pyscript(runtime, VALUES))))
    wait_until(page, f"results.length >= {len(REFUSALS)}")
    assert page.evaluate("seen")[: len(WANTED)] == WANTED
    assert len(page.evaluate("seen")) == len(WANTED) + 1  # undefined, which Pyodide doesn't tell from None
    for found, wanted in zip(page.evaluate("results"), REFUSALS, strict=True):
        assert found.startswith(
            "analytics.track('Value'): properties.list[0].v" + ("" if wanted[0] == "[" else " ") + wanted
        )
    assert console.thrown == []
