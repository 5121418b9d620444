"""What a release is refused for, and what it prints."""

from pathlib import Path

import pytest

from fsbridge.version import VERSION
from tools.release import CHANGES, listing, problems

GOOD = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-28\n\n- Something.\n\n## [1.2.2] - 2026-01-01\n"


@pytest.mark.parametrize(
    ("version", "changes", "tags", "said"),
    [
        ("1.2.3", GOOD, [], []),
        ("1.2.3", GOOD, ["v1.2.2"], []),
        ("1.2.4", GOOD, [], ["version.py says 1.2.4, the newest version in CHANGELOG.md is 1.2.3"]),
        ("1.2.3", "# Changelog\n", [], ["the newest version in CHANGELOG.md is none"]),
        ("1.2.3", GOOD.replace(" - 2026-11-28", ""), [], ["no date for 1.2.3"]),
        ("1.2.3", GOOD, ["v1.2.3"], ["The tag v1.2.3 is there already"]),
        ("1.2.3", GOOD.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n"), [], ["changes under Unreleased"]),
        ("1.2", GOOD, [], ["three numbers", "version.py says 1.2,"]),
    ],
)
def test_versions_have_to_agree(version: str, changes: str, tags: list[str], said: list[str]) -> None:
    told = problems(version, changes, tags)
    assert len(told) == len(said)
    assert all(part in text for part, text in zip(said, told, strict=True))


def test_this_version_is_in_the_changelog() -> None:
    assert not [each for each in problems(VERSION, CHANGES.read_text("utf-8"), []) if "Unreleased" not in each]


def test_what_would_be_published_is_named_with_its_hash(tmp_path: Path) -> None:
    (tmp_path / "fullstory_bridge-1.2.3.tar.gz").write_bytes(b"abc")
    told = listing(tmp_path, "1.2.3")
    assert told.startswith("Nothing was published.")
    assert "the tag v1.2.3" in told
    assert "3 bytes, sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" in told
    with pytest.raises(SystemExit, match=r"tar\.gz is not of version 1\.2\.4"):
        listing(tmp_path, "1.2.4")
