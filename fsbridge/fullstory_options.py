"""FullStory's own options, those of its browser SDK: every destination takes them beside its vendor's settings.

They go by the SDK's names, from the settings to `fsbridge.browser.fullstory`. What the SDK does with one that is left
out, null, empty or of another type was run, as for the vendors' settings (CONTRIBUTING.md).
"""

from __future__ import annotations

from .runtime import NULL, UNDEFINED, text, truthy
from .settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .runtime import Value

HOST = "fullstory.com"
SCRIPT = "edge.fullstory.com/s/fs.js"
DEBUG_SCRIPT = "edge.fullstory.com/s/fs-debug.js"

OPTIONS = (
    Setting("debug", "boolean", False, meaning="only true: the debugging build of fs.js, unless script is given"),
    Setting("devMode", "boolean", False, meaning="only true: FullStory stops at once, and no call is made on it"),
    Setting("namespace", "text", meaning="name of FullStory's global; null and empty are `FS`, too"),
    Setting("host", "text", meaning="host that FullStory's recording goes to; null and empty are handed on"),
    Setting("script", "text", meaning="address of fs.js without scheme; null and empty are taken at their word"),
    Setting("appHost", "text", meaning="host of FullStory's app, for session URLs; null and empty are none"),
    Setting("cookieDomain", "text", meaning="domain of FullStory's cookie; null and empty are FullStory's own choice"),
    Setting("recordOnlyThisIFrame", "boolean", False, meaning="capture only this iframe, as a session of its own"),
    Setting(
        "recordCrossDomainIFrames",
        "boolean",
        False,
        meaning="capture in an iframe of another domain, as a part of the outer page's session",
    ),
    Setting("startCaptureManually", "boolean", False, meaning='capture starts with `FS("start")`, not by itself'),
    Setting("assetMapId", "text", meaning="id of the asset map that FullStory replays the page with"),
    Setting("sessionUid", "text", meaning="the session's uid, which FullStory calls beta"),
)

_ENVIRONMENT = (
    ("recordCrossDomainIFrames", "runInIframe", "_fs_run_in_iframe", True),
    ("appHost", "appHost", "_fs_app_host", UNDEFINED),
    ("assetMapId", "assetMapId", "_fs_asset_map_id", UNDEFINED),
    ("startCaptureManually", "captureOnStartup", "_fs_capture_on_startup", False),
    ("recordOnlyThisIFrame", "isOuterScript", "_fs_is_outer_script", True),
    ("cookieDomain", "cookieDomain", "_fs_cookie_domain", UNDEFINED),
    ("sessionUid", "sessionUid", "", UNDEFINED),
)
"""Options that count where they are true: each with its name in ``FS("init")``, the global by which snippets before
2.1 say it, and what is said, UNDEFINED for the option's own value."""


def beside(own: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """A vendor's settings, and those of `OPTIONS` whose names it doesn't use for something of its own."""
    names = [setting.name for setting in own]
    return own + tuple([setting for setting in OPTIONS if setting.name not in names])


def chosen(org: Value, settings: dict[str, Value]) -> dict[str, Any]:
    """FullStory's options among a destination's settings, with the org id."""
    options = {setting.name: settings[setting.name] for setting in OPTIONS if setting.name in settings}
    options["orgId"] = org
    return options


def namespace(options: dict[str, Value]) -> str:
    """The name of FullStory's global."""
    given = options.get("namespace", UNDEFINED)
    return text(given) if truthy(given) else "FS"


def addresses(options: dict[str, Value]) -> tuple[Value, Value]:
    """``host`` and ``script``, or what stands for them, before an org's region is put into FullStory's own."""
    host, script = options.get("host", UNDEFINED), options.get("script", UNDEFINED)
    if options.get("debug") is True and not truthy(script):
        script = DEBUG_SCRIPT
    return HOST if host is UNDEFINED else host, SCRIPT if script is UNDEFINED else script


def environment(options: dict[str, Value]) -> list[tuple[str, str, Value]]:
    """What is said of the session to come: the name in ``FS("init")``, the older global or "", and the value."""
    found = []
    for name, new, old, said in _ENVIRONMENT:
        value = options.get(name, UNDEFINED)
        if truthy(value):
            found.append((new, old, value if said is UNDEFINED else said))
    return found


def globals_of(options: dict[str, Value]) -> list[tuple[str, Value]]:
    """The globals by which snippets before 2.1 say all that, as pairs of a name and a value."""
    host, script = addresses(options)
    found = [("_fs_host", host), ("_fs_script", script), ("_fs_org", options.get("orgId", NULL))]
    found.append(("_fs_namespace", namespace(options)))
    if options.get("devMode") is True:
        found.append(("_fs_dev_mode", True))
    return found + [(old, value) for new, old, value in environment(options) if old]


def problems(options: dict[str, Value]) -> list[str]:
    """What is wrong with them and only shows later, a text each: FullStory puts https:// before its addresses."""
    found = []
    for name in ("host", "script", "appHost"):
        given = options.get(name, UNDEFINED)
        if isinstance(given, str) and ("//" in given or " " in given):
            said = "setting %r is %r; accepted: an address without https://. Nothing may arrive"
            found.append(said % (name, given))
    return found
