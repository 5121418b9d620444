"""`connect` and what it returns, for type checkers and people: what they refuse, `dir`, `help`, keywords."""

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fsbridge
from fsbridge import connect, destinations
from fsbridge.browser import sources
from fsbridge.browser.analytics import Analytics, AnalyticsJs, RudderAnalytics
from fsbridge.runtime import UNDEFINED
from fsbridge.testing.simulated import SimulatedWindow

# A checker must complain of each line that says so, and of no other.
PROGRAM = """
from typing import assert_type

from fsbridge import Analytics, connect
from fsbridge.browser.analytics import AnalyticsJs, RudderAnalytics

analytics = connect("segment-classic", org="o-1ABC-na1", trackNamedPages=True, expose=True, strict=True)
assert_type(analytics, AnalyticsJs)
assert_type(connect("segment-actions", orgId="o-1", subscriptions=[{"name": "All"}]), AnalyticsJs)
assert_type(connect("segment-actions", org="o-1", source="rudderanalytics"), RudderAnalytics)
rudder = connect("rudderstack", fs_org="o-1", whitelistedEvents=[{"eventName": "Ordered"}], devMode=True)
assert_type(rudder, RudderAnalytics)
assert_type(connect("rudderstack", org="o-1", source="analytics.js"), AnalyticsJs)
either: Analytics = rudder

analytics.track("Ordered", {"price": 99.95})
analytics.track("Ordered", properties={"price": 99.95}, options={"context": {}}, callback=lambda: print("sent"))
analytics.track("Ordered", {}, lambda: None)
analytics.identify(5, traits={"plan": None})
analytics.identify({"plan": "premium"})
analytics.page("Shop", "Shoes", {"n": 1})
analytics.page(name="Shoes")
analytics.user().id()
rudder.reset(True)
rudder.alias(userId="u2", previousId="u1")
assert_type(rudder.status, str)

connect("segment-clasic", org="o-1")  # refused
connect("segment-cloud", org="o-1")  # refused
connect("segment-classic")  # refused
connect("segment-actions", debug=True)  # refused
connect("segment-classic", org=5)  # refused
connect("segment-classic", orgId="o-1")  # refused
connect("segment-classic", org="o-1", trackNamedPage=True)  # refused
connect("segment-classic", org="o-1", trackNamedPages="yes")  # refused
connect("segment-actions", org="o-1", subscriptions="all")  # refused
connect("rudderstack", org="o-1", trackNamedPages=True)  # refused
connect("rudderstack", org="o-1", source="segment")  # refused
connect("segment-classic", org="o-1", exposed=True)  # refused
connect("segment-actions", org="o-1", namespace=5)  # refused
analytics.trak("Ordered")  # refused
analytics.track()  # refused
analytics.track(5)  # refused
analytics.track("Ordered", "price")  # refused
analytics.track("Ordered", property={"price": 1})  # refused
analytics.identify("u1", ["plan"])  # refused
analytics.getUserId()  # refused
rudder.user()  # refused
rudder.screen("Home")  # refused
rudder.reset("all")  # refused
either.trak("Ordered")  # refused
"""

REFUSED = {number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# refused")}
ROOT = Path(fsbridge.__file__).parent.parent


def output(*command: str) -> str:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True).stdout


def test_mypy_refuses_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    said = output("mypy", "--strict", "--output=json", f"--cache-dir={tmp_path}", str(tmp_path / "app.py"))
    errors = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {error["line"] for error in errors if error["file"].endswith("app.py")} == REFUSED


def test_pyright_refuses_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    said = output("pyright", "--outputjson", "--pythonpath", sys.executable, str(tmp_path / "app.py"))
    errors = json.loads(said)["generalDiagnostics"]
    assert {error["range"]["start"]["line"] + 1 for error in errors} == REFUSED


TYPES = {"text": "str", "boolean": "bool", "list": "Sequence[Mapping[str, Any]]", "object": "Mapping[str, Any]"}


def stub() -> dict[str, dict[str, str]]:
    """The fields of each TypedDict in connect.pyi, and their types."""
    tree = ast.parse((ROOT / "fsbridge/browser/connect.pyi").read_text())
    return {
        node.name: {
            ast.unparse(line.target): ast.unparse(line.annotation)
            for line in node.body
            if isinstance(line, ast.AnnAssign)
        }
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


@pytest.mark.parametrize("name", destinations.NAMES)
def test_the_types_know_every_setting(name: str) -> None:
    kind = destinations.find(name)
    expected = {setting.name: TYPES[setting.accepts] for setting in kind.settings if setting.name != kind.org}
    listed = {**stub()["FullStoryOptions"], **stub()[kind.__name__]}
    assert listed == expected, "fsbridge/browser/connect.pyi lists the settings, too"


def test_the_types_know_every_option() -> None:
    parameters = inspect.signature(connect).parameters
    own = [name for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY]
    assert sorted([*stub()["Options"], "source"]) == sorted(own)


APIS = {"analytics.js": AnalyticsJs, "rudderanalytics": RudderAnalytics}


@pytest.mark.parametrize("api", APIS)
def test_every_method_has_a_signature_and_a_docstring(api: str) -> None:
    methods = {name: value for name, value in vars(APIS[api]).items() if not name.startswith("_")}
    assert sorted(methods) == sorted(sources.find(api).methods)
    assert all(inspect.getdoc(method) for method in methods.values())


@pytest.fixture
def window() -> SimulatedWindow:
    return SimulatedWindow("https://shop.example/")


def test_dir_and_help(window: SimulatedWindow, capsys: pytest.CaptureFixture[str]) -> None:
    analytics = connect("segment-classic", org="o-1", window=window)
    assert isinstance(analytics, Analytics)
    assert {"track", "identify", "page", "status"} <= set(dir(analytics))
    help(analytics.track)
    said = capsys.readouterr().out
    assert "properties" in said
    assert "Record what the visitor did" in said


def test_a_typo_names_the_nearest(window: SimulatedWindow) -> None:
    analytics = connect("segment-classic", org="o-1", window=window)
    with pytest.raises(AttributeError, match=r"^analytics\.js has no method 'trak'; did you mean 'track'\?$"):
        analytics.trak("x")  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"^analytics\.js has no method 'getSessionId'$"):
        analytics.getSessionId()  # type: ignore[attr-defined]
    assert analytics.noConflict() is UNDEFINED  # type: ignore[attr-defined] # there for show, as in JavaScript


@pytest.mark.parametrize("destination", ["segment-classic", "rudderstack"])
def test_keywords_are_what_positions_are(destination: Any) -> None:
    def calls(*made: Any) -> Any:
        window = SimulatedWindow("https://shop.example/", title="Shop")
        analytics = connect(destination, org="o-1", window=window)
        for method, args, keywords in made:
            getattr(analytics, method)(*args, **keywords)
        window.settle()
        return [call for call in window.calls if call["call"] != "FS.shutdown"]

    done: list[str] = []
    options = {"context": {"a": 1}}
    traits = {"plan": "premium"}
    for method, keywords, args in [
        ("track", {"event": "x", "properties": {"a": 1}}, ("x", {"a": 1})),
        ("track", {"event": "x", "options": options}, ("x", None, options)),
        ("track", {"event": "x", "callback": lambda: done.append("called")}, ("x", {}, {}, lambda: None)),
        ("page", {"name": "Home"}, ("Home",)),
        ("page", {"category": "Shop", "name": "Home", "properties": {"b": 2}}, ("Shop", "Home", {"b": 2})),
        ("page", {"name": "Home", "properties": {"b": 2}}, ("Home", {"b": 2})),
        ("identify", {"userId": "u1", "traits": traits}, ("u1", traits)),
        ("identify", {"userId": "u1"}, ("u1",)),
    ]:
        first: Any = ("identify", ("u0",), {})
        assert calls(first, (method, (), keywords)) == calls(first, (method, args, {}))
    assert done == ["called"]
    known: Any = ("identify", ("u1",), {})
    assert calls(known, ("identify", (), {"traits": traits})) == calls(known, ("identify", (traits,), {}))
