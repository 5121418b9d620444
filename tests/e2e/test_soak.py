"""Memory is flat: many calls leave no more behind than few, and arrive in order.

FSBRIDGE_SOAK=200000 makes that many calls on each, and compares with the memory after a tenth of them. All engines tell
of the interpreter's memory and tables, Chromium also of the page's heap: in the others the page's objects are watched.
"""

import os
from typing import Any

import pytest
from playwright.sync_api import Page

from fsbridge.testing import FullStory
from tests.e2e.conftest import ShopSite

from .shop import ORG, html_page, tag, wait_until
from .visitor import Visitor

CALLS = int(os.environ.get("FSBRIDGE_SOAK", "20000"))
SETTLED = CALLS // 10
ALLOWED = 1.05
# What goes up and down by itself: the browser's own heap, in bytes, and references that wait for finalizers.
SLACK = {"heap": 100_000, "references": 200}

# Before the interpreter starts: note its memories and tables.
WATCH = """
  window.memories = new Set();
  window.tables = new Set();
  const note = (found) => {
    if (found instanceof WebAssembly.Memory) memories.add(found);
    else if (found instanceof WebAssembly.Table) tables.add(found);
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (source, imports) => {
      const made = await original.call(WebAssembly, source, imports);
      for (const part of [...Object.values(imports || {}), (made.instance || made).exports]) {
        Object.values(part).forEach(note);
      }
      const { js_get_proxy_js_ref_info: ask } = (imports && imports.env) || {};
      const { malloc, free, memory } = (made.instance || made).exports;
      if (ask) window.references = () => {
        const at = malloc(8);
        ask(at);
        const [most] = new Int32Array(memory.buffer, at);
        free(at);
        return most;
      };
      return made;
    };
  }
"""

# A FullStory that counts events and keeps nothing.
COUNT = "window.counted = 0; FS._api = (operation) => { counted += operation === 'trackEvent' }"

SOAK = """(count) => {
  window.done = false;
  const api = window.rudderanalytics || window.analytics;
  const some = () => {
    for (let i = 0; i < 200 && count > 0; i++, count--) {
      api.track("Product Added", { sku: "G-" + count, price: count / 8, quantity: count, tags: ["a", { b: "c" }] });
    }
    if (count > 0) setTimeout(some);
    else window.done = true;
  };
  some();
}"""

SIZES = """({
  wasm: [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
  tables: [...tables].reduce((sum, table) => sum + table.length, 0),
  references: window.references ? references() : 0, // of MicroPython to JavaScript: how many there were at once
})"""


def soak(page: Page, cdp: Any, count: int) -> Any:
    """Make that many calls, and return what memory then looks like."""
    page.evaluate(SOAK, count)
    wait_until(page, "done", 600 + count // 10)
    for _ in range(3):  # finalizers run in between
        cdp.send("HeapProfiler.collectGarbage")
        page.wait_for_timeout(100)
    return {"heap": cdp.send("Runtime.getHeapUsage")["usedSize"], **page.evaluate(SIZES)}


@pytest.mark.timeout(1800 + CALLS // 5)
@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
@pytest.mark.parametrize("destination", ["segment-classic", "segment-actions", "rudderstack"])
def test_memory_is_flat(page: Page, site: ShopSite, fullstory: FullStory, runtime: str, destination: str) -> None:
    cdp = page.context.new_cdp_session(page)
    page.goto(site.page("/", html_page(WATCH, tag(destination, org=ORG, runtime=runtime))))
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status) && !!window.FS && !!FS._api")
    page.evaluate(COUNT)
    before = soak(page, cdp, SETTLED)
    after = soak(page, cdp, CALLS - SETTLED)
    print(f"{destination} on {runtime}, after {SETTLED} and {CALLS} calls: {before} {after}")
    assert page.evaluate("counted") == CALLS
    assert before["wasm"]
    for what, size in before.items():
        assert after[what] <= size * ALLOWED + SLACK.get(what, 0), what


# A FullStory that counts events, and those that come out of turn. Every hundredth object of the page's is watched.
COUNT_IN_ORDER = """(() => {
  window.counted = window.disordered = 0;
  window.watched = [];
  FS._api = (operation, { properties } = {}) => {
    if (operation !== "trackEvent") return;
    if (properties.number !== ++counted) disordered++;
  };
})()"""
WATCHED_SOAK = """(count) => {
  window.done = false;
  let left = count;
  const some = () => {
    for (let i = 0; i < 200 && left > 0; i++, left--) {
      const properties = { number: (window.made = (window.made || 0) + 1), price: left / 8, tags: ["a", { b: "c" }] };
      if (made % 100 === 0) watched.push(new WeakRef(properties));
      analytics.track("Product Added", properties);
    }
    if (left > 0) setTimeout(some);
    else window.done = true;
  };
  some();
}"""
# Browsers collect what is old once a lot has become old: buffers, 300 MB at most, which nothing is ever written to.
# Python's last collection may have left a thousand calls.
COLLECTED = """(() => {
  if (!window.litter || litter.length > 300) window.litter = [];
  for (let i = 0; i < 20; i++) litter.push(new ArrayBuffer(1 << 20));
  return watched.filter((each) => each.deref()).length <= 20;
})()"""


@pytest.mark.timeout(1800 + CALLS // 5)
@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_all_engines_forget_calls(visitor: Visitor, site: ShopSite, runtime: str) -> None:
    site.put("/watched", html_page(WATCH, tag(org=ORG, runtime=runtime)))
    tab = visitor.tab
    tab.goto(site.local + "watched")
    wait_until(tab, "fsbridge.status === 'ready' && !!window.FS && !!FS._api")
    tab.evaluate(COUNT_IN_ORDER)

    def sizes(count: int) -> Any:
        tab.evaluate(f"({WATCHED_SOAK})({count})")
        wait_until(tab, "done", 600 + count // 10)
        wait_until(tab, COLLECTED, 300)
        return tab.evaluate(SIZES)

    before, after = sizes(SETTLED), sizes(CALLS - SETTLED)
    print(f"{visitor.engine}, {runtime}, after {SETTLED} and {CALLS} calls: {before} {after}")
    assert tab.evaluate("[counted, disordered]") == [CALLS, 0]
    assert before["wasm"]
    for what, size in before.items():
        assert after[what] <= size * ALLOWED + SLACK.get(what, 0), what
