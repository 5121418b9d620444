"""The host of the tag's MicroPython (web/micropython.js): what crosses, and how it lives beside another one."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from fsbridge.build import archives, pinned_versions, snapshot, stamp, web_sources
from fsbridge.testing import FullStory
from tests.e2e.conftest import ShopSite
from tools import npm

from .shop import html_page, tag, wait_until

PROBE = """
import js

kept = []

def echo(value):
    return value

def same(one, other):
    return one is other

def is_number(value):
    return type(value) in (int, float)

def length(text):
    return len(text)

def fail(text):
    raise ValueError(text)

def survive(text):
    try:
        fail(text)
    except ValueError as error:
        return "caught " + str(error)

def call(function, *args):
    return function(*args)

def method(value, name, *args):
    return getattr(value, name)(*args)

def build(**fields):
    return js.Object(**fields)

def new(name):
    return getattr(js, name).new(1, 2)

def read(value, key):
    return value[key]

def write(value, key, item):
    value[key] = item
    value.attribute = item
    return "%s %s" % (hasattr(value, "attribute"), hasattr(value, "other"))

def iterate(values):
    return len([value for value in values])

def adder(number):
    return lambda other: number + other

def keep(value):
    kept.append(value)

def say():
    print("one\\ntwo")
"""

# Boots an interpreter of its own with the probe's functions, for `page.evaluate`.
BOOT = """async () => {
  const folder = "/fsbridge/fsbridge/";
  const { boot } = await import(`${folder}micropython.js`);
  const at = (file) => folder + file;
  const parts = ["first.wasm", "probe.snapshot"].map((file) => fetch(at(file)));
  window.probe = (await boot(...parts, at, "probe")).pyimport("probe");
}"""


@pytest.fixture(scope="session")
def probe(web: Path) -> dict[str, bytes]:
    """The snapshots' files."""
    package = "@micropython/micropython-webassembly-pyscript"
    image = archives.image(archives.compiled({"probe.py": PROBE}, pinned_versions()[package]))
    made = snapshot.micropython(web_sources(), npm.provision() / package, image, ("probe",))
    build = stamp.read((web / "fsbridge/first.wasm").read_bytes())
    names = ("probe.snapshot", "probe.second.snapshot")
    return {name: stamp.mark(name, content, build) for name, content in zip(names, made, strict=True)}


NO_EXCEPTIONS = """
  const { Module } = WebAssembly;
  const EXCEPTIONS = 13; // the section that such modules have
  WebAssembly.Module = function (bytes) {
    for (let at = 8; at < bytes.length; ) {
      if (bytes[at++] === EXCEPTIONS) throw new WebAssembly.CompileError("no exceptions here");
      let size = 0;
      for (let shift = 0; ; shift += 7) {
        size |= (bytes[at] & 127) << shift;
        if (bytes[at++] < 128) break;
      }
      at += size;
    }
    return new Module(bytes);
  };
  Object.assign(WebAssembly.Module, { imports: Module.imports, customSections: Module.customSections });
"""


@pytest.fixture(params=["as it is", "without WebAssembly's exceptions"])
def booted(request: pytest.FixtureRequest, page: Page, site: ShopSite, probe: dict[str, bytes]) -> Page:
    if request.param != "as it is":
        page.add_init_script(NO_EXCEPTIONS)
    for name, content in probe.items():
        site.put(f"/fsbridge/fsbridge/{name}", content)
    page.goto(site.page("/", html_page("")))
    page.evaluate(BOOT)
    return page


def test_values_come_back_as_they_were(booted: Page) -> None:
    different = booted.evaluate("""() => {
      const values = [
        undefined, null, true, false, 0, -0, 1, -1, 0.1, 2 ** 30, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1,
        2 ** 53, -(2 ** 53), 1e300, 5e-324, NaN, Infinity, -Infinity, 2n ** 70n, Symbol("s"), {}, [], () => {},
        class {}, new Date(0), Object.create(null), new Proxy({}, {}), Promise.resolve(), window,
        "", "a", "\\0", "a\\0b", "é", "ß".repeat(99), "€", "😀", "😀".repeat(40), "\\ud83d", "\\ude00",
        "a".repeat(70) + "\\ud83d", "\\ude00" + "é".repeat(70), "\\ufeff", "\\ufeff" + "b".repeat(70),
        "x".repeat(1_000_000), "__proto__", "_ref",
      ];
      return values.filter((value) => !Object.is(probe.echo(value), value)).map(String);
    }""")
    assert different == []


def test_python_sees_what_it_is(booted: Page) -> None:
    assert booted.evaluate("""() => {
      const object = {};
      return [
        probe.same(object, object),
        probe.same(object, {}),
        [2 ** 40, -0, 0.5, 7].every((value) => probe.is_number(value)),
        probe.length("a😀é"),
        Object.is(probe.echo(probe.echo), probe.echo(probe.echo)),
        probe.adder(2)(3),
        probe.echo(probe.adder(2))(4),
      ];
    }""") == [True, False, True, 3, True, 5, 6]


def test_python_uses_objects(booted: Page) -> None:
    assert booted.evaluate("""() => {
      const written = {};
      const found = probe.write(written, "a b", 5);
      return [
        found, JSON.stringify(written), probe.read({ k: "v" }, "k"), probe.read(["a", "b"], 1),
        probe.method([3, 1, 2], "join", "+"), probe.method({ f() { return this.g; }, g: "own" }, "f"),
        probe.call((...args) => args.length, undefined, null, undefined), probe.new("Date") instanceof Date,
        probe.iterate(new Set([1, 2, 3])),
      ];
    }""") == ["True False", '{"a b":5,"attribute":5}', "v", "b", "3+1+2", "own", 3, True, 3]


def test_an_exception_of_python_is_one_here(booted: Page) -> None:
    assert booted.evaluate("""() => {
      const caught = [];
      for (const text of ["é", "2"]) {
        try {
          probe.fail(text);
        } catch (error) {
          caught.push(error.name, error instanceof Error, error.message.trim().split("\\n").pop());
        }
      }
      // Through JavaScript and back into Python.
      caught.push(probe.call(() => probe.survive("inside")), probe.survive("after"));
      return caught;
    }""") == [
        "PythonError",
        True,
        "ValueError: é",
        "PythonError",
        True,
        "ValueError: 2",
        "caught inside",
        "caught after",
    ]


def test_what_is_printed_goes_to_the_console(booted: Page) -> None:
    said = []
    booted.on("console", lambda message: said.append(message.text))
    booted.evaluate("probe.say()")
    booted.wait_for_function("true")
    assert said == ["one", "two"]


def test_the_memory_grows(booted: Page) -> None:
    assert (
        booted.evaluate("""() => {
      for (let index = 0; index < 40; index++) probe.keep("x".repeat(1_000_000) + index);
      return probe.echo("still there");
    }""")
        == "still there"
    )


def test_the_tag_lives_beside_pyscript_on_micropython(page: Page, site: ShopSite, fullstory: FullStory) -> None:
    """Each has its own memory, and functions of the one are the other's like any."""
    config = '{"interpreter": "/fsbridge/micropython/micropython.js"}'
    html = html_page(
        tag("segment-actions", org="o-1-na1"),
        f"""
        <script type="module" src="/pyscript/core.js"></script>
        <script type="mpy" config='{config}'>
          import js
          held = [js.Object.new() for _ in range(2000)]
          def follow(*args):
              js.analytics.track("From Python", js.JSON.parse('{{"n": 1}}'))
          js.analytics.ready(follow)
          js.analytics.on("track", lambda event, *rest: js.heard.push(event))
          js.ready = True
        </script>""",
    )
    page.add_init_script("window.heard = []")
    page.goto(site.page("/", html))
    wait_until(page, "window.ready && fsbridge.status === 'ready'")
    wait_until(page, "heard.length")
    page.evaluate("for (let n = 0; n < 50; n++) analytics.track('Many', { n })")
    fullstory.wait_for_event("From Python")
    wait_until(page, "heard.length === 51")
    assert [call.args[1]["properties"] for call in fullstory.calls if call.args[1].get("name") == "Many"] == [
        {"n": n} for n in range(50)
    ]
