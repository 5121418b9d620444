"""A notebook in a browser: `fsbridge.cloud` on Pyodide, through pyodide-http to a relay of the page's own site."""

import importlib.util
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route

from tests.e2e.conftest import ShopSite

from .shop import Console, html_page, wait_until

LIBRARIES = ("requests", "urllib3", "idna", "certifi", "charset_normalizer", "pyodide_http")
"""What installing ``fullstory-bridge[cloud]`` brings to a notebook."""

PYTHON = """
import datetime, os
import js
from fsbridge.cloud import Cloud, Rejected, Unavailable

def said(call):
    try:
        return str(call())
    except Exception as error:
        return type(error).__name__ + ": " + str(error)

os.environ["FULLSTORY_API_KEY"] = "na1.secret"
js.results.push(said(Cloud))
js.results.push(said(lambda: Cloud("na1.secret")))
cloud = Cloud(relay="https://shop.example", write_key="w-1", retry_for=5)
at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
js.results.push(said(lambda: cloud.track("u1", "Clicked é", {"at": at, "n": 1})))
js.results.push(said(lambda: cloud.send_many({"type": "track", "userId": "u1", "event": str(i)} for i in range(150))))
js.results.push(said(lambda: cloud.identify("refused")))
cloud = Cloud(relay="https://shop.example", write_key="w-1", retry_for=0)
js.results.push(said(lambda: cloud.identify("unreachable")))
js.results.push(said(cloud.me))
"""


def archive() -> Any:
    """The package and its libraries, in one zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        for name in ("fsbridge", *LIBRARIES):
            spec = importlib.util.find_spec(name)
            folder = Path(spec.origin).parent
            files = [Path(spec.origin)] if spec.submodule_search_locations is None else folder.rglob("*")
            for path in files:
                if path.suffix in (".py", ".pem"):
                    out.write(path, path.relative_to(folder.parent).as_posix())
    return packed.getvalue()


def test_pyodide_sends_to_a_relay(context: BrowserContext, page: Page, site: ShopSite) -> None:
    received = []
    answers: list[Any] = [429, "abort", 503]

    def relay(route: Route) -> None:
        received.append(route.request)
        body = route.request.post_data or ""
        if "unreachable" in body:
            route.abort()
        elif "refused" in body:
            route.fulfill(status=401, json={"message": "unknown write key"})
        elif not answers:
            route.fulfill(status=200, json={"success": True})
        elif (answer := answers.pop(0)) == "abort":
            route.abort()
        else:
            route.fulfill(status=answer, headers={"Retry-After": "0"})

    context.route("https://shop.example/v1/**", relay)
    site.put("/all.zip", archive())
    site.put("/app.py", PYTHON)
    console = Console(page)
    html = html_page(
        "window.results = [];",
        """<script type="module">
          import { loadPyodide } from "/fsbridge/pyodide/pyodide.js";
          const python = await loadPyodide({ indexURL: "/fsbridge/pyodide/" });
          python.unpackArchive(await (await fetch("/all.zip")).arrayBuffer(), "zip");
          python.runPython(await (await fetch("/app.py")).text());
        </script>""",
    )
    page.goto(site.page("/notebook", html))
    wait_until(page, "results.length >= 7")
    results = page.evaluate("results")
    no_key = "SettingsError: A page can't keep an API key"
    for result, begins in zip(
        results,
        [
            no_key,
            no_key,
            "1",
            "Sent(messages=150, requests=150, rejected=0)",
            "Rejected: POST /v1/identify: HTTP 401: unknown write key (the relay doesn't know this write key)",
            "Unavailable: POST /v1/identify: ",
            "SettingsError: me needs an API key",
        ],
        strict=True,
    ):
        assert result.startswith(begins), results
    tracks = [json.loads(each.post_data) for each in received[:4]]
    assert [each.url for each in received[:4]] == ["https://shop.example/v1/track"] * 4
    assert len({each["messageId"] for each in tracks}) == 1
    assert tracks[0]["event"] == "Clicked é"
    assert tracks[0]["properties"] == {"at": "2026-01-02T03:04:05.000Z", "n": 1}
    assert received[0].headers["authorization"] == "Basic dy0xOg=="
    assert [len(json.loads(each.post_data)["batch"]) for each in received[4:6]] == [100, 50]
    assert console.thrown == []
    assert not [line for line in console.written if "unsafe header" in line or "secret" in line]
