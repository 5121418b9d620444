"""The tag's list of methods against the sources', which it has to stand in for before they are there."""

import re
from pathlib import Path

import pytest

from fsbridge import destinations
from fsbridge.browser import sources

SCRIPT = (Path(__file__).parents[2] / "web/fsbridge.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sources.NAMES)
def test_the_tag_stands_in_for_every_method_of_the_source(name):
    source = sources.find(name)
    block = re.search(rf'"?{re.escape(name)}"?: {{\s*global: "(\w+)",\s*methods:(.*?),\n', SCRIPT, re.DOTALL)
    assert block, f"no API {name} in web/fsbridge.js"
    methods = " ".join(re.findall(r'"([^"]*)"', block[2])).split()
    assert block[1] == source.global_name
    assert sorted(methods) == sorted(source.methods + source.unsupported)


@pytest.mark.parametrize("name", destinations.NAMES)
def test_the_tag_knows_the_source_of_every_destination(name):
    known = re.search(r"SOURCES = {(.*?)}", SCRIPT, re.DOTALL)
    assert known
    assert dict(re.findall(r'"?([\w.-]+)"?: "([^"]+)"', known[1]))[name] == destinations.find(name).source
