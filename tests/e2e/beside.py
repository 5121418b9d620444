"""The vendors' real SDKs on a page: their snippets, what answers them, and what they were heard to send."""

import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, Route

from fsbridge.build.node import find_node
from tools import npm

WRITE_KEY = "key"
CUSTOM = "custom-1"
"""The id of RudderStack's custom destination."""


def modules() -> Path:
    return npm.provision(Path(__file__).parent)


@functools.cache
def segment_snippet(load: Any = True, page: bool = False, key: str = "analytics") -> Any:
    """Segment's own snippet, 5.2; ``load``: whether it loads the SDK at once."""
    code = "console.log(require(process.argv[1]).max(JSON.parse(process.argv[2])))"
    options = {
        "host": "cdn.example",
        "apiKey": WRITE_KEY,
        "load": load,
        "page": page,
        "globalAnalyticsKey": key,
        "ajsPath": "/analytics.js/v1/key/analytics.min.js",
    }
    command = [find_node(), "-e", code, str(modules() / "@segment/snippet"), json.dumps(options)]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout


def segment_snippet_4(load: Any = True) -> Any:
    """A snippet as Segment gave it out as 4.13: no page context, and no register."""
    text = segment_snippet(load)
    start, end = text.index("// Add buffered page context"), text.index("args.unshift(e)")
    text = text[:start] + text[end:]
    return text.replace(',\n    "register"', "").replace('"screen",', "").replace("5.2.0", "4.13.2")


RUDDER_SNIPPET = """
(function () {
  "use strict";
  window.RudderSnippetVersion = "3.0.60";
  if (!window.rudderanalytics) window.rudderanalytics = [];
  const buffer = window.rudderanalytics;
  if (!Array.isArray(buffer)) return;
  if (buffer.snippetExecuted === true) {
    console.error("RudderStack JavaScript SDK snippet included more than once.");
    return;
  }
  buffer.snippetExecuted = true;
  const methods = ["setDefaultInstanceKey", "load", "ready", "page", "track", "identify", "alias", "group", "reset",
    "setAnonymousId", "startSession", "endSession", "consent", "addCustomIntegration"];
  for (const method of methods) {
    buffer[method] = function () {
      if (Array.isArray(window.rudderanalytics)) buffer.push([method].concat([].slice.call(arguments)));
      else window.rudderanalytics[method].apply(window.rudderanalytics, arguments);
    };
  }
  const script = document.createElement("script");
  script.async = true;
  script.src = "https://cdn.example/rudder/rsa.js";
  document.head.append(script);
})();
"""


@functools.cache
def rudders_own() -> str:
    """JavaScript that puts RudderStack's own FullStory integration, that of its SDK 1.4, at ``RudderFullstory``."""
    sdk = (modules() / "rudderstack-oldest/index.js").read_text(encoding="utf-8")
    last = "exports.track = track;"
    assert sdk.count(last) == 1
    sdk = sdk.replace(last, last + " window.RudderFullstory = Fullstory;")
    return f"{{ const exports = {{}}, module = {{}}; {sdk} }}"


RUDDER_LOAD = 'rudderanalytics.load("key", "https://data.example", { configUrl: "https://config.example" });'


def rudder_config(*destinations: Any) -> Any:
    """A source configuration with the custom destination, and others."""
    custom = destination(CUSTOM, "Custom Device Mode")
    return {
        "source": {
            "id": "source-1",
            "name": "Shop",
            "writeKey": WRITE_KEY,
            "enabled": True,
            "workspaceId": "w",
            "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
            "connections": [],
            "destinations": [custom, *destinations],
        },
        "updatedAt": "2026-01-01T00:00:00.000Z",
    }


def destination(id_: Any, name: str, **config: Any) -> Any:
    return {
        "id": id_,
        "name": name,
        "enabled": True,
        "config": {"connectionMode": "device", "useNativeSDK": True, **config},
        "destinationDefinition": {"name": name.upper(), "displayName": name},
        "destinationDefinitionId": name,
        "shouldApplyDeviceModeTransformation": False,
        "propagateEventsUntransformedOnError": False,
    }


@functools.cache
def consent_tools() -> str:
    """JavaScript with Segment's consent wrapper for any platform, at ``consentTools``."""
    code = """
      const [esbuild, resolveDir] = process.argv.slice(1);
      const stdin = { contents: 'export * from "@segment/analytics-consent-tools"', resolveDir };
      const made = require(esbuild).buildSync({ stdin, bundle: true, globalName: "consentTools", write: false });
      process.stdout.write(made.outputFiles[0].text);
    """
    command = [find_node(), "-e", code, str(npm.provision() / "esbuild"), str(modules().parent)]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout


ACTIONS = "/actions/fullstory.js"


def with_actions(**settings: Any) -> Any:
    """A workspace's settings document with Segment's own FullStory (Actions) destination."""
    plugin = {
        "name": "Fullstory (Actions)",
        "creationName": "Fullstory (Actions)",
        "libraryName": "fullstoryDestination",
        "url": "https://cdn.example" + ACTIONS,
        "settings": {**settings, "versionSettings": {"componentTypes": []}},
    }
    return {**SEGMENT_SETTINGS, "remotePlugins": [plugin]}


SEGMENT_SETTINGS = {
    "integrations": {"Segment.io": {"apiKey": WRITE_KEY, "apiHost": "api.example/v1"}},
    "plan": {},
}


class Vendors:
    """Answers the SDKs on ``page``, and keeps the messages that they send in ``got``, in order, as whole objects.

    An SDK gets its settings, and begins, once the page is parsed: what stands below it on the page has run by then.
    """

    def __init__(self, page: Page, older: Any = False, settings: Any = None, config: Any = None) -> None:
        self._page = page
        self.got: list[Any] = []
        self.loaded: list[Any] = []
        self.settings = settings or SEGMENT_SETTINGS
        self.config = config or rudder_config()
        self.segment = modules() / ("analytics-next-older" if older else "@segment/analytics-next") / "dist/umd"
        self.rudder = modules() / "@rudderstack/analytics-js/dist/npm/modern/bundled/cjs/index.cjs"
        self.actions = modules() / "@segment/browser-destinations/dist/web"
        self.held: list[Any] | None = None
        self._is_parsing = False
        self._asked: list[tuple[Route, Any]] = []
        page.on("request", self._note)
        page.on("domcontentloaded", lambda page: self._begin())
        page.route(re.compile(r"^https://(cdn|api|data|config)\.example/"), self._answer)
        page.route("https://*.segment.*/**", lambda route: route.fulfill(json={"success": True}, headers=OPEN))
        page.route("https://*.rudderlabs.com/**", lambda route: route.abort())

    def names(self) -> Any:
        return [each.get("event") or each.get("name") or each["type"] for each in self.got]

    def wait_for(self, name: str) -> None:
        """Until an SDK has sent a message of this name."""
        for _ in range(2400):
            if name in self.names():
                return
            self._page.wait_for_timeout(50)
        raise AssertionError(f"no SDK has sent {name}, but {self.names()}")

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.hostname in ("api.example", "data.example"):
            body = json.loads(route.request.post_data or "{}")
            self.got.extend(each for each in body.get("batch", [body]) if "type" in each)
            route.fulfill(json={"success": True}, headers=OPEN)
        elif url.hostname == "config.example":
            self._give(route, self.config)
        elif url.path.endswith("/settings"):
            self._give(route, self.settings)
        elif url.path.endswith("/analytics.min.js"):
            self._serve(route, self.segment / "standalone.js")
        elif url.path.endswith("/rsa.js"):
            self._serve(route, self.rudder)
        elif url.path == ACTIONS:
            self._serve(route, next((self.actions / "fullstory").glob("*.js")))
        elif (self.actions / url.path[1:]).is_file():  # parts of that
            self._serve(route, self.actions / url.path[1:])
        else:
            self._serve(route, self.segment / Path(url.path).name)

    def _note(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self._page.main_frame:
            self._is_parsing = True

    def _begin(self) -> None:
        self._is_parsing = False
        asked, self._asked = self._asked, []
        for route, settings in asked:
            self._give(route, settings)

    def _give(self, route: Route, settings: Any) -> None:
        if self._is_parsing:
            self._asked.append((route, settings))
        else:
            route.fulfill(json=settings, headers=OPEN)

    def _serve(self, route: Route, file: Path) -> None:
        self.loaded.append(file.name)
        if self.held is not None:
            self.held.append((route, file))
            return
        if not file.is_file():
            route.abort()
            return
        text = file.read_text(encoding="utf-8")
        if file == self.rudder:  # npm has no build for script tags: one makes the SDK's only instance
            text = f"(() => {{ const exports = {{}}; {text}\n new exports.RudderAnalytics(); }})()"
        route.fulfill(body=text, content_type="text/javascript", headers=OPEN)

    def hold(self) -> None:
        """Let scripts wait until `release`."""
        self.held = []

    def release(self) -> None:
        held, self.held = self.held, None
        for route, file in held:
            self._serve(route, file)


OPEN = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
