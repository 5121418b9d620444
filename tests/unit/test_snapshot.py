"""Making the memory snapshots: the same every time, or a clear error."""

import gzip
import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from fsbridge.build import INTERPRETERS, BuildError, archives, pinned_versions, snapshot, web_sources
from fsbridge.version import VERSION
from tools import npm


@pytest.fixture
def make() -> Callable[..., Any]:
    package = npm.provision() / "pyodide"
    return lambda sources: snapshot.pyodide.__wrapped__(web_sources(), package, archives.zip_archive(sources))


def test_the_same_sources_give_the_same_snapshot(make: Callable[..., Any]) -> None:
    sources = archives.browser_sources()
    package = npm.provision() / "pyodide"
    first = snapshot.pyodide(web_sources(), package, archives.zip_archive(sources))  # shared with other tests
    assert make(sources) == first
    raw = gzip.decompress(first)
    description = json.loads(raw[4 : 4 + int.from_bytes(raw[:4], "little")])
    assert description["version"] == VERSION
    assert description["lock"]["packages"] == {}
    # Nothing of the machine that made it.
    assert str(web_sources()).encode() not in raw


def test_a_javascript_value_that_can_not_be_kept_is_named(make: Callable[..., Any]) -> None:
    sources = {"fsbridge/version.py": "import js\nVERSION = '1'\nheld = js.Date.new(0)\n"}
    with pytest.raises(BuildError, match=r"holds .*1970.* when it is imported, which a snapshot can't keep"):
        make(sources)


def test_node_is_asked_for_where_there_is_none(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    with pytest.raises(BuildError, match=r"Node\.js 20 or later is needed"):
        make({})


# Of MicroPython


@pytest.fixture
def make_micropython() -> Callable[..., bytes]:
    package = INTERPRETERS["micropython"][0]

    def make(source: str) -> bytes:
        image = archives.image(archives.compiled({"held.py": source}, pinned_versions()[package]))
        return snapshot.micropython(web_sources(), npm.provision() / package, image, ("held",))[0]

    return make


def test_the_same_image_gives_the_same_snapshot(make_micropython: Callable[..., bytes]) -> None:
    source = "import js\nnow = js.Date.now()\nheld = js.Reflect.get, js.Array.of(js.JSON), js.JSON.parse.bind(js.JSON)"
    first = make_micropython(source)
    assert make_micropython(source) == first
    description = json.loads(first[4 : 4 + int.from_bytes(first[:4], "little")])
    json_object = {"path": ["JSON"]}
    assert {"items": [json_object]} in description["objects"]
    assert {"bound": [{"path": ["JSON", "parse"]}, json_object]} in description["objects"]
    assert sum(size for _, size in description["spans"]) < 100_000
    assert str(web_sources()).encode() not in first


def test_a_javascript_value_that_micropython_can_not_keep_is_named(make_micropython: Callable[..., bytes]) -> None:
    with pytest.raises(BuildError, match=r"holds .*1970.* when it is imported, which a snapshot can't keep"):
        make_micropython("import js\nheld = js.Date.new(0)")
