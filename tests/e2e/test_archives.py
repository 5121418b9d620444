"""The archives of a build, in a browser: what a PyScript page and the tag make of them."""

import re

import pytest

from fsbridge.build import build_web, release
from fsbridge.build.release import POLICY
from tools import npm

from .shop import wait_until

INTERPRETERS = {"mpy": "micropython/micropython.js", "py": "pyodide/pyodide.js"}


def wait_for_title(page, title, seconds=60):
    for _ in range(seconds * 20):
        if page.title() == title:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"title is {page.title()!r}, expected {title!r}")


@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_a_pyscript_page_imports_the_zip(page, site, runtime):
    html = f"""<!doctype html><title>Loading</title>
      <script type="module" src="/pyscript/core.js"></script>
      <script type="{runtime}" config='{{
        "interpreter": "/fsbridge/{INTERPRETERS[runtime]}",
        "files": {{"/fsbridge/fsbridge.zip": "./*"}}
      }}'>
        from fsbridge.runtime import get, put, type_of, window
        from fsbridge.version import VERSION
        put(window.document, "title", type_of(get(window, "location")) + " " + VERSION)
      </script>"""
    complaints = []
    page.on("console", lambda message: message.type in ("warning", "error") and complaints.append(message.text))
    page.goto(site.page("/pyscript.html", html))
    wait_for_title(page, "object 0.1.0")
    assert complaints == []


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A release of all runtimes, but for the compressed copies, which take long."""
    out = tmp_path_factory.mktemp("dist") / "web"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "_compress", lambda files: None)
        build_web(out, npm.provision())
    return out


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_a_release_works_from_hashed_names(page, bare_site, fullstory, released, runtime):
    bare_site.mount("/fsbridge/", released)
    tag = re.search(r'src="/fsbridge/fsbridge-\S+ +integrity="\S+" crossorigin="anonymous"', install(released))[0]
    preloads = re.findall(r"<link [^>]+>", install(released)) if runtime == "micropython" else []
    html = f"""<!doctype html><title>Shop</title>{"".join(preloads)}<script {tag}
      data-destination="segment-classic" data-org="o-1" data-runtime="{runtime}"></script>
      <script src="/page.js"></script>"""
    bare_site.put("/page.js", "analytics.track('Called');")
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))

    page.goto(bare_site.page("/shop", html, {"Content-Security-Policy": f"default-src 'none'; {POLICY}"}))
    fullstory.wait_for_event("Called", timeout=60_000)

    ours = [url for url in requests if "/fsbridge/" in url]
    if runtime == "pyodide":
        again = next(url for url in ours if re.search(r"/pyodide-\w+/pyodide\.js$", url))
        ours.remove(again)  # with a snapshot it stands in for the library
        program = next(url for url in ours if url.endswith("/pyodide.asm.wasm"))
        if ours.count(program) == 2:  # a start of several seconds makes the loader look what it is
            ours.remove(program)
    assert len(ours) == len(set(ours))
    assert len(ours) == {"micropython": 4, "pyodide": 6}[runtime]
    assert all(re.search(r"-[0-9a-f]{8}[./]", url) for url in ours)
    assert complaints == []


def test_a_changed_tag_is_refused(page, bare_site, released):
    attributes = re.search(r'integrity="\S+" crossorigin="anonymous"', install(released))[0]
    bare_site.put("/changed.js", (released / "fsbridge.js").read_bytes() + b" ")
    page.goto(bare_site.page("/shop", f'<!doctype html><script src="/changed.js" {attributes}></script>'))
    assert page.evaluate("typeof fsbridge") == "undefined"


@pytest.mark.parametrize(
    ("attributes", "name", "works"),
    [
        ('data-destination="segment-classic"', "segment-classic", True),
        ('data-destination="rudderstack" data-source="rudderanalytics"', "rudderstack", True),
        ('data-destination="segment-classic" data-source="rudderanalytics"', "all", True),
        ('data-destination="toString"', "all", False),
    ],
)
def test_micropython_starts_from_the_snapshot_for_the_destination(page, site, fullstory, attributes, name, works):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(
        site.page("/shop", f'<!doctype html><script src="/fsbridge/fsbridge.js" {attributes} data-org="o-1"></script>')
    )
    wait_until(page, "!['loading', 'queueing'].includes(fsbridge.status)", 60)
    assert [url.rpartition("/")[2] for url in requests if url.endswith(".snapshot")] == [f"{name}.snapshot"]
    assert (page.evaluate("fsbridge.status") == "ready") == works


def test_a_runtime_that_was_not_built_is_said(page, bare_site, fullstory, tmp_path):
    build_web(tmp_path / "web", npm.provision(), ["pyodide"], for_release=False)
    bare_site.mount("/fsbridge/", tmp_path / "web")
    html = """<!doctype html><script src="/fsbridge/fsbridge.js" data-destination="segment-classic"
      data-org="o-1" data-runtime="micropython"></script>"""
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(bare_site.page("/shop", html))
    wait_until(page, "fsbridge.status === 'ready'", 60)
    assert said == ["[fsbridge] unknown data-runtime micropython; accepted: pyodide"]


def install(released):
    """The lines to paste, in one."""
    return " ".join((released / "INSTALL.md").read_text("utf-8").split())
