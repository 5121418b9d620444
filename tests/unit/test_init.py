"""The command ``init``, and the shells' completion of the command line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from fsbridge.build.release import POLICY, policy
from fsbridge.build.servers import SERVERS
from fsbridge.cli import commands

ANSWERS = {"destination": "rudderstack", "org": "o-1A-eu1", "path": "/static/fsbridge/", "server": "nginx"}


def run(*arguments: str, given: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["init", *arguments], input=given)
    return done.exit_code, done.output


def options(**answers: str) -> list[str]:
    return [text for name, answer in answers.items() for text in (f"--{name}", answer)]


@pytest.mark.parametrize("server", SERVERS)
def test_options_answer_all_questions(server: str) -> None:
    status, said = run(*options(**{**ANSWERS, "server": server}))
    assert status == 0
    assert "?" not in said.split("# 2.")[0]
    tag = '<script src="/static/fsbridge/fsbridge.js" data-destination="rudderstack" data-org="o-1A-eu1"></script>'
    assert tag in said
    assert f"Content-Security-Policy: {policy('o-1A-eu1')}" in said
    assert said.endswith(SERVERS[server]("/static/fsbridge/", "/srv/site/static/fsbridge/"))


@pytest.mark.parametrize("name", ANSWERS)
def test_what_no_option_answers_is_asked(name: str) -> None:
    others = {other: answer for other, answer in ANSWERS.items() if other != name}
    status, asked = run(*options(**others), given=f"{ANSWERS[name]}\n")
    assert status == 0
    assert asked.count("?") == (0 if name == "org" else 1)
    assert asked.endswith(run(*options(**ANSWERS))[1])


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("destination", "segment", "is not one of 'segment-classic', 'segment-actions', 'rudderstack'"),
        ("org", 'o"><script>', "is no org id; accepted: letters, digits and hyphens, as in o-1ABC-na1."),
        ("org", "", "is no org id"),
        ("path", "https://cdn.example/", "is no path; accepted: one of the site's own, such as /fsbridge/."),
        ("path", '/"/', "is no path"),
        ("server", "iis", "is not one of 'nginx', 'caddy', 'other'"),
    ],
)
def test_a_wrong_answer_is_told_with_what_is_accepted(name: str, answer: str, said: str) -> None:
    status, told = run(*options(**{**ANSWERS, name: answer}))
    assert status == 2
    assert said in told


def test_a_path_may_leave_out_its_last_slash() -> None:
    assert run(*options(**{**ANSWERS, "path": "/static/fsbridge"})) == run(*options(**ANSWERS))


def test_a_policy_names_the_orgs_region() -> None:
    assert policy("o-1ABC-na1") == policy("1ABC") == POLICY
    assert policy("o-1ABC-eu1").count(".eu1.fullstory.com") == POLICY.count(".fullstory.com")


BASH = """{script}
COMP_WORDS=(fsbridge init --server ""); COMP_CWORD=3
_fsbridge_completion fsbridge
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell: str, tmp_path: Path) -> None:
    """The script that each gets is one that it can read, and offers the values of an option."""
    command = tmp_path / "fsbridge"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m fsbridge "$@"\n')
    command.chmod(0o755)
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": root}

    def output(*arguments: str, **variables: str) -> str:
        done = subprocess.run(arguments, env={**environment, **variables}, capture_output=True, text=True, check=True)
        return done.stdout

    documented = (Path(root) / "docs/reference/command-line.md").read_text("utf-8")
    assert f"_FSBRIDGE_COMPLETE={shell}_source fsbridge" in documented
    script = output("fsbridge", _FSBRIDGE_COMPLETE=f"{shell}_source")
    if shell == "bash":
        assert output("bash", "-c", BASH.format(script=script)).split() == list(SERVERS)
        return
    words = {"COMP_WORDS": "fsbridge init --server ", "COMP_CWORD": "3" if shell == "zsh" else ""}
    found = output("fsbridge", _FSBRIDGE_COMPLETE=f"{shell}_complete", **words)
    assert all(server in found for server in SERVERS)
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        output(shell, "-n", str(tmp_path / "script"))


@pytest.mark.parametrize(
    ("option", "begun", "offered"),
    [
        ("--destination", "", ["segment-classic", "segment-actions", "rudderstack", "segment-cloud"]),
        ("--destination", "segment-c", ["segment-classic", "segment-cloud"]),
        ("--source", "r", ["rudderanalytics"]),
    ],
)
def test_values_that_map_takes_are_offered(option: str, begun: str, offered: list[str]) -> None:
    completion = ShellComplete(commands, {}, "fsbridge", "_FSBRIDGE_COMPLETE")
    assert [each.value for each in completion.get_completions(["map", option], begun)] == offered
