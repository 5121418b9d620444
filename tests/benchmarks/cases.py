"""What is measured: pages that make one call in the head, each with another way to FullStory."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fsbridge.build import build_web
from fsbridge.destinations.segment_actions import DEFAULT_MAPPINGS, NAME
from tools import npm

HERE = Path(__file__).parent
SITE = "shop.example"
ORG = "o-1ABC-na1"
KEY = "Wr1teK3y"
CALL = 'track("Page Opened", {"section": "shoes", "items": 12, "signed_in": false})'

Files = Mapping[str, Path | bytes]
"""What is served: "host/path" → a file or its content."""


@dataclass(frozen=True)
class Case:
    """One way to FullStory. ``head`` goes into the page; ``api`` is the global whose ``track`` the bursts call, empty
    where only the boot is measured. ``every`` is 3 for what takes long and is measured in every third round only."""

    name: str
    title: str
    head: str
    api: str = "analytics"
    every: int = 1

    @property
    def everywhere(self) -> bool:
        """Whether other engines than Chromium measure it: both vendors, and what stands beside each."""
        return self.name in ("micropython", "segment", "rudder-micropython", "rudderstack")

    @property
    def path(self) -> str:
        return f"/{self.name}/"

    def page(self) -> str:
        """The page's HTML."""
        probe = (HERE / "probe.js").read_text(encoding="utf-8")
        return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Shop</title>
<link rel="icon" href="data:,">
<script>{probe}</script>
{self.head}
<h1>Shop</h1>
<p>A page with a little text.</p>
"""


# The same configuration for fsbridge and the vendor

# The bundle that Segment publishes on npm has the V1 actions.
ACTIONS = (("trackEvent", "track"), ("identifyUser", "identify"), ("viewedPage", "page"))
SEGMENT_SETTINGS = {
    "orgId": ORG,
    "subscriptions": [
        {
            "name": action,
            "enabled": True,
            "subscribe": f'type = "{kind}"',
            "partnerAction": action,
            "mapping": DEFAULT_MAPPINGS[action],
        }
        for action, kind in ACTIONS
    ],
}
RUDDER_SETTINGS = {
    "fs_org": ORG,
    "fs_debug_mode": False,
    "fs_host": "fullstory.com",
    "eventFilteringOption": "disable",
    "whitelistedEvents": [],
    "blacklistedEvents": [],
    "useNativeSDK": True,
    "connectionMode": "device",
    "consentManagement": [],
}

# What pages hold


def _script(text: str) -> str:
    return f"<script>{text}</script>"


def _tag(destination: str, runtime: str, settings: object) -> str:
    return (
        f'<script src="/fsbridge/fsbridge.js" data-destination="{destination}" data-runtime="{runtime}" '
        f'data-settings="{html.escape(json.dumps(settings))}"></script>'
    )


def _pyscript(kind: str, interpreter: str) -> str:
    config = html.escape(json.dumps({"interpreter": interpreter, "files": {"/fsbridge/fsbridge.zip": "./*"}}))
    return f"""<script type="module" src="/pyscript/core.js"></script>
<script type="{kind}" config="{config}">
from fsbridge import connect

analytics = connect("segment-actions", expose=True, **{SEGMENT_SETTINGS!r})
analytics.{CALL.replace("false", "False")}
</script>"""


PLAIN_PYODIDE = """<script type="module">
import { loadPyodide } from "/pyodide/pyodide.mjs";
await loadPyodide({ indexURL: "/pyodide/" });
bench.received("trackEvent", { name: "Page Opened" });
</script>"""

# As in the vendors' own snippets: a buffer until the SDK is there, and the request for it. Nothing is sent to Segment
# (its load option for that), so that both sides do the same: reach FullStory.
SEGMENT = f"""
var analytics = window.analytics = [];
analytics._writeKey = "{KEY}";
analytics._loadOptions = {{ integrations: {{ "Segment.io": false }} }};
["track", "page", "identify", "ready"].forEach(function (method) {{
  analytics[method] = function () {{
    analytics.push([method].concat(Array.prototype.slice.call(arguments)));
    return analytics;
  }};
}});
var script = document.createElement("script");
script.async = true;
script.src = "https://cdn.segment.com/analytics.js/v1/{KEY}/analytics.min.js";
document.head.appendChild(script);
"""

RUDDERSTACK = """
var calls = [];
var rudderanalytics = { track: function () { calls.push(arguments); } };
var script = document.createElement("script");
script.async = true;
script.src = "https://cdn.rudderlabs.com/v3/modern/rsa.min.js";
script.onload = function () {
  var sdk = new window.rudderanalytics.RudderAnalytics();
  window.rudderanalytics = sdk;
  sdk.load("%s", "https://dataplane.rudderstack.com", {
    destSDKBaseURL: "%s",
    getSourceConfig: function () { return %s; },
  });
  calls.forEach(function (call) { sdk.track.apply(sdk, call); });
};
document.head.appendChild(script);
"""


def _segment_document(bundle: str) -> object:
    """Segment's settings document, with the destination as it is loaded in production: as a remote plugin."""
    plugin = {"name": NAME, "creationName": NAME, "libraryName": "fullstoryDestination", "url": bundle}
    calls = ("track", "identify", "group")
    return {
        "integrations": {"Segment.io": {"apiKey": KEY, "versionSettings": {"componentTypes": ["browser"]}}},
        "plan": {call: {"__default": {"enabled": True, "integrations": {}}} for call in calls},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [{**plugin, "settings": {**SEGMENT_SETTINGS, "versionSettings": {"componentTypes": []}}}],
    }


def _rudder_document() -> object:
    """RudderStack's source configuration with one device-mode destination."""
    updated = "2026-01-01T00:00:00.000Z"
    destination = {
        "id": "destination-1",
        "name": "FullStory",
        "enabled": True,
        "shouldApplyDeviceModeTransformation": False,
        "config": RUDDER_SETTINGS,
        "destinationDefinitionId": "definition-1",
        "destinationDefinition": {"name": "FULLSTORY", "displayName": "Fullstory"},
        "updatedAt": updated,
    }
    off = {"enabled": False}
    source = {
        "id": "source-1",
        "name": "shop",
        "writeKey": KEY,
        "enabled": True,
        "workspaceId": "workspace-1",
        "config": {"statsCollection": {"errors": off, "metrics": off}},
        "connections": [],
        "destinations": [destination],
    }
    return {"source": source, "updatedAt": updated}


def prepare(folder: Path) -> tuple[list[Case], Files]:
    """Build into ``folder`` what is served; returns the cases and what to serve."""
    interpreters, peers = npm.provision(), npm.provision(HERE)
    web = folder / "web"
    # The lines to paste ask for MicroPython's files at once.
    preloads = "".join(re.findall("<link [^>]+>", build_web(web, interpreters)))

    files: dict[str, Path | bytes] = {
        "edge.fullstory.com/s/fs.js": HERE / "fs.js",
        "elsewhere.example/": b"<!doctype html><title>Elsewhere</title>",
    }

    segment, cdn = peers / "@segment", "cdn.segment.com"
    bundles = segment / "browser-destinations/dist/web"
    (bundle,) = bundles.glob("fullstory/*.js")
    for file in (bundle, *bundles.glob("[0-9]*/*.js")):  # folders of numbers: chunks that bundles have in common
        files[f"{cdn}/next-integrations/actions/{file.parent.name}/{file.name}"] = file
    document = _segment_document(f"https://{cdn}/next-integrations/actions/fullstory/{bundle.name}")
    files[f"{cdn}/analytics.js/v1/{KEY}/analytics.min.js"] = segment / "analytics-next/dist/umd/standalone.js"
    files[f"{cdn}/v1/projects/{KEY}/settings"] = json.dumps(document).encode()

    sdk = peers / "@rudderstack/analytics-js"
    version = json.loads((sdk / "package.json").read_text(encoding="utf-8"))["version"]
    integrations = f"cdn.rudderlabs.com/{version}/modern/js-integrations"
    # The build with all plugins in one file: it needs fewer requests than the CDN's.
    bundled = sdk / "dist/npm/modern/bundled/umd/index.js"
    files["cdn.rudderlabs.com/v3/modern/rsa.min.js"] = _minified(peers, bundled)
    files[f"{integrations}/Fullstory.min.js"] = _minified(peers, HERE / "rudder-fullstory.js")

    for prefix, root in (
        ("fsbridge", web),
        ("pyscript", interpreters / "@pyscript/core/dist"),
        ("micropython", interpreters / "@micropython/micropython-webassembly-pyscript"),
        ("pyodide", interpreters / "pyodide"),
    ):
        for file in root.rglob("*"):
            if file.is_file() and file.suffix not in (".br", ".gz", ".map", ".md", ".ts"):
                files[f"{SITE}/{prefix}/{file.relative_to(root).as_posix()}"] = file

    cases = [
        _tagged("micropython", "fsbridge, MicroPython", "segment-actions", "micropython", SEGMENT_SETTINGS, preloads),
        Case("segment", "Segment", _script(SEGMENT + f"analytics.{CALL}")),
        _tagged("pyodide", "fsbridge, Pyodide", "segment-actions", "pyodide", SEGMENT_SETTINGS, every=3),
        Case("pyscript-mpy", "PyScript mpy, connect", _pyscript("mpy", "/micropython/micropython.mjs")),
        Case("pyscript-py", "PyScript py, connect", _pyscript("py", "/pyodide/pyodide.mjs"), every=3),
        _tagged(
            "classic-micropython",
            "fsbridge, Classic",
            "segment-classic",
            "micropython",
            {"org": ORG},
            preloads,
            every=3,
        ),
        _tagged("rudder-micropython", "fsbridge, MicroPython", "rudderstack", "micropython", RUDDER_SETTINGS, preloads),
        Case(
            "rudderstack",
            "RudderStack",
            _script(
                RUDDERSTACK % (KEY, f"https://{integrations}", json.dumps(_rudder_document()))
                + f"rudderanalytics.{CALL}"
            ),
            "rudderanalytics",
        ),
        Case("plain-pyodide", "Pyodide itself, boot", PLAIN_PYODIDE, api="", every=3),
    ]
    files.update({SITE + case.path: case.page().encode() for case in cases})
    return cases, files


def _tagged(
    name: str, title: str, destination: str, runtime: str, settings: object, preloads: str = "", every: int = 1
) -> Case:
    head = preloads.replace("segment-classic", destination) + _tag(destination, runtime, settings)
    if destination == "rudderstack":
        load = f'rudderanalytics.load("{KEY}", "https://dataplane.rudderstack.com");'
        return Case(name, title, head + _script(f"{load} rudderanalytics.{CALL}"), "rudderanalytics", every)
    return Case(name, title, head + _script(f"analytics.{CALL}"), every=every)


def _minified(peers: Path, source: Path) -> bytes:
    command = [node(), str(peers / "terser/bin/terser"), str(source), "--compress", "--mangle"]
    return subprocess.run(command, check=True, timeout=120, capture_output=True).stdout


def node() -> str:
    """The path of Node.js, which came with npm."""
    found = shutil.which("node", path=str(npm.find_npm().parent))
    assert found, "npm without node"
    return found
