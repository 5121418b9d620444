"""Recordings of pages without FS: the globals, the script tag and the queue that our one snippet leaves there.

Ours speaks the protocol of FullStory's newest snippet (2.1). A recording of that one is compared as it is; one of an
older snippet is translated into 2.1 first (`operation_of`, `init_of`): it says the same in other words.
"""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from fsbridge import destinations, settings
from fsbridge.browser.bridge import Bridge
from fsbridge.browser.fullstory.regions import region_of, regional
from fsbridge.browser.page import Page
from fsbridge.destinations.rudderstack import RudderStack
from fsbridge.runtime import NULL, UNDEFINED, call, invoke, make_array, raw_get, raw_put, text, truthy, type_of
from fsbridge.runtime.cpython import Function, JsError, Promise
from fsbridge.testing.simulated import Element, SimulatedWindow

from .player_segment import make_bridge
from .recordings import identifier, recordings
from .sdk import Sdk, SdkError
from .tagged import Like, decode, differences

SETTLING = 500
"""Milliseconds that ``$settle`` lets pass."""

METHODS = set(
    "anonymize clearUserCookie consent event identify identifyAccount log restart setUserVars setVars shutdown".split()
)

# What the older SDK told fs.js through globals, the newer tells it through FS("init").
ENVIRONMENT = {
    "_fs_run_in_iframe": "runInIframe",
    "_fs_app_host": "appHost",
    "_fs_asset_map_id": "assetMapId",
    "_fs_is_outer_script": "isOuterScript",
    "_fs_cookie_domain": "cookieDomain",
}

CONFLICTS = {
    'FullStory namespace conflict. Please set window["_fs_namespace"].': [
        "warn",
        "The FullStory snippet has already been defined elsewhere (likely in the <head> element)",
    ]
}


# Where 2.1 says something in other words: 2.0 calls capturing recording, and doesn't name the operation.
NOT_EXECUTED = re.compile(
    r"(FullStory is in dev mode and is not) (?:recording|capturing): (?:(\w+ method)|method|\w+) not executed"
)


def newest_wording(line: str) -> Any:
    """A message of the official SDK as 2.1 words it."""
    found = NOT_EXECUTED.fullmatch(line)
    if found is None:
        return line
    if found[2]:
        return f"{found[1]} capturing: {found[2]} not executed"
    operation = re.compile(re.escape(found[1]) + r" capturing: \w+ not executed")
    return Like("an operation not executed", lambda said: operation.fullmatch(str(said)) is not None)


def operation_of(entry: list[Any]) -> list[Any] | None:
    """A queue entry in the newest shape; None for a v1 operation that stands for nothing any more."""
    if len(entry) == 6 and entry[0] not in ("user", "account", "setVars", "event", "rec", "consent"):
        return entry
    name, value, source = entry[:3]
    if name == "user":
        name, value = "setProperties", {"type": "user", "properties": value}
    elif name == "setVars":  # this snippet lost the source, ours keeps it
        name, value = "setProperties", {"type": value[0], "properties": value[1]}
        source = Like("any source", lambda given: True)
    elif name == "event":
        name, value = "trackEvent", {"name": raw_get(value, "n"), "properties": raw_get(value, "p")}
    elif name == "rec":
        name, value = ("restart" if value else "shutdown"), UNDEFINED
    elif name == "log":
        value = {"level": value[0], "msg": value[1]}
    elif name == "consent":
        name, value = "setIdentity", {"consent": value}
    else:
        return None
    return [name, value, source, UNDEFINED, UNDEFINED, 1]


def init_of(globals_: dict[str, Any], session_uid: Any) -> list[list[Any]]:
    """The two ``FS("init")`` by which the newest SDK says what an older one said in globals."""
    region = region_of(text(globals_["_fs_org"]))
    first = {
        "orgId": globals_["_fs_org"],
        "host": regional(globals_["_fs_host"], region),
        "script": regional(globals_["_fs_script"], region),
    }
    second = {name: globals_[old] for old, name in ENVIRONMENT.items() if truthy(globals_.get(old, UNDEFINED))}
    if "isOuterScript" in second:
        second["isOuterScript"] = True
    if "_fs_capture_on_startup" in globals_:  # false is what it says
        second["captureOnStartup"] = globals_["_fs_capture_on_startup"]
    if "appHost" in second:
        second["appHost"] = regional(second["appHost"], region)
    if session_uid:  # new in 2.1
        second["sessionUid"] = session_uid
    return [["init", {"env": env}, UNDEFINED, UNDEFINED, UNDEFINED, 2] for env in (first, second)]


def newest(recording: dict[str, Any]) -> bool:
    return bool(recording.get("versions", {}).get("@fullstory/browser", "").startswith("2.1"))


def script_of(window: SimulatedWindow) -> Element | None:
    """The tag that asks for fs.js."""
    for child in [*window.document.head.children, *window.document.body.children]:
        if hasattr(child, "src"):
            return child
    return None


def check_script(expected: dict[str, Any] | None, window: SimulatedWindow, org: Any, newest: bool) -> list[str]:
    """Compare the script tag: ``src``, ``async``, ``crossorigin``, ``parent``, ``isFirstScript``."""
    tag: Any = script_of(window)
    if expected is None or tag is None:
        return [] if expected is tag else [f"script: expected {expected}, got {tag}"]
    address = expected["src"]
    if not newest:
        address = "https://" + regional(address.removeprefix("https://"), region_of(text(org))) + "?org=" + text(org)
    head = window.document.head
    return differences(
        [address, expected["async"], expected["crossorigin"], expected["parent"], expected["isFirstScript"]],
        [tag.src, vars(tag)["async"], tag.crossOrigin, tag.parentNode.tagName.lower(), head.children[0] is tag],
        "script",
    )


def script_expected(recording: dict[str, Any]) -> dict[str, Any] | None:
    expect = recording["expect"]
    if expect["script"] and expect["namespace"] and recording.get("existingFS") == expect["namespace"]["name"]:
        return None  # Classic asks for fs.js once more; the newest SDK doesn't
    return cast("dict[str, Any] | None", expect["script"])


def check_namespace(recording: dict[str, Any], window: SimulatedWindow) -> list[str]:
    expected = recording["expect"]["namespace"]
    if expected is None:
        return [] if not hasattr(window, "FS") else ["there should be no FS"]
    fs = getattr(window, expected["name"], None)
    if type_of(fs) != expected["type"]:
        return [f"window.{expected['name']} is {fs!r}"]
    if recording.get("existingFS") == expected["name"]:
        return [] if fs is window.existing else ["the page's own FS was replaced"]
    missing = METHODS - set(fs.properties)
    return [f"FS lacks {missing}"] if missing else []


def check_console(recording: dict[str, Any], window: SimulatedWindow) -> list[str]:
    expected = [CONFLICTS.get(line, [level, newest_wording(line)]) for level, line in recording["expect"]["console"]]
    actual = [[level, line.removeprefix("[fsbridge] ")] for level, line in window.console.lines]
    # Where fs.js is blocked the vendors say nothing: a deviation.
    actual = [line for line in actual if not line[1].startswith("FullStory is blocked: https://")]
    return differences(expected, actual, "console")


def open_page(recording: dict[str, Any]) -> SimulatedWindow:
    """The recording's page, with the FS on it that it had."""
    window = SimulatedWindow(recording["url"], title=recording.get("pageTitle", ""), recording=False)
    if recording.get("existingFS"):
        window.existing = window.recording_fs()
        setattr(window, recording["existingFS"], window.existing)
    return window


def fails(recording: dict[str, Any], window: SimulatedWindow) -> bool:
    """Whether fs.js can't load, because it was blocked or its address is none."""
    script = script_of(window)
    return script is not None and (recording.get("fsjs") == "blocked" or script.src.startswith("https://?"))


def let_fsjs_fail(recording: dict[str, Any], window: SimulatedWindow) -> None:
    if fails(recording, window):
        script_of(window).fire("error")


def check_queue(expected: list[list[Any]] | None, window: SimulatedWindow, name: str) -> list[str]:
    actual = getattr(window, name).properties.get("q") if hasattr(window, name) else None
    return differences(NULL if expected is None else expected, NULL if actual is None else actual, "queue")


BROWSER = [
    recording
    for recording in [*recordings("snippet"), *recordings("fullstory-browser")]
    if recording["system"] == "fullstory-browser"
]


@pytest.mark.parametrize("recording", BROWSER, ids=identifier)
def test_fullstory_browser(recording: dict[str, Any]) -> None:
    inits = [args[0] for name, *args in recording["script"] if name == "init"]
    options: dict[str, Any] = next((options for options in inits if options.get("orgId")), {})  # the first that counts
    window = open_page(recording)
    sdk = Sdk(Page(window))
    returns = run(sdk, recording, window)
    let_fsjs_fail(recording, window)

    expect = decode(recording["expect"])
    queue = expect["queue"]
    if queue is not None and not newest(recording) and not fails(recording, window):
        queue = init_of(expect["globals"], options.get("sessionUid")) + queue
    problems = check_namespace(recording, window) + check_console(recording, window)
    problems += check_script(script_expected(recording), window, options.get("orgId"), newest(recording))
    problems += check_queue(queue, window, (expect["namespace"] or {"name": "FS"})["name"])
    problems += differences(expect.get("calls", []), window.calls, "calls")
    problems += check_results(expect.get("results", []), returns, options.get("orgId"))
    assert not problems, "\n".join(problems)


def run(sdk: Sdk, recording: dict[str, Any], window: SimulatedWindow) -> dict[int, dict[str, Any]]:
    """Run a recording's script; what each step returned or threw."""
    results = {}
    for index, (name, *tagged) in enumerate(recording["script"]):
        args = decode(tagged)
        try:
            if name == "$settle":
                let_fsjs_fail(recording, window)
                window.settle(SETTLING)
                continue
            if name == "init":
                sdk.init(*args)
                result: Any = UNDEFINED
            elif name == "isInitialized":
                result = sdk.is_initialized
            elif name == "FullStory":
                result = sdk.call(*args)
            else:
                result = sdk.method(name.partition(".")[2], *args)
            results[index] = {"returns": result}
        except SdkError as error:
            results[index] = {"throws": str(error)}
    return results


def check_results(expected: list[dict[str, Any]], actual: dict[int, dict[str, Any]], org: Any) -> list[str]:
    """The recordings leave out what returned ``undefined``."""
    told = {
        str(index): result
        for index, result in actual.items()
        if "throws" in result or result["returns"] is not UNDEFINED
    }
    wanted = {}
    for entry in expected:
        result = {key: entry[key] for key in entry if key != "index"}
        if isinstance(result.get("returns"), dict) and "$promise" in result["returns"]:
            result["returns"] = promise_like(result["returns"], region_of(text(org)))
        elif isinstance(result.get("returns"), str):
            result["returns"] = newest_wording(result["returns"])
        wanted[text(entry["index"])] = result
    return differences(wanted, told, "results")


def promise_like(recorded: dict[str, Any], region: str) -> Like:
    """A promise in the state that the recording names, with the value or the error that it tells."""
    state, told = recorded["$promise"], [recorded[key] for key in recorded if key != "$promise"]
    if isinstance(state, dict):  # {"rejected": "…"}
        ((state, of_state),) = state.items()
        told.append(of_state)

    def holds(value: Any) -> bool:
        if not isinstance(value, Promise) or value.state != state:
            return False
        found = str(value.value) if isinstance(value.value, JsError) else value.value
        return not any(differences(_text_of(each, region), found) for each in told)

    return Like(f"promise {recorded}", holds)


def _text_of(told: Any, region: str) -> Any:
    """An error's text. Before 2.1 it names the address without the org's region."""
    told = raw_get(told, "message") if isinstance(told, dict) and "message" in told else told
    told = str(told) if isinstance(told, JsError) else told
    prefix = "Error loading "
    if isinstance(told, str) and told.startswith(prefix):
        return prefix + regional(told[len(prefix) :], region)
    return told


SEGMENT = [recording for recording in recordings("snippet") if recording["system"] != "fullstory-browser"]


@pytest.mark.parametrize("recording", SEGMENT, ids=identifier)
def test_segment(recording: dict[str, Any], record_property: Any) -> None:
    window = open_page(recording)
    if refused(recording):
        with pytest.raises(settings.SettingsError):  # ours says it at once, and loads nothing either
            destinations.make(recording["system"], {})
        assert not check_namespace(recording, window)
        return
    bridge = make_bridge(options_count(recording, record_property), Page(window))
    for method, *tagged in [["load", "wk"], *recording["script"]]:
        bridge.call(method, make_array(decode(tagged)))
    let_fsjs_fail(recording, window)
    source: Any = bridge.source
    problems = compare_segment(recording, window, source.user.anonymous_id())
    assert not problems, "\n".join(problems)


def options_count(recording: dict[str, Any], record_property: Any) -> dict[str, Any]:
    """FullStory's own options count for every destination: Classic ignores them, so it is played without."""
    if recording["system"] != "segment-classic":
        return recording
    known = [setting.name for setting in destinations.find("segment-classic").own]
    plain = {name: value for name, value in recording["settings"].items() if name in known}
    if plain != recording["settings"]:
        record_property("deviation", "options_count")
    return {**recording, "settings": plain}


def compare_segment(recording: dict[str, Any], window: SimulatedWindow, anonymous_id: str) -> list[str]:
    """What tells the window after a recording's script from the recorded one, a line each."""
    expect = decode(recording["expect"], {"$anonymousId": anonymous_id})
    org = recording["settings"].get("orgId") if newest(recording) else expect["globals"].get("_fs_org")
    queue = expect["queue"]
    if queue:
        queue = [entry for entry in map(operation_of, queue) if entry]
    if queue is not None and not newest(recording) and not fails(recording, window):
        queue = init_of(expect["globals"], UNDEFINED) + queue
    problems = check_namespace(recording, window) + check_console(recording, window)
    problems += check_script(script_expected(recording), window, org, newest(recording))
    problems += check_globals(expect["globals"], window)
    problems += check_queue(queue, window, "FS")
    return problems + differences(expect.get("calls", []), window.calls, "calls")


def refused(recording: dict[str, Any]) -> bool:
    """Whether the vendor finds out too late that there is no org id."""
    return any("orgId is a required parameter" in line[-1] for line in recording["expect"]["console"])


def check_globals(expected: dict[str, Any], window: SimulatedWindow) -> list[str]:
    """The newest SDK sets none; that ours sets them for the older does no harm."""
    return differences(expected, {name: getattr(window, name, UNDEFINED) for name in expected}, "globals")


def without_init(queue: list[list[Any]]) -> list[list[Any]]:
    return [entry for entry in map(operation_of, queue) if entry and entry[0] != "init"]


@pytest.mark.parametrize("recording", list(recordings("rudderstack-snippet")), ids=identifier)
def test_rudderstack(recording: dict[str, Any]) -> None:
    (page,) = recording["pages"]
    local = dict(recording.get("before", {}).get("localStorage", {}))
    window = SimulatedWindow(page["url"], title=page["title"], recording=recording["fs"] == "existing", local=local)
    for name, value in page.get("preset", {}).items():
        setattr(window, name, value)
    given = decode({**recording["settings"], **recording.get("destination", {})})
    bridge = Bridge(Page(window), RudderStack(settings.whole(RudderStack.settings, given)))
    load = ["load", "wk", "https://dataplane.example.com", recording.get("loadOptions", {})]
    steps = [*page["script"], load] if recording.get("loadLast") else [load, *page["script"]]
    taken: list[list[Any]] = []
    for method, *tagged in steps:
        args = decode(tagged)
        if method == "$settle" and recording["fsjs"] == "takes-over":
            take_over(window, taken)
        elif method == "$fs":
            call(window.FS, *args[1:]) if not args[0] else invoke(window.FS, *args)
        elif method != "$settle":
            bridge.call(method, make_array(args))

    # The older snippet keeps its queue when fs.js is blocked. Ours is looked at before it hears of that.
    problems = compare_rudderstack(recording, window, taken, bridge.call("getAnonymousId", make_array()))
    assert not problems, "\n".join(problems)


def compare_rudderstack(
    recording: dict[str, Any], window: SimulatedWindow, taken: list[list[Any]], anonymous_id: str
) -> list[str]:
    """What tells the window after a recording's script from the recorded one, a line each."""
    (page,) = recording["pages"]
    expect = decode(page["expect"], {"$anonymousId": anonymous_id})
    problems = check_globals(expect["globals"], window)
    if not expect["globals"]:
        problems += [name for name in vars(window) if name.startswith("_fs_")]
    script = next(({**tag["attributes"], **tag} for tag in expect["scripts"]), None)
    problems += check_script(script, window, expect["globals"].get("_fs_org", UNDEFINED), newest=False)
    problems += differences(expect["fsType"], type_of(getattr(window, "FS", UNDEFINED)), "FS")
    if "fsKeys" in expect:
        problems += [f"FS lacks {name}" for name in expect["fsKeys"] if raw_get(window.FS, name) is UNDEFINED]
    if expect.get("queue", NULL) is not NULL:
        problems += differences(without_init(expect["queue"]), without_init(window.FS.properties["q"]), "queue")
    problems += differences(without_init(expect.get("api", [])), without_init(taken), "api")
    return problems + differences(expect.get("calls", []), window.calls, "calls")


def take_over(window: SimulatedWindow, taken: list[list[Any]]) -> None:
    """What the recording's stand-in for fs.js does: it takes the queue and all later calls."""
    taken += window.FS.properties["q"]
    raw_put(window.FS, "q", NULL)
    raw_put(window.FS, "_api", Function(lambda args: taken.append(args)))
    script_of(window).fire("load")
