"""The commands that talk to FullStory, run as people run them."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fsbridge.cli import commands
from fsbridge.cloud.direct import FullStory
from tests.standin import KEY, Answer, FullStoryAPI


def track(index: int, users: int = 5, **fields: Any) -> dict[str, Any]:
    properties = {"i": index}
    return {"type": "track", "userId": f"u{index % users}", "event": "E", "properties": properties, **fields}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "messages.jsonl"
    write(path, range(30))
    return path


def write(path: Path, indices: Iterable[int]) -> None:
    path.write_bytes(b"".join(json.dumps(track(index)).encode() + b"\n" for index in indices))


@pytest.fixture
def run(api: FullStoryAPI) -> Callable[..., Any]:
    def run(*arguments: Any, key: str = KEY, retry_for: str = "5", **options: Any) -> Any:
        more = ["--base-url", api.url, "--retry-for", retry_for, "--timeout", "5"]
        environment = {"FULLSTORY_API_KEY": key}
        result = CliRunner().invoke(commands, [*map(str, arguments), *more], env=environment, **options)
        assert KEY not in result.output
        return result

    return run


def indices(api: FullStoryAPI) -> Any:
    return [each.json["properties"]["i"] for each in api.accepted]


def assert_once_and_in_order(api: FullStoryAPI, count: int) -> None:
    orders = defaultdict(list)
    for each in api.accepted:
        orders[each.json["user"]["uid"]].append(each.json["properties"]["i"])
    assert sorted(indices(api)) == list(range(count))
    assert all(order == sorted(order) for order in orders.values())


def rejected(path: Path) -> Any:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_all_lines_are_sent_and_nothing_is_said(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    result = run("send", file)
    assert (result.exit_code, result.output) == (0, "")
    assert_once_and_in_order(api, 30)
    assert not file.with_name("messages.jsonl.rejected").exists()


def test_gzip_and_standard_input(
    run: Callable[..., Any], api: FullStoryAPI, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zipped = tmp_path / "more.jsonl.gz"
    zipped.write_bytes(gzip.compress(file.read_bytes()))
    assert run("send", zipped).exit_code == 0
    assert_once_and_in_order(api, 30)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert run("send", "-", input=file.read_bytes()).exit_code == 0
    assert os.listdir() == []
    assert len(api.accepted) == 60


def test_a_file_that_is_cut_short_stops_with_what_it_held(
    run: Callable[..., Any], api: FullStoryAPI, file: Path, tmp_path: Path
) -> None:
    zipped = tmp_path / "cut.gz"
    zipped.write_bytes(gzip.compress(file.read_bytes())[:-20])
    result = run("send", zipped)
    assert result.exit_code == 3
    assert "ended before" in result.stderr
    broken = bytearray(gzip.compress(file.read_bytes()))
    broken[60:90] = b"x" * 30
    (tmp_path / "broken.gz").write_bytes(broken)
    for command in ("send", "backfill"):
        assert run(command, tmp_path / "broken.gz").exit_code == 3


def test_a_line_nested_too_deeply_stops_nothing(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    with file.open("a") as more:
        for depth in (400, 600, 5_000):
            message = json.dumps(track(1, context={"d": "?"}))
            more.write(message.replace('"?"', "[" * depth + "]" * depth) + "\n")
        more.write(json.dumps(track(30)) + "\n")
    assert run("send", file).exit_code == 1
    assert 30 in indices(api)
    assert all("nested too deeply" in each["error"] for each in rejected(file.with_name("messages.jsonl.rejected")))


def test_rejected_lines_are_kept_with_the_reason(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    lines = [
        track(0),
        {"type": "track", "userId": "u"},
        {"type": "tarck"},
        track(1, event="x" * 300),
        {"type": "page"},
        track(2),
    ]
    file.write_text("\n\n".join(map(json.dumps, lines)) + '\n{nope\n{"type": "' + "x" * 1_500_000 + "\n", "utf-8")
    result = run("send", file)
    assert result.exit_code == 1
    assert result.stderr == f"3 lines sent in 2 requests, 5 rejected: see {file}.rejected\n"
    kept = rejected(file.with_name("messages.jsonl.rejected"))
    reasons = {each["line"]: each["error"] for each in kept}
    assert reasons == {
        3: "subscription 1 'Track Event' failed: The root value is missing the required field 'name'.",
        5: 'not a message: its type is "tarck"; known: identify, track, page, screen, group, alias',
        7: "POST /v2/events: HTTP 400: name must have 1 to 250 characters",
        12: "invalid JSON: Expecting property name enclosed in double quotes at character 2",
        13: "the line is longer than 1,000,000 bytes",
    }
    assert {each["line"]: each["message"] for each in kept}[12] == "{nope"
    assert indices(api) == [0, 2] or indices(api) == [2, 0]


def test_an_outage_stops_it_and_resume_goes_on(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    write(file, range(400))
    api.script(*[Answer() for _ in range(100)], *[503] * 100)
    result = run("send", file, retry_for="0")
    assert result.exit_code == 3
    assert "Error: POST /v2/events: HTTP 503" in result.stderr
    assert "--resume goes on there" in result.stderr
    api.end_script()
    refused = run("send", file)
    assert refused.exit_code == 2
    assert "Go on with --resume" in refused.stderr
    assert run("send", file, "--resume").exit_code == 0
    assert_once_and_in_order(api, 400)
    again = run("send", file, "--resume")
    assert (again.exit_code, again.stderr) == (0, "Nothing was left to do.\n")
    with file.open("ab") as more:
        more.write(json.dumps(track(400)).encode() + b"\n")
    assert run("send", file, "--resume").exit_code == 0
    assert_once_and_in_order(api, 401)


def test_resume_of_something_else_is_refused(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    api.always(503)
    assert run("send", file, retry_for="0").exit_code == 3
    changed = run("send", file, "--resume", "--settings", '{"subscriptions": []}')
    assert (changed.exit_code, "The settings are not those" in changed.stderr) == (2, True)
    file.write_bytes(b"{}\n" + file.read_bytes())
    other = run("send", file, "--resume")
    assert (other.exit_code, "it begins differently" in other.stderr) == (2, True)
    file.with_name("messages.jsonl.progress").write_text("[]")
    none = run("send", file, "--resume")
    assert (none.exit_code, "is not a progress file of fsbridge" in none.stderr) == (2, True)
    assert run("send", "-", "--resume", input=b"").exit_code == 2


def test_a_wrong_key_rejects_no_line(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    result = run("send", file, key="na1.wrong")
    assert result.exit_code == 2
    assert "the API key is wrong or was revoked" in result.stderr
    assert "na1.wrong" not in result.output
    assert not file.with_name("messages.jsonl.rejected").exists()
    assert run("send", file, "--resume").exit_code == 0
    assert_once_and_in_order(api, 30)
    assert run("send", file, key="").exit_code == 2


def test_a_crash_at_any_moment_loses_and_doubles_nothing(api: FullStoryAPI, tmp_path: Path) -> None:
    """kill -9, again and again; and an interruption that finishes what has begun."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(
        b"".join(json.dumps(track(i, event="" if i % 50 == 7 else "E")).encode() + b"\n" for i in range(700))
    )
    command = [sys.executable, "-m", "fsbridge", "send", str(path), "--base-url", api.url, "--resume"]
    environment = {**os.environ, "FULLSTORY_API_KEY": KEY}
    chance = random.Random(5)
    statuses = []
    for attempt in range(12):
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        began, before = time.monotonic(), len(api.accepted)
        goal = chance.randrange(1, 130) if attempt < 7 else 10_000
        while process.poll() is None and len(api.accepted) - before < goal and time.monotonic() - began < 60:
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM if attempt == 2 else signal.SIGKILL)
        stderr = process.communicate(timeout=60)[1]
        assert KEY not in stderr
        statuses.append(process.returncode)
        if process.returncode in (0, 1):
            break
    assert statuses[-1] == 1, statuses
    assert statuses.count(-9) >= 3
    assert 130 in statuses
    kept = [each["line"] for each in rejected(tmp_path / "messages.jsonl.rejected")]
    assert sorted(kept) == [index + 1 for index in range(700) if index % 50 == 7]
    expected = [index for index in range(700) if index % 50 != 7]
    assert sorted(indices(api)) == expected
    by_user = defaultdict(list)
    for each in api.accepted:
        by_user[each.json["user"]["uid"]].append(each.json["properties"]["i"])
    assert all(order == sorted(order) for order in by_user.values())


def test_dry_run_sends_nothing_and_needs_no_key(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    result = run("send", file, "--dry-run", key="")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 30
    assert json.loads(result.stdout.splitlines()[0])["requests"][0]["path"] == "/v2/events"
    assert api.requests == []
    assert len(list(file.parent.iterdir())) == 1


def test_memory_does_not_grow_with_the_input(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def taken(*_: object) -> int:
        return 1

    monkeypatch.setattr(FullStory, "send", taken)
    path = tmp_path / "messages.jsonl"

    path.write_bytes(b"".join(json.dumps(track(i, text="x" * 2_000)).encode() + b"\n" for i in range(8_000)))
    tracemalloc.start()
    try:
        assert run("send", path).exit_code == 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 16_000_000
    assert peak < 6_000_000


def test_check(run: Callable[..., Any], api: FullStoryAPI) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "The API key works.",
        "organisation: 1ABC",
        "user:         ada@example.com",
        "role:         ADMIN",
        "data centre:  na1",
    ]
    api.api_key = "old"
    assert "the key doesn't tell" in run("check", key="old").stdout
    wrong = run("check")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "the API key is wrong or was revoked" in wrong.stderr
    api.always(500)
    assert run("check", retry_for="0").exit_code == 3
    assert run("check", key="").exit_code == 2


def test_the_key_from_a_file(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    assert run("check", "--api-key-file", tmp_path / "key", key="").exit_code == 0
    assert run("check", "--api-key-file", tmp_path / "none").exit_code == 2


def test_delete_user(run: Callable[..., Any], api: FullStoryAPI) -> None:
    result = run("delete-user", "user 1")
    assert (result.exit_code, result.stdout) == (0, "Deleted user 1.\n")
    assert api.accepted[0].path == "/v2/users?uid=user%201"
    gone = run("delete-user", "user 1")
    assert (gone.exit_code, "FullStory doesn't know this user" in gone.stderr) == (1, True)


def test_backfill(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    with file.open("ab") as more:
        more.write(b"{nope\n" + json.dumps(track(30, event="x" * 300)).encode() + b"\n\n")
    result = run("backfill", file, "--batch-size", 20)
    assert result.exit_code == 1
    assert result.stderr == f"0 users and 30 events imported in 2 batches; 2 rejected: see {file}.rejected\n"
    kept = rejected(file.with_name("messages.jsonl.rejected"))
    assert [each["error"] for each in kept] == [
        "line 31: invalid JSON: Expecting property name enclosed in double quotes at character 2",
        "name must have 1 to 250 characters",
    ]
    write(file, range(5))
    assert run("backfill", file).output == ""
    assert run("backfill", file, key="wrong").exit_code == 2
    api.always(503)
    assert run("backfill", file, retry_for="0").exit_code == 3


@pytest.mark.parametrize("command", ["send", "backfill", "delete-user", "check"])
def test_help_shows_an_example(command: str) -> None:
    result = CliRunner().invoke(commands, [command, "--help"])
    assert result.exit_code == 0
    assert f"fsbridge {command}" in result.output.partition("Example:")[2]


BAD = [
    b'{"type": "track", "userId": "u1", "event": "x", "properties": {"n": %s}}' % (b"9" * 400),
    b'{"type": "track", "userId": %s, "event": "x"}' % (b"9" * 5_000),
    b'{"type": "track", "userId": "u1", "event": "x", "properties": {"n": 1e400}}',
    b'{"type": "track", "userId": "u1", "event": "x", "properties": {"n": NaN}}',
    b'{"type": "track", "userId": "u1", "event": "x", "properties": {"n": %s}}' % (b"[" * 5_000 + b"]" * 5_000),
    b'{"type": "track", "userId": "u1", "event": "\xff"}',
    b'{"type": "track", "userId": "u1", "event": "a\tb"}',
    b'{"type": "track", "userId": "u1", "event": "%s"}' % (b"x" * 1_100_000),
]
"""Lines that no message can be made of."""


def bad_lines_between(path: Path) -> Any:
    """30 good lines with a bad one before some of them; the bad ones' numbers."""
    good = [json.dumps(track(index)).encode() for index in range(30)]
    for index, line in enumerate(BAD):
        good.insert(index * 3, line)
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join(good) + b"\n")
    return [index * 3 + 1 for index in range(len(BAD))]


def test_a_bad_line_stops_no_other(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    bad = bad_lines_between(file)
    api.script(*[Answer() for _ in range(4)], *[503] * 100)
    assert run("send", file, retry_for="0").exit_code == 3
    api.end_script()
    result = run("send", file, "--resume")
    assert result.exit_code == 1
    assert_once_and_in_order(api, 30)
    kept = rejected(file.with_name("messages.jsonl.rejected"))
    assert sorted(each["line"] for each in kept) == bad
    assert all(each["error"] for each in kept)


def test_a_bad_line_stops_no_import(run: Callable[..., Any], api: FullStoryAPI, file: Path) -> None:
    bad = bad_lines_between(file)
    result = run("backfill", file)
    assert result.exit_code == 1
    assert "30 events imported in 1 batches; 8 rejected" in result.stderr
    told = [each["error"].split(":")[0] for each in rejected(file.with_name("messages.jsonl.rejected"))]
    assert told == [f"line {number}" for number in bad]


@pytest.mark.parametrize("error", [OverflowError("too large"), RecursionError("too deep"), TypeError("odd")])
def test_an_error_of_one_message_is_that_messages(
    run: Callable[..., Any], api: FullStoryAPI, file: Path, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    requests = FullStory.requests

    def failing(self: Any, message: Any) -> Any:
        if message["properties"]["i"] == 7:
            raise error
        return requests(self, message)

    monkeypatch.setattr(FullStory, "requests", failing)
    assert run("send", file).exit_code == 1
    assert sorted(indices(api)) == [index for index in range(30) if index != 7]
    (kept,) = rejected(file.with_name("messages.jsonl.rejected"))
    assert (kept["line"], kept["error"]) == (8, str(error))


def test_a_missing_key_names_what_the_command_line_has(run: Callable[..., Any], file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for command in (("send", file), ("backfill", file), ("check",), ("delete-user", "u")):
        result = run(*command, key="")
        assert result.exit_code == 2
        assert "FULLSTORY_API_KEY" in result.stderr
        assert "--api-key-file" in result.stderr
        assert "Cloud(" not in result.stderr
    assert f"no API key in {tmp_path / 'empty'}" in run("check", "--api-key-file", tmp_path / "empty", key="").stderr
