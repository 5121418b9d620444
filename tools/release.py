"""A release without publishing: checks versions, makes and tries the packages, prints what would be published.

python -m tools.release
"""

import hashlib
import re
import subprocess
from pathlib import Path

from fsbridge.version import VERSION

from . import package

CHANGES = package.ROOT / "CHANGELOG.md"
_HEADING = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?$", re.MULTILINE)


def main() -> None:
    """Check, make and tell. Ends with what is wrong where something is."""
    wrong = problems(VERSION, CHANGES.read_text(encoding="utf-8"), _git("tag", "--list").split())
    if _git("status", "--porcelain"):
        wrong.append("The checkout has changes that are not committed.")
    if wrong:
        raise SystemExit("No release can be made of this:\n" + "".join(f"- {each}\n" for each in wrong))
    package.main()
    print(listing(package.OUT, VERSION))


def problems(version: str, changes: str, tags: list[str]) -> list[str]:
    """What is wrong with releasing ``version``, given the changelog's text and the tags that there are."""
    wrong = []
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        wrong.append(f"The version is {version!r}; it has to be three numbers, as in 1.2.3.")
    versions = [(name, date) for name, date in _HEADING.findall(changes) if name != "Unreleased"]
    if not versions or versions[0][0] != version:
        newest = versions[0][0] if versions else "none"
        wrong.append(f"fsbridge/version.py says {version}, the newest version in CHANGELOG.md is {newest}.")
    elif not versions[0][1]:
        wrong.append(f"CHANGELOG.md has no date for {version}.")
    if f"v{version}" in tags:
        wrong.append(f"The tag v{version} is there already.")
    waiting = changes.partition("## [Unreleased]")[2].partition("\n## [")[0]
    if waiting.strip():
        wrong.append("CHANGELOG.md has changes under Unreleased, which belong to the version.")
    return wrong


def listing(folder: Path, version: str) -> str:
    """What would be published: the tag, and each package with its size and hash."""
    lines = [f"Nothing was published. A release of {version} would be", f"  the tag v{version}"]
    for file in sorted(folder.iterdir()):
        if version not in file.name:
            raise SystemExit(f"{file.name} is not of version {version}.")
        content = file.read_bytes()
        lines.append(f"  {file.name}, {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    return "\n".join(lines)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=package.ROOT, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
