"""The command line: messages in, calls out, and clear words for everything that is wrong."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from fsbridge.cli import commands
from fsbridge.cli.dry_run import _tagged
from fsbridge.runtime import UNDEFINED
from fsbridge.runtime.cpython import BigInt, Date

CLASSIC = ("--destination", "segment-classic", "--settings", '{"org": "o-1", "trackNamedPages": true}')
ACTIONS = ("--destination", "segment-actions", "--settings")


def run(lines, *arguments):
    given = lines if isinstance(lines, bytes) else "\n".join(map(json.dumps, lines)).encode()
    return CliRunner().invoke(commands, ["map", *arguments], input=given)


def calls(result):
    """The calls of each output line."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line)["calls"] for line in result.stdout.splitlines()]


def track(event="Clicked", **fields):
    return {"type": "track", "event": event, **fields}


def test_one_line_for_each_message():
    result = run([track(properties={"n": 1.0}), {"type": "group"}, {"type": "page", "name": "Home"}], *CLASSIC)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"line": 1, "calls": [{"call": "FS.event", "args": ["Clicked", {"n": 1}, "segment"]}]},
        {"line": 2, "calls": []},
        {
            "line": 3,
            "calls": [{"call": "FS.setVars", "args": ["page", {"name": "Home", "pageName": "Home"}, "segment"]}],
        },
    ]


def test_wrong_lines_are_numbered_and_stop_nothing():
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
    said = result.stderr.splitlines()
    assert [line.split(":")[0] for line in said] == [f"line {number}" for number in (2, 4, 5, 6, 7, 8, 9)]
    assert said[0] == "line 2: no JSON: Expecting property name enclosed in double quotes at character 2"
    assert said[2].endswith('its type is "tarck"; known: identify, track, page, screen, group, alias')


def test_a_mapping_that_fails_on_a_message_is_told_with_its_line():
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
    assert result.stderr == "line 1: subscription 1 'Where' failed: @path: expected string, got undefined\n"
    assert json.loads(result.stdout.splitlines()[1])["calls"][0]["args"][1] == {"name": "Clicked", "properties": {}}


def test_what_json_cannot_hold_is_tagged():
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
    assert _tagged(values) == [
        {"$undefined": True},
        {"b": None},
        {"$number": "NaN"},
        {"$number": "-Infinity"},
        {"$bigint": "12"},
        {"$date": "Invalid Date"},
        1e300,
    ]


def test_pretty_is_for_people():
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
def test_filters_are_those_of_the_source(destination, settings, source, message, sent):
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
        ((*ACTIONS, "{"), "--settings is no JSON"),
        (
            (
                *ACTIONS,
                '{"orgId": "o", "subscriptions": [{"name": "X", "enabled": true, "partnerAction": "trackEvent"}]}',
            ),
            "segment-actions: subscription 1 'X': trigger undefined: it must be text",
        ),
    ],
)
def test_wrong_settings_are_status_2(arguments, said):
    result = run([track()], *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_settings_from_a_file(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text('\ufeff{"org": "o-1"}', encoding="utf-8")
    assert len(calls(run([track()], "--destination", "segment-classic", "--settings", str(path)))) == 1
    path.write_bytes(b"\xff")
    assert "can't be read" in run([], "--destination", "segment-classic", "--settings", str(path)).stderr
    path.write_text("[]")
    assert (
        "must be a JSON object, and is array" in run([], "--destination", "rudderstack", "--settings", str(path)).stderr
    )


def test_messages_stream_in_constant_memory():
    program = "import sys, tracemalloc; from fsbridge.cli import commands; tracemalloc.start()\n"
    program += "try: commands()\nfinally: print(tracemalloc.get_traced_memory()[1], file=sys.stderr)"
    peaks = []
    for count in (500, 5_000):
        messages = (track(f"Event {number}", properties={f"p{number}": "x" * 200}) for number in range(count))
        given = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
        command = [sys.executable, "-c", program, "map", *CLASSIC]
        done = subprocess.run(command, input=given, capture_output=True, check=True)
        assert done.stdout.count(b"\n") == count
        peaks.append(int(done.stderr))
    assert peaks[1] < peaks[0] + 200_000, f"{peaks} bytes, and the input grew by more than a million"


def test_without_the_extra_it_says_what_to_install():
    program = "import sys; sys.modules['click'] = None; from fsbridge.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "The fsbridge command needs its extra: python -m pip install 'fullstory-bridge[cli]'\n"


@pytest.mark.parametrize("command", [(), ("map",), ("build",)])
def test_every_help_has_an_example(command):
    result = CliRunner().invoke(commands, [*command, "--help"])
    assert result.exit_code == 0
    assert "Example:\n" in result.stdout


def test_build_says_what_is_missing_and_spares_strangers_files(tmp_path):
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
