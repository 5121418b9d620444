"""What an operator gives a relay, and what happens when it is wrong."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fsbridge.cli import commands
from fsbridge.relay.queue.address import parsed
from fsbridge.relay.settings import RelaySettings, api_key, origin, write_keys
from fsbridge.settings import SettingsError


def test_keys_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("one\ntwo\n\n")
    assert write_keys(None, {"FSBRIDGE_WRITE_KEYS": "a, b"}) == {"a", "b"}
    assert write_keys(file, {"FSBRIDGE_WRITE_KEYS": "a"}) == {"one", "two"}
    assert api_key(None, {"FULLSTORY_API_KEY": " k "}) == "k"
    file.write_text("secret\n")
    assert api_key(file, {}) == "secret"
    for read in (write_keys, api_key):
        with pytest.raises(SettingsError, match="No "):
            read(None, {})
        with pytest.raises(SettingsError, match="can't be read"):
            read(tmp_path / "missing", {})


def test_settings_show_no_secret() -> None:
    shown = repr(RelaySettings(frozenset(["write-secret"]), "api-secret", None))
    assert "secret" not in shown


@pytest.mark.parametrize("given", ["https://shop.example", "https://Shop.example/", "http://127.0.0.1:8000", "*"])
def test_origins(given: Any) -> None:
    assert origin(given) == given.lower().rstrip("/")


@pytest.mark.parametrize("given", ["shop.example", "https://shop.example/cart", "", "https://"])
def test_what_is_no_origin(given: Any) -> None:
    with pytest.raises(SettingsError, match="An origin must be like"):
        origin(given)


@pytest.mark.parametrize(
    ("options", "environment", "problem"),
    [
        ([], {}, "No write key"),
        ([], {"FSBRIDGE_WRITE_KEYS": "w"}, "No FullStory API key"),
        (["--settings", "{}}"], None, "invalid JSON"),
        (["--settings", '{"subscription": 5}'], None, "'subscription' is 5"),
        (["--base-url", "fullstory"], None, "must be like https://"),
        (["--origin", "shop"], None, "An origin must be like"),
        (["--queue", "/missing/folder/relay.db"], None, "No such file or directory"),
        (["list"], None, "There is no queue"),
        (["resend"], None, "There is no queue"),
    ],
)
def test_wrong_settings(
    options: Any, environment: Any, problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = {"FSBRIDGE_WRITE_KEYS": "w-secret", "FULLSTORY_API_KEY": "k-secret"} if environment is None else environment
    for name in ("FSBRIDGE_WRITE_KEYS", "FULLSTORY_API_KEY", "FSBRIDGE_QUEUE"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(commands, ["relay", *options], env=keys)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert "secret" not in result.output


def test_help_shows_an_example() -> None:
    for command in ([], ["list"], ["resend"], ["drop"]):
        assert "Example:" in CliRunner().invoke(commands, ["relay", *command, "--help"]).output


@pytest.mark.parametrize(
    ("given", "hosts", "name", "credentials"),
    [
        ("nats://one", ("one:4222",), "relay", (None, None, None)),
        ("nats://a,b:1,10.0.0.1/shop", ("a:4222", "b:1", "10.0.0.1:4222"), "shop", (None, None, None)),
        ("nats://a,nats://b:1", ("a:4222", "b:1"), "relay", (None, None, None)),
        ("tls://u:p%40%2F@a,b/x", ("a:4222", "b:4222"), "x", ("u", "p@/", None)),
        ("nats://t%2Ck@[::1]", ("[::1]:4222",), "relay", (None, None, "t,k")),
    ],
)
def test_a_queue_in_nats(given: Any, hosts: Any, name: str, credentials: Any) -> None:
    found: Any = parsed(given)
    assert (found.hosts, found.name) == (hosts, name)
    assert (found.user, found.password, found.token) == credentials
    shown = f"{found} {found!r}"
    assert all(each is None or f"'{each}'" not in shown for each in credentials)
    assert "@" not in shown


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("nats://", "must be like nats://"),
        ("nats://se cret", "must be like nats://"),
        ("nats://u:secret@a,nats://u:secret@b", "takes credentials once"),
        ("nats://u:secret@a/b/c", "name must be"),
        ("redis://secret@a", "must be a file, or servers like"),
        (".", "is a directory"),
    ],
)
def test_what_is_no_queue(given: Any, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        parsed(given)
    assert "secret" not in str(caught.value)


def test_partitions_are_for_nats() -> None:
    found: Any = parsed("nats://a", 32)
    assert found.partitions == 32
    with pytest.raises(SettingsError, match="--partitions is for queues in NATS"):
        parsed("relay.db", 32)
