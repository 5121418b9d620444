"""fsbridge.serve.tag: the tag as HTML, what it says of wrong options, and what policy a page needs."""

import html
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest

from fsbridge import SettingsError, serve
from fsbridge.build import BuildError, release

ORG = "o-1ABC-na1"
NAMES = ("all", "segment-classic", "segment-actions", "rudderstack", "segment-classic-beside")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release, as far as the tag looks at it: with the tag of an earlier build, too."""
    for name, content in (("fsbridge", "tag"), ("fsbridge-consent", "platforms")):
        (tmp_path / f"{name}.js").write_text(content)
        (tmp_path / f"{name}-11111111.js").write_text(f"{content} of an earlier build")
        (tmp_path / f"{name}-22222222.js").write_text(content)
    (tmp_path / "INSTALL.md").write_text("")
    for name in ("fsbridge-33333333", "micropython-44444444"):
        (tmp_path / name).mkdir()
    for name in ("micropython.js", "first.wasm", *(f"{each}.snapshot" for each in NAMES)):
        (tmp_path / "fsbridge-33333333" / name).write_text(name)
    return tmp_path


class Elements(HTMLParser):
    """The elements of a text, each as its name and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, Any]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def script(text: str) -> dict[str, Any]:
    return next(attributes for tag, attributes in Elements(text).found if tag == "script")


def preloaded(text: str) -> list[str]:
    return [attributes["href"] for tag, attributes in Elements(text).found if tag == "link"]


def test_the_newest_builds_tag_with_its_integrity_and_preloads(folder: Path) -> None:
    text = serve.tag("segment-classic", folder=folder, org=ORG, trackNamedPages=True)
    assert script(text) == {
        "src": "/fsbridge/fsbridge-22222222.js",
        "integrity": release.integrity(b"tag"),
        "crossorigin": "anonymous",
        "data-destination": "segment-classic",
        "data-org": ORG,
        "data-track-named-pages": "true",
    }
    assert text.splitlines()[:-1] == release.preloads(folder, "segment-classic")


def test_another_base_is_in_all_addresses(folder: Path) -> None:
    text = serve.tag("rudderstack", base="https://cdn.example/x", folder=folder, fs_org=ORG)
    addresses = [*preloaded(text), script(text)["src"]]
    assert len(addresses) == 4
    assert all(each.startswith("https://cdn.example/x/fsbridge-") for each in addresses)


@pytest.mark.parametrize(
    ("destination", "options", "snapshot"),
    [
        ("segment-actions", {}, "segment-actions"),
        ("segment-classic", {"beside": True}, "segment-classic-beside"),
        ("segment-classic", {"beside": False}, "segment-classic"),
        ("rudderstack", {"source": "analytics.js"}, "all"),
        ("rudderstack", {"source": "rudderanalytics"}, "rudderstack"),
        ("rudderstack", {"runtime": "pyodide"}, None),
        ("rudderstack", {"consent": "wait"}, None),
        ("rudderstack", {"gpc": True}, None),
        ("rudderstack", {"load": "page"}, None),
        ("rudderstack", {"preload": False}, None),
    ],
)
def test_what_is_preloaded_is_what_the_tag_asks_for(
    folder: Path, destination: str, options: dict[str, Any], snapshot: str | None
) -> None:
    text = serve.tag(destination, folder=folder, org=ORG, **options)
    assert [each.rpartition("/")[2] for each in preloaded(text)][2:] == ([f"{snapshot}.snapshot"] if snapshot else [])
    assert ("data-beside" in script(text)) is bool(options.get("beside"))


@pytest.mark.parametrize(
    ("consent", "file"),
    [
        ("onetrust C0002", "fsbridge-consent-22222222.js"),
        ("wait", "fsbridge-22222222.js"),
        ("event my-consent", "fsbridge-22222222.js"),
    ],
)
def test_consent_platforms_have_a_tag_of_their_own(folder: Path, consent: str, file: str) -> None:
    assert script(serve.tag("rudderstack", folder=folder, org=ORG, consent=consent))["src"] == f"/fsbridge/{file}"


def test_every_value_arrives_as_it_was_given(folder: Path) -> None:
    odd = """it's "5" < 6 & ü </script><script>"""
    listed = [{"name": odd, "enabled": True}]
    text = serve.tag(
        "segment-actions", folder=folder, orgId=ORG, host=odd, subscriptions=listed, script=None, nonce=odd
    )
    found = Elements(text).found
    assert [tag for tag, _ in found].count("script") == 1
    assert all(attributes["nonce"] == odd for _, attributes in found)
    attributes = found[-1][1]
    assert (attributes["data-host"], json.loads(attributes["data-subscriptions"])) == (odd, listed)
    assert "data-script" not in attributes


@pytest.mark.parametrize(
    ("destination", "options", "said"),
    [
        ("segment-clasic", {"org": ORG}, "did you mean 'segment-classic'"),
        ("segment-classic", {}, "'org' is missing"),
        ("segment-classic", {"org": ORG, "trackNamedPage": True}, "did you mean 'trackNamedPages'"),
        ("segment-classic", {"org": ORG, "isOuterScript": []}, "isOuterScript.*True or False"),
        ("segment-classic", {"org": ORG, "settings": {"debg": True}}, "did you mean 'debug'"),
        ("segment-classic", {"org": ORG, "settings": "{}"}, "settings.*a dict"),
    ],
)
def test_a_wrong_option_is_an_error(folder: Path, destination: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        serve.tag(destination, folder=folder, **options)


def test_without_a_release_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="fsbridge build"):
        serve.tag("segment-classic", folder=tmp_path, org=ORG)


def test_templates_take_it_as_html(folder: Path) -> None:
    environment = jinja2.Environment(autoescape=True)
    environment.globals["fsbridge_tag"] = serve.tag
    template = environment.from_string("{{ fsbridge_tag('segment-classic', org=org, folder=folder) }}{{ other }}")
    text = template.render(org=ORG, folder=folder, other="<b>")
    assert text == serve.tag("segment-classic", org=ORG, folder=folder) + html.escape("<b>")


def test_the_policy_allows_the_host_of_the_files_and_fullstorys_region() -> None:
    assert serve.policy(ORG) == release.policy(ORG)
    policy = serve.policy("o-1ABC-eu1", "https://cdn.example/fsbridge/")
    assert "script-src 'self' https://cdn.example 'wasm-unsafe-eval' https://edge.eu1.fullstory.com" in policy
    assert "connect-src 'self' https://cdn.example https://edge.eu1.fullstory.com" in policy


@pytest.mark.parametrize("kind", [serve.ASGI, serve.WSGI])
@pytest.mark.parametrize("base", ["", "fsbridge", "https://cdn.example/", "/a?b/"])
def test_a_base_that_is_no_path_is_refused(kind: Any, base: str, folder: Path) -> None:
    with pytest.raises(ValueError, match=r"base is .*; accepted: a path"):
        kind(None, base=base, folder=folder)


def test_without_the_extra_it_says_which(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "servestatic", None)
    with pytest.raises(ModuleNotFoundError, match='extra "serve"'):
        serve.WSGI(None, folder=folder)
