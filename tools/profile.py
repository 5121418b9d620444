"""Which of MicroPython's functions run, and which of its data they read, while Chromium plays the recordings.

python -m tools.profile    renews web/interpreter/profile.json, by which the build splits the interpreter in two

The file has the functions that ran on any page load, and the spans of data that were read. An interpreter that tells
takes the place of the first part (``web/interpreter/instrument.mjs``). All of the package's modules are imported when
it starts: what an import needs beyond comes with the modules that are imported later.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from playwright.sync_api import sync_playwright

from fsbridge.build import INTERPRETERS, archives, build_web, stamp, web_sources
from tests.conformance.browser import visits
from tests.conformance.browser.stage import Internet, Stage, Visit
from tests.conformance.recordings import recordings
from tests.e2e.net import Net

from . import browser, npm

CAPTURE = """{
  const original = WebAssembly.instantiate;
  WebAssembly.instantiate = async (module, ...given) => {
    const instance = await original(module, ...given);
    if (instance.exports && instance.exports.mp_js_init) window.interpreter = instance.exports;
    return instance;
  };
}"""
COLLECT = """([free, grain]) => {
  const { memory, ...exports } = window.interpreter;
  const ran = Object.keys(exports).filter((name) => name.startsWith("ran") && exports[name].value);
  const marks = new Uint8Array(memory.buffer, free, free / grain);
  const read = [];
  for (let at = marks.indexOf(1); at >= 0; at = marks.indexOf(1, at + 1)) read.push(at);
  return { ran: ran.map((name) => +name.slice(3)), read };
}"""
FREE = 0x2000000  # as in web/interpreter/module.mjs
GRAIN = 4
ROUGHLY = 16  # bytes
FOLDER = web_sources() / "interpreter"


def planned() -> list[Visit]:
    """The recordings as page loads."""
    segment = [*recordings("segment-classic"), *recordings("segment-actions")]
    rudderstack = [each for each in recordings("rudderstack") if not each.get("extraDestinations")]
    made = [visits.segment(each, "micropython") for each in segment]
    return made + [visits.rudderstack(each, "micropython") for each in rudderstack]


def spans(grains: set[int]) -> list[list[int]]:
    """Pairs of address and size, rounded to what is enough to know."""
    found: list[list[int]] = []
    for start in sorted({grain * GRAIN // ROUGHLY * ROUGHLY for grain in grains}):
        if found and sum(found[-1]) == start:
            found[-1][1] += ROUGHLY
        else:
            found.append([start, ROUGHLY])
    return found


def _modules(destination: str) -> tuple[str, ...]:
    """All modules that there may be with this destination."""
    found = archives.modules_for(destination) - {"fsbridge.runtime.pyodide"}
    return tuple(sorted(name for name in found if name.startswith("fsbridge")))


def main() -> None:
    node_modules = npm.provision()
    program = node_modules / INTERPRETERS["micropython"][0] / "micropython.wasm"
    ran: set[int] = set()
    read: set[int] = set()
    loads = planned()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        web = Path(folder, "web")
        every = {name: _modules(name) for name in archives.names()}
        with mock.patch.object(archives, "entries", every.get):
            build_web(web, node_modules, ["micropython"], for_release=False)
        first = web / "fsbridge/first.wasm"
        build = stamp.read(first.read_bytes())
        subprocess.run(["node", str(FOLDER / "instrument.mjs"), str(first), str(program)], check=True)
        first.write_bytes(stamp.mark(first.name, first.read_bytes(), build))
        chromium = playwright.chromium.launch(**browser.launch_options(browser.provision()))
        internet = Internet(web)
        net = Net(internet)
        stage = Stage(chromium, internet, net.proxy)
        stage.context.add_init_script(CAPTURE)
        for done, visit in enumerate(loads, 1):
            stage.play(visit)
            found = stage.page.evaluate(COLLECT, [FREE, GRAIN])
            ran.update(found["ran"])
            read.update(found["read"])
            if not found["ran"]:
                raise SystemExit(f"MicroPython didn't run: {stage.page.evaluate('fsbridge.status')}")
            print(f"\r{done} of {len(loads)}: {len(ran)} functions", end="", file=sys.stderr)
        net.close()
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    profile = {"sha256": digest, "loads": len(loads), "ran": sorted(ran), "read": spans(read)}
    lines = [f"  {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in profile.items()]
    (FOLDER / "profile.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
