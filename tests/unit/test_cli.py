"""The command line: messages in, calls out, and clear words for everything that is wrong."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fsbridge import extras
from fsbridge.cli import commands
from fsbridge.cli.mapped import tagged
from fsbridge.runtime import UNDEFINED
from fsbridge.runtime.cpython import BigInt, Date

ROOT = Path(__file__).parents[2]
CLASSIC = ("--destination", "segment-classic", "--settings", '{"org": "o-1", "trackNamedPages": true}')
ACTIONS = ("--destination", "segment-actions", "--settings")


def run(lines: Any, *arguments: Any) -> Result:
    given = lines if isinstance(lines, bytes) else "\n".join(map(json.dumps, lines)).encode()
    return CliRunner().invoke(commands, ["map", *arguments], input=given)


def calls(result: Any) -> Any:
    """The calls of each output line."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line)["calls"] for line in result.stdout.splitlines()]


def track(event: str = "Clicked", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, **fields}


def test_one_line_for_each_message() -> None:
    result = run([track(properties={"n": 1.0}), {"type": "group"}, {"type": "page", "name": "Home"}], *CLASSIC)
    assert (result.exit_code, result.stderr) == (0, "3 messages: 3 calls, 1 without any.\n")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"line": 1, "calls": [{"call": "FS.event", "args": ["Clicked", {"n": 1}, "segment"]}]},
        {"line": 2, "calls": []},
        {
            "line": 3,
            "calls": [
                {"call": "FS.event", "args": ["Viewed Home Page", {"name": "Home"}, "segment"]},
                {"call": "FS.setVars", "args": ["page", {"name": "Home", "pageName": "Home"}, "segment"]},
            ],
        },
    ]


def test_wrong_lines_are_numbered_and_stop_nothing() -> None:
    lines = [
        json.dumps(track("First")).encode(),
        b"{nope",
        b"",
        b"[1]",
        b'{"type": "tarck"}',
        b'{"event": "x"}',
        b'{"type": "track", "event": "\xff"}',
        b'{"type": "track", "event": NaN}',
        b"[" * 100_000,
        json.dumps(track("Last")).encode(),
    ]
    result = run(b"\r\n".join(lines), *CLASSIC)
    assert result.exit_code == 1
    assert [json.loads(line)["line"] for line in result.stdout.splitlines()] == [1, 10]
    *said, summary = result.stderr.splitlines()
    assert summary == "2 messages: 2 calls; 7 lines with problems."
    assert [line.split(":")[0] for line in said] == [f"line {number}" for number in (2, 4, 5, 6, 7, 8, 9)]
    assert said[0] == "line 2: invalid JSON: Expecting property name enclosed in double quotes at character 2"
    assert said[2].endswith('its type is "tarck"; known: identify, track, page, screen, group, alias')


def test_a_mapping_that_fails_on_a_message_is_told_with_its_line() -> None:
    failing = {
        "name": "Where",
        "enabled": True,
        "subscribe": 'type = "track"',
        "partnerAction": "trackEventV2",
        "mapping": {"name": {"@path": {"@path": "$.properties.where"}}},
    }
    settings = json.dumps({"orgId": "o-1", "subscriptions": [failing]})
    result = run([track(), track(properties={"where": "event"})], *ACTIONS, settings)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "line 1: subscription 1 'Where' failed: @path: expected string, got undefined",
        "2 messages: 1 call, 1 without any; 1 line with problems.",
    ]
    assert json.loads(result.stdout.splitlines()[1])["calls"][0]["args"][1] == {"name": "Clicked", "properties": {}}


def test_what_json_cannot_hold_istagged() -> None:
    result = run(b'{"type": "track", "event": "\\ud800", "properties": {"at": "2024-03-05", "n": -0}}', *CLASSIC)
    (event,) = calls(result)
    assert event[0]["args"][:2] == ["\ud800", {"at": {"$date": "2024-03-05T00:00:00.000Z"}, "n": {"$number": "-0"}}]
    values = [
        UNDEFINED,
        {"a": UNDEFINED, "b": None},
        float("nan"),
        -float("inf"),
        BigInt(12),
        Date(float("nan")),
        1e300,
    ]
    assert tagged(values) == [
        {"$undefined": True},
        {"b": None},
        {"$number": "NaN"},
        {"$number": "-Infinity"},
        {"$bigint": "12"},
        {"$date": "Invalid Date"},
        1e300,
    ]


def test_pretty_is_for_people() -> None:
    result = run([track(properties={"at": "2024-03-05", "my key": [1, None]}), {"type": "alias"}], *CLASSIC, "--pretty")
    assert result.stdout.splitlines() == [
        "1  track Clicked",
        '    FS.event("Clicked", {at: 2024-03-05T00:00:00.000Z, "my key": [1, null]}, "segment")',
        "2  alias",
        "    no call",
    ]


FILTERED = track(integrations={"All": False})


@pytest.mark.parametrize(
    ("destination", "settings", "source", "message", "sent"),
    [
        ("segment-classic", {}, None, FILTERED, False),
        ("segment-classic", {}, None, track(integrations={"FullStory": False}), False),
        ("segment-classic", {}, None, track(integrations={"All": False, "FullStory": {}}), True),
        ("segment-actions", {}, None, track(integrations={"Fullstory (Actions) trackEventV2": False}), False),
        ("rudderstack", {}, None, track(properties={}, integrations={"Fullstory": False}), False),
        ("rudderstack", {}, "analytics.js", track(properties={}, integrations={"Fullstory": True}), True),
        ("segment-classic", {}, "rudderanalytics", track(integrations={"FullStory": False}), True),
        ("segment-classic", {}, "rudderanalytics", track(integrations={"Fullstory": False}), False),
        ("rudderstack", {"enabled": False}, None, track(properties={}), False),
        (
            "rudderstack",
            {"eventFilteringOption": "blacklistedEvents", "blacklistedEvents": [{"eventName": "Clicked"}]},
            None,
            track(properties={}),
            False,
        ),
    ],
)
def test_filters_are_those_of_the_source(destination: str, settings: Any, source: Any, message: Any, sent: Any) -> None:
    arguments = ["--destination", destination, "--settings", json.dumps({"org": "o-1", **settings})]
    (made,) = calls(run([message], *arguments, *(("--source", source) if source else ())))
    assert bool(made) is sent


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--destination", "segment-clasic"), "unknown destination 'segment-clasic'; did you mean 'segment-classic'?"),
        (("--destination", "segment-classic"), "setting 'org' is missing"),
        (("--destination", "rudderstack", "--settings", '{"fs_orgg": "o"}'), "did you mean 'fs_org'?"),
        ((*CLASSIC, "--source", "rudderanalytic"), "unknown source 'rudderanalytic'; did you mean 'rudderanalytics'?"),
        ((*ACTIONS, "nowhere.json"), "--settings nowhere.json can't be read: No such file or directory."),
        ((*ACTIONS, "{"), "--settings is invalid JSON"),
        (
            (
                *ACTIONS,
                '{"orgId": "o", "subscriptions": [{"name": "X", "enabled": true, "partnerAction": "trackEvent"}]}',
            ),
            "segment-actions: subscription 1 'X': trigger undefined: it must be text",
        ),
    ],
)
def test_wrong_settings_are_status_2(arguments: Any, said: Any) -> None:
    result = run([track()], *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_settings_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('\ufeff{"org": "o-1"}', encoding="utf-8")
    assert len(calls(run([track()], "--destination", "segment-classic", "--settings", str(path)))) == 1
    path.write_bytes(b"\xff")
    assert "can't be read" in run([], "--destination", "segment-classic", "--settings", str(path)).stderr
    path.write_text('"o-1"')
    wrong = run([], "--destination", "rudderstack", "--settings", str(path))
    assert "must be a JSON object or a list of subscriptions, and is a string" in wrong.stderr


def test_messages_stream_in_constant_memory(tmp_path: Path) -> None:
    program = "import sys, tracemalloc; from fsbridge.cli import commands; tracemalloc.start()\n"
    program += "try: commands()\nfinally: print(tracemalloc.get_traced_memory()[1], file=sys.stderr)"
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}  # compiling takes memory, too: once, at first
    peaks = []
    for count in (1, 500, 5_000):
        messages = (track(f"Event {number}", properties={f"p{number}": "x" * 200}) for number in range(count))
        given = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
        command = [sys.executable, "-c", program, "map", *CLASSIC]
        done = subprocess.run(command, input=given, capture_output=True, check=True, env=environment)
        assert done.stdout.count(b"\n") == count
        peaks.append(int(done.stderr.split()[-1]))
    assert peaks[2] < peaks[1] + 200_000, f"{peaks} bytes, and the input grew by more than a million"


def test_without_the_extra_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['click'] = None; from fsbridge.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        'click is missing, which fsbridge\'s extra "cli" brings: ' + f'python -m pip install "{ROOT}[cli]"\n'
    )


@pytest.mark.parametrize(
    ("noted", "advice"),
    [
        ('{"url": "WHEEL"}', 'python -m pip install "PATH[relay]"'),
        ('{"url": "file:///gone/x.whl"}', "install fsbridge again, with that extra, from /gone/x.whl"),
        (
            '{"url": "https://files.example/x.whl"}',
            "install fsbridge again, with that extra, from https://files.example/x.whl",
        ),
        ("", "install fsbridge again, with that extra, from where you have it from"),
        (None, "install fsbridge again, with that extra, from where you have it from"),
    ],
)
def test_what_is_missing_comes_from_where_fsbridge_does(
    noted: str | None, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "with space.whl"
    wheel.touch()
    monkeypatch.setattr(extras, "CHECKOUT", tmp_path)
    installed = SimpleNamespace(read_text=lambda name: noted and noted.replace("WHEEL", wheel.as_uri()))
    monkeypatch.setattr(extras, "distribution", lambda name: installed)
    said = extras.missing("starlette", "relay")
    assert said == f'starlette is missing, which fsbridge\'s extra "relay" brings: {advice.replace("PATH", str(wheel))}'


def test_nobody_is_told_to_install_a_name_that_is_on_no_index() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    # A file, an address or a folder may have the name in it.
    ours = r"[\"']?(?:fullstory[-_]bridge|(?:@fsbridge/)?fsbridge)(?=[\s\"'`\[=<>~,;]|$)"
    asks = re.compile(
        rf"(?:pip|pipx|uv|npm|pnpm|yarn|micropip)[\w ]*[ .](?:install|add)[ (](?:[-\w=.>\"'\[\]]+ )*{ours}"
    )
    assert asks.search("pip install nox fsbridge")
    assert asks.search("npm install @fsbridge/fsbridge")
    assert asks.search('python -m pip install --quiet "fullstory-bridge[cli]"')
    texts = {name: (ROOT / name).read_bytes().decode("utf-8", "replace") for name in files if (ROOT / name).is_file()}
    here = Path(__file__).relative_to(ROOT).as_posix()
    assert not [name for name, text in texts.items() if name != here and asks.search(text)]


@pytest.mark.parametrize("command", [(), ("map",), ("build",)])
def test_every_help_has_an_example(command: str) -> None:
    result = CliRunner().invoke(commands, [*command, "--help"])
    assert result.exit_code == 0
    assert "Example:\n" in result.stdout


def test_build_says_what_is_missing_and_spares_strangers_files(tmp_path: Path) -> None:
    empty = tmp_path / "node_modules"
    empty.mkdir()
    result = CliRunner().invoke(commands, ["build", str(tmp_path / "out"), "--node-modules", str(empty)])
    assert result.exit_code == 1
    assert "npm ci" in result.stderr
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(commands, ["build", str(tmp_path)])
    assert result.exit_code == 1
    assert "holds other files" in result.stderr
    assert (tmp_path / "mine.txt").exists()


SUBSCRIPTION = {
    "name": "Clicks",
    "enabled": True,
    "subscribe": 'type = "track" and event = "Clicked"',
    "partnerAction": "trackEventV2",
    "mapping": {"name": {"@template": "{{event}}!"}, "properties": {"@path": "$.properties"}},
}
OF_THE_PUBLIC_API = {
    "id": "sub1",
    "name": SUBSCRIPTION["name"],
    "actionId": "action1",
    "actionSlug": SUBSCRIPTION["partnerAction"],
    "destinationId": "destination1",
    "modelId": "",
    "enabled": True,
    "trigger": SUBSCRIPTION["subscribe"],
    "settings": SUBSCRIPTION["mapping"],
}
PAGE = {"current": "MA==", "totalEntries": 1}


@pytest.mark.parametrize("destination", ["segment-actions", "segment-cloud"])
@pytest.mark.parametrize(
    "settings",
    [
        [SUBSCRIPTION],
        {"subscriptions": [SUBSCRIPTION]},
        [OF_THE_PUBLIC_API],
        {"subscriptions": [OF_THE_PUBLIC_API]},
        {"data": {"subscriptions": [OF_THE_PUBLIC_API], "pagination": PAGE}},
        {"data": {"subscription": OF_THE_PUBLIC_API}},
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff", "\ufeff \n"])
def test_subscriptions_in_all_of_segments_forms(destination: str, settings: Any, mark: str, tmp_path: Path) -> None:
    path = tmp_path / "subscriptions.json"
    path.write_text(mark + json.dumps(settings), encoding="utf-8")
    for given in (str(path), mark + json.dumps(settings)):
        result = run(
            [track(userId="u", properties={"n": 1}), track("Other")], "--destination", destination, "--settings", given
        )
        assert result.exit_code == 0, result.stderr
        first, second = map(json.loads, result.stdout.splitlines())
        (made,) = first.get("calls") or first["requests"]
        assert (made["args"][1] if "args" in made else made["json"])["name"] == "Clicked!"
        assert not second.get("calls", second.get("requests"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"data": {"subscriptions": [], "pagination": {"next": "MQ=="}}}, "only a page of the Public API's list"),
        ([{**OF_THE_PUBLIC_API, "trigger": 7}], "subscription 1 'Clicks': trigger 7: it must be text"),
        (
            [{**OF_THE_PUBLIC_API, "actionSlug": "trackEvnt"}],
            "unknown partnerAction 'trackEvnt'; did you mean 'trackEvent'?",
        ),
        ([OF_THE_PUBLIC_API, 1], "subscription 2 must be an object, and is a number"),
        ({"data": {"destination": {}}}, "unknown setting 'destination'"),
    ],
)
def test_wrong_subscriptions_are_named(settings: Any, said: Any) -> None:
    result = run([], *ACTIONS, json.dumps(settings))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_the_documented_settings_work() -> None:
    path = ROOT / "docs" / "subscriptions.json"
    for destination in ("segment-actions", "segment-cloud"):
        message = track("Order Completed", userId="u1", properties={"total": 99.95})
        result = run([message], "--destination", destination, "--settings", str(path))
        assert (result.exit_code, result.stderr.partition(":")[0]) == (0, "1 message")
        assert "Order Completed" in result.stdout


def test_messages_from_a_file_or_standard_input(tmp_path: Path) -> None:
    content = json.dumps(track()).encode() + b"\n"
    plain, zipped = tmp_path / "m.jsonl", tmp_path / "m.jsonl.gz"
    plain.write_bytes(content)
    zipped.write_bytes(gzip.compress(content))
    outcomes = {run(content, *CLASSIC).stdout, run(content, *CLASSIC, "-").stdout}
    outcomes |= {run(b"", *CLASSIC, str(path)).stdout for path in (plain, zipped)}
    assert len(outcomes) == 1
    assert '"FS.event"' in outcomes.pop()
    zipped.write_bytes(gzip.compress(content * 9)[:-9])
    broken = run(b"", *CLASSIC, str(zipped))
    assert broken.exit_code == 3
    assert f"Error: {zipped} can't be read to its end" in broken.stderr


def test_byte_order_marks_are_no_part_of_a_message() -> None:
    line = "\ufeff" + json.dumps(track()) + "\n"
    result = run(("\ufeff" + line + "\ufeff\n" + line).encode(), *CLASSIC)
    assert result.stderr == "2 messages: 2 calls.\n"


def given(properties: Any, **fields: Any) -> str:
    """The text of a track message whose properties, and other fields, are JSON as it stands here."""
    more = "".join(f', "{name}": {value}' for name, value in fields.items())
    return f'{{"type": "track", "event": "x", "properties": {properties}{more}}}'


BAD_LINES = {
    given('{"n": ' + "9" * 400 + "}"): "the number 99999999999999999999… (400 digits) is too large",
    given("{}", userId="-" + "9" * 5_000): "is too large",
    given('{"n": 1e400}'): "the number 1e400 is too large",
    given('{"n": NaN}'): "invalid JSON: NaN is not a number in JSON",
    given('{"n": -Infinity}'): "invalid JSON: -Infinity is not",
    given("[" * 5_000 + "]" * 5_000): "nested too deeply",
    given('{"a": "b\tc"}'): "invalid JSON: Invalid control character at character",
    given("{}") + " {}": "invalid JSON: Extra data at character",
    "null": "a JSON object is expected, not null",
    "[]": "a JSON object is expected, not an array",
    '{"type": ["track"]}': 'its type is ["track"]',
    b'{"type": "track", "event": "\xed\xa0\x80"}': "invalid UTF-8: byte 29 can't be read",
    b'\xff\xfe{\x00"\x00': "invalid UTF-8: byte 1 can't be read",
    given('"' + "x" * 1_100_000 + '"'): "the line is longer than 1,000,000 bytes",
}
"""Lines that no message can be made of, each with what is said of it."""

ODD_LINES = [
    given('{"\\ud800": "\\ud800"}', userId='"u\\ud800"', event='"\\udfff"'),
    given('{"n": 1e-400}', userId='"u"', timestamp="1e300"),
    given('{"at": "9999-99-99T99:99:99.999Z"}', userId='"u"'),
    given("{}", userId='"u"', timestamp='"+275760-09-13T00:00:00.001Z"'),
    given('{"at": "-271821-04-20T00:00:00.000Z"}', userId='"u"', type='"identify"', traits="[]"),
    given('{"n": ' + "9" * 300 + "}", userId="9" * 300),
]
"""Lines that may or may not make a call, and stop nothing."""


@pytest.mark.parametrize("destination", ["segment-classic", "segment-actions", "rudderstack", "segment-cloud"])
def test_a_line_whatever_is_in_it_stops_no_other(destination: str) -> None:
    good = json.dumps(track(userId="u", properties={"n": 1})).encode()
    bad = [line if isinstance(line, bytes) else str(line).encode() for line in BAD_LINES]
    odd = [line.encode() for line in ODD_LINES]
    text = b"\n".join(each for line in bad + odd for each in (line, good))
    arguments = () if destination == "segment-cloud" else ("--settings", '{"org": "o-1"}')
    for pretty in ((), ("--pretty",)):
        result = run(text, "--destination", destination, *arguments, *pretty)
        assert isinstance(result.exception, SystemExit)
        assert result.exit_code == 1
        told = dict(line.split(": ", 1) for line in result.stderr.splitlines()[:-1])
        for index, reason in enumerate(BAD_LINES.values()):
            assert reason in told[f"line {2 * index + 1}"]
        assert not [line for line in told if int(line.split()[1]) % 2 == 0]
        assert all("out of range" not in reason and "float" not in reason for reason in told.values())
        if not pretty:
            shown = {json.loads(line)["line"] for line in result.stdout.splitlines()}
            assert set(range(2, 2 * len(bad + odd) + 1, 2)) <= shown


def test_the_list_of_commands_is_not_cut_off() -> None:
    for arguments in ((), ("relay",)):
        result = CliRunner().invoke(commands, [*arguments, "--help"], env={"COLUMNS": "80"}, terminal_width=80)
        listed = result.stdout.partition("Commands:\n")[2]
        group: Any = commands.commands["relay"] if arguments else commands
        assert listed.count("\n") == len(group.commands)
        assert "..." not in listed
