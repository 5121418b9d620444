"""The archives of a build, in a browser: what a PyScript page and the tag make of them."""

import pytest

INTERPRETERS = {"mpy": "micropython/micropython.mjs", "py": "pyodide/pyodide.mjs"}


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
        from fsbridge.runtime import get, kind, put, window
        from fsbridge.version import VERSION
        put(window.document, "title", kind(get(window, "location")) + " " + VERSION)
      </script>"""
    complaints = []
    page.on("console", lambda message: message.type in ("warning", "error") and complaints.append(message.text))
    page.goto(site.page("/pyscript.html", html))
    wait_for_title(page, "object 0.1.0")
    assert complaints == []


def test_micropython_imports_the_json(page, site):
    html = """<!doctype html><title>Loading</title><script type="module">
      import { loadMicroPython } from "/fsbridge/micropython/micropython.mjs";
      const [python, sources] = await Promise.all([
        loadMicroPython(),
        fetch("/fsbridge/fsbridge.json").then((response) => response.json()),
      ]);
      for (const [path, source] of Object.entries(sources)) {
        python.FS.mkdirTree(path.replace(/\\/[^/]*$/, ""));
        python.FS.writeFile(path, source);
      }
      python.runPython("from fsbridge.version import VERSION; import js; js.document.title = VERSION");
    </script>"""
    policy = "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'"
    page.goto(site.page("/direct.html", html, {"Content-Security-Policy": policy}))
    wait_for_title(page, "0.1.0")
