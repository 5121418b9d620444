"""Memory is flat: many calls leave no more behind than few.

FSBRIDGE_SOAK=200000 makes that many calls on each, and compares with the memory after a tenth of them.
"""

import os

import pytest

from .shop import ORG, html_page, tag, wait_until

CALLS = int(os.environ.get("FSBRIDGE_SOAK", "6000"))
SETTLED = CALLS // (10 if CALLS > 6000 else 3)
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


def soak(page, cdp, count):
    """Make that many calls, and return what memory then looks like."""
    page.evaluate(SOAK, count)
    wait_until(page, "done", 60 + count // 100)
    for _ in range(3):  # finalizers run in between
        cdp.send("HeapProfiler.collectGarbage")
        page.wait_for_timeout(100)
    return {"heap": cdp.send("Runtime.getHeapUsage")["usedSize"], **page.evaluate(SIZES)}


@pytest.mark.timeout(60 + CALLS // 50)
@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
@pytest.mark.parametrize("destination", ["segment-classic", "segment-actions", "rudderstack"])
def test_memory_is_flat(page, site, fullstory, runtime, destination):
    cdp = page.context.new_cdp_session(page)
    page.goto(site.page("/", html_page(WATCH, tag(destination, org=ORG, runtime=runtime))))
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status) && !!window.FS && !!FS._api", 60)
    page.evaluate(COUNT)
    before = soak(page, cdp, SETTLED)
    after = soak(page, cdp, CALLS - SETTLED)
    print(f"{destination} on {runtime}, after {SETTLED} and {CALLS} calls: {before} {after}")
    assert page.evaluate("counted") == CALLS
    assert before["wasm"]
    for what, size in before.items():
        assert after[what] <= size * ALLOWED + SLACK.get(what, 0), what
