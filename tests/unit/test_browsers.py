"""The oldest browsers: nothing that a site serves is newer than docs/browsers.md says."""

import re
from pathlib import Path

import pytest

from fsbridge.build import INTERPRETERS, web_sources
from tools import npm

DOCS = Path(__file__).parents[2] / "docs/browsers.md"
OLDEST = {"chrome": 96.0, "firefox": 79.0, "safari": 15.1}

# What is newer than one of them, by MDN's data, as scripts spell it; not WebAssembly's exceptions, which are optional.
TOO_NEW = {
    "Array.at, String.at": r"\.at\(-",
    "Object.hasOwn": r"\.hasOwn\b",
    "Error.cause": r"\bcause:",
    "structuredClone": r"\bstructuredClone\b",
    "Array.findLast": r"\.findLast",
    "sorted copies": r"\.(toSorted|toReversed|toSpliced)\(",
    "Promise.withResolvers, try": r"\bwithResolvers\b|Promise\.try\b",
    "iterators' helpers": r"\.(values|keys|entries)\(\)\.(map|filter|take|drop|toArray)\(",
    "Set's operations": r"\.(isSubsetOf|symmetricDifference)\(",
    "grouping": r"\.groupBy\(",
    "decompression": r"\bDecompressionStream\b",
    "scheduler": r"\bscheduler\.",
    "WebAssembly.JSTag, suspending": r"WebAssembly\.(JSTag|Suspending|promising)",
    "private fields' checks": r"#\w+ in ",
    "lookbehind": r"\(\?<[=!]",
    "indices of matches, sets": r"/[gimsuy]*[dv][gimsuy]*\b\.(exec|test)",
}
# The features by the names of LLVM, which writes them into the module; each is in the oldest.
IN_WEBASSEMBLY = {
    "bulk-memory",
    "bulk-memory-opt",
    "call-indirect-overlong",
    "multivalue",
    "mutable-globals",
    "nontrapping-fptoint",
    "reference-types",
    "sign-ext",
}


@pytest.mark.parametrize("name", TOO_NEW)
@pytest.mark.parametrize("script", ["fsbridge.js", "fsbridge-consent.js", "fsbridge/micropython.js"])
def test_scripts_use_nothing_newer(web: Path, script: str, name: str) -> None:
    text = (web / script).read_text(encoding="utf-8")
    assert not re.search(TOO_NEW[name], text)


def test_micropython_uses_nothing_newer() -> None:
    module = (npm.provision() / INTERPRETERS["micropython"][0] / "micropython.wasm").read_bytes()
    section = module[module.index(b"target_features") + len(b"target_features") :]
    used = {name.decode() for name in re.findall(rb"\+[\x01-\x40]([a-z0-9-]+)", section)}
    assert used == IN_WEBASSEMBLY


def test_the_build_and_the_documentation_name_the_same_browsers() -> None:
    target = re.search(r"target: \[(.*?)\]", (web_sources() / "bundle.mjs").read_text(encoding="utf-8"))
    assert target
    written = {name: float(version) for name, version in re.findall(r'"([a-z]+)([\d.]+)"', target[1])}
    said = re.search(
        r"\| the tag, MicroPython \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", DOCS.read_text(encoding="utf-8")
    )
    assert said
    assert dict(zip(OLDEST, map(float, said.groups()), strict=True)) == OLDEST
    assert all(written[name] <= OLDEST[name] for name in OLDEST)
