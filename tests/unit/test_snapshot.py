"""Making Pyodide's memory snapshot: the same every time, or a clear error."""

import gzip
import json

import pytest

from fsbridge.build import BuildError, archives, snapshot, web_sources
from fsbridge.version import VERSION
from tools import npm


@pytest.fixture
def make():
    script, pyodide = web_sources() / "snapshot.mjs", npm.provision() / "pyodide"
    return lambda sources: snapshot.make.__wrapped__(script, pyodide, archives.zip_archive(sources))


def test_the_same_sources_give_the_same_snapshot(make):
    sources = archives.browser_sources()
    script, pyodide = web_sources() / "snapshot.mjs", npm.provision() / "pyodide"
    first = snapshot.make(script, pyodide, archives.zip_archive(sources))  # shared with other tests
    assert make(sources) == first
    raw = gzip.decompress(first)
    description = json.loads(raw[4 : 4 + int.from_bytes(raw[:4], "little")])
    assert description["version"] == VERSION
    assert description["lock"]["packages"] == {}
    # Nothing of the machine that made it.
    assert str(web_sources()).encode() not in raw


def test_a_javascript_value_that_can_not_be_kept_is_named(make):
    sources = {"fsbridge/version.py": "import js\nVERSION = '1'\nheld = js.Date.new(0)\n"}
    with pytest.raises(BuildError, match=r"holds .*1970.* when it is imported, which a snapshot can't keep"):
        make(sources)


def test_node_is_asked_for_where_there_is_none(make, monkeypatch):
    monkeypatch.setattr(snapshot.shutil, "which", lambda *args, **kwargs: None)
    with pytest.raises(BuildError, match=r"Node\.js 20 or later is needed"):
        make({})
