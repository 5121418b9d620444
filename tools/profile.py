"""Which of MicroPython's functions run, and which of its data they read, while Chromium plays the recordings.

python -m tools.profile    renews web/interpreter/profile.json, by which the build splits the interpreter in two

The file has the functions that ran on any page load, and the spans of data that were read. An interpreter that tells
takes the place of the first part (``web/interpreter/instrument.mjs``).
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from fsbridge.build import INTERPRETERS, build_web, web_sources
from tests.conformance.browser import visits
from tests.conformance.browser.stage import Stage, Visit
from tests.conformance.recordings import recordings

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
GRAIN = 16
FOLDER = web_sources() / "interpreter"


def planned() -> list[Visit]:
    """The recordings as page loads."""
    segment = [*recordings("segment-classic"), *recordings("segment-actions")]
    rudderstack = [each for each in recordings("rudderstack") if not each.get("extraDestinations")]
    made = [visits.segment(each, "micropython") for each in segment]
    return made + [visits.rudderstack(each, "micropython") for each in rudderstack]


def spans(grains: set[int]) -> list[list[int]]:
    """Pairs of address and size."""
    found: list[list[int]] = []
    for grain in sorted(grains):
        if found and sum(found[-1]) == grain * GRAIN:
            found[-1][1] += GRAIN
        else:
            found.append([grain * GRAIN, GRAIN])
    return found


def main() -> None:
    node_modules = npm.provision()
    program = node_modules / INTERPRETERS["micropython"][0] / "micropython.wasm"
    ran: set[int] = set()
    read: set[int] = set()
    loads = planned()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        web = Path(folder, "web")
        build_web(web, node_modules, ["micropython"], for_release=False)
        command = ["node", str(FOLDER / "instrument.mjs"), str(web / "fsbridge/first.wasm"), str(program)]
        subprocess.run(command, check=True)
        chromium = playwright.chromium.launch(**browser.launch_options(browser.provision()))  # type: ignore[arg-type]
        stage = Stage(chromium, web)
        stage.context.add_init_script(CAPTURE)
        for done, visit in enumerate(loads, 1):
            stage.play(visit)
            found = stage.page.evaluate(COLLECT, [FREE, GRAIN])
            ran.update(found["ran"])
            read.update(found["read"])
            print(f"\r{done} of {len(loads)}: {len(ran)} functions", end="", file=sys.stderr)
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    profile = {"sha256": digest, "visits": len(loads), "ran": sorted(ran), "read": spans(read)}
    lines = [f"  {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in profile.items()]
    (FOLDER / "profile.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
