"""What the build tells the tag of the sources, and the tag's modules in Node's own test runner."""

import subprocess

import pytest

from fsbridge import destinations
from fsbridge.browser import sources
from fsbridge.build import web_sources
from fsbridge.build.node import find_node
from fsbridge.build.scripts import facts
from fsbridge.version import VERSION

FOLDERS = {"micropython": "micropython-1", "fsbridge": "fsbridge-2"}


@pytest.mark.parametrize("name", sources.NAMES)
def test_the_tag_stands_in_for_every_method_of_the_source(name: str) -> None:
    source = sources.find(name)
    (found,) = (api for api in facts(FOLDERS)["apis"] if api[0] == name)
    _, called, waiting = found
    assert called == source.global_name
    assert sorted([*waiting.split(), *source.answering]) == sorted([*source.methods, *source.unsupported])


@pytest.mark.parametrize("name", sources.NAMES)
def test_what_answers_is_a_method(name: str) -> None:
    source = sources.find(name)
    assert set(source.answering) <= {*source.methods, *source.unsupported}
    assert not set(source.answering) & {"track", "page", "identify", "group", "alias", "load", "ready"}


def test_the_tag_knows_the_source_of_every_destination_and_where_files_are() -> None:
    known = facts(FOLDERS)
    assert {name: own for name, own, *_ in known["destinations"]} == {
        name: destinations.find(name).source for name in destinations.NAMES
    }
    assert known["files"] == {"micropython": "micropython-1/", "fsbridge": "fsbridge-2/"}
    assert known["version"] == VERSION


def test_the_modules_by_themselves() -> None:
    run = subprocess.run(
        [find_node(), "--test", "test/"], cwd=web_sources(), capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stdout
    assert "# pass 0" not in run.stdout
