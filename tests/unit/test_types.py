"""The npm package's types, for tsc: right uses pass, wrong ones don't, and they name just what Python knows."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fsbridge import destinations
from fsbridge.browser import sources
from fsbridge.build import web_sources
from fsbridge.build.node import find_node
from fsbridge.settings import ATTRIBUTES, ORG
from tools import npm
from tools.types import OF_DESTINATION, OPTIONS, OWN, options

USES = Path(__file__).with_name("types.ts")


def tsc(folder: Path, program: str, resolution: str = "bundler") -> str:
    """What tsc complains about in a program that imports the package."""
    package = folder / "node_modules/fullstory-bridge"
    shutil.copytree(web_sources() / "npm", package, dirs_exist_ok=True)
    exports = {".": {"types": "./index.d.ts", "default": "./index.js"}}
    (package / "package.json").write_text(
        json.dumps({"name": "fullstory-bridge", "type": "module", "exports": exports})
    )
    (folder / "program.mts").write_text(program, encoding="utf-8")
    command = [find_node(), str(npm.provision() / "typescript/bin/tsc"), "--noEmit", "--strict", "--target", "es2022"]
    command += ["--module", "nodenext" if resolution == "nodenext" else "esnext", "--moduleResolution", resolution]
    command += ["--lib", "es2022,dom,dom.iterable", "--types", "", "--skipLibCheck", "false", "program.mts"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("resolution", ["bundler", "nodenext"])
def test_right_uses_pass_and_wrong_ones_do_not(resolution: str, tmp_path: Path) -> None:
    assert tsc(tmp_path, USES.read_text("utf-8"), resolution) == ""


def test_the_options_are_those_that_python_knows() -> None:
    assert OPTIONS.read_text("utf-8") == options(), "python -m tools.types"
    assert {*OWN, *OF_DESTINATION} == {*ATTRIBUTES}


SAME = "declare function same<A, B>(are: [A, B] extends [B, A] ? true : false): void;\n"


def same(one: str, other: str) -> str:
    """A line that is an error where two unions of names aren't the same."""
    return f"same<{one}, {other}>(true);\n"


def union(names: object) -> str:
    return " | ".join(json.dumps(name) for name in names)  # type: ignore[attr-defined]


def test_no_name_is_missing_in_them_and_none_is_too_many(tmp_path: Path) -> None:
    program = f"""{SAME}
import type * as types from "fullstory-bridge";
type Of<Name> = Extract<types.Options, {{ destination: Name; org: string }}>;
"""
    for name in destinations.NAMES:
        kind = destinations.find(name)
        known = {*ORG, *ATTRIBUTES, *(each.name for each in kind.settings)}
        program += same(f'keyof Of<"{name}">', union(sorted(known)))
    apis = {"analytics.js": "AnalyticsJs", "rudderanalytics": "RudderAnalytics"}
    for name in sources.NAMES:
        source = sources.find(name)
        program += same(f"keyof types.{apis[name]}", union([*source.methods, *source.unsupported]))
    assert tsc(tmp_path, program) == ""
    for one, other in (('"a"', '"a" | "b"'), ('"a" | "b"', '"a"')):
        assert "TS2345" in tsc(tmp_path, SAME + same(one, other))


def test_a_destinations_name_is_one_of_ours(tmp_path: Path) -> None:
    program = SAME + 'import type { Options } from "fullstory-bridge";\n'
    program += same('Options["destination"]', union(destinations.NAMES))
    assert tsc(tmp_path, program) == ""
