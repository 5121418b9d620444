"""Stands in for ``python`` and ``nox`` in examples that install, or run sessions: says whether there is such a one."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> None:
    if arguments[0] == "nox":
        session = arguments[arguments.index("-s") + 1]
        sessions = re.findall(
            r"^@nox\.session(?:\(name=\"([\w-]+)\"\))?\ndef (\w+)", (ROOT / "noxfile.py").read_text(), re.M
        )
        assert session in [named or function for named, function in sessions], f"no session {session}"
    else:
        assert arguments[:3] == ["-m", "pip", "install"], arguments
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        for wanted in arguments[3:]:
            found = re.fullmatch(r"nox|(?:\.|fullstory_bridge-….whl)(?:\[([\w,]+)\])?", wanted)
            assert found, f"{wanted}: neither nox nor this project"
            for extra in (found[1] or "").split(","):
                assert not extra or extra in extras, f"no extra {extra}"


main(sys.argv[1:])
