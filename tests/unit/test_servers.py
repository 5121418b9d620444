"""The servers' configurations in a build, tried against the real servers, which ``tools.servers`` finds."""

import gzip
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path

import brotli
import pytest

from fsbridge.build import servers
from tests.ports import free_port
from tools.servers import installed

CONTENT = b"content " * 500
FILES = ("fsbridge.js", "fsbridge-1a2b3c4d.js", "fsbridge-1a2b3c4d/segment-actions.snapshot", "m-0a1b2c3d/m.wasm")
Get = Callable[..., tuple[bytes, Message]]


def nginx(program: str, folder: Path, site: Path, port: int) -> list[str]:
    places = "".join(f"{each}_temp_path {folder}/{each};" for each in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; {places}\n"
        f"server {{ listen 127.0.0.1:{port};\n{servers.nginx('/static/fsbridge/', f'{site}/')} }} }}\n"
    )
    return [program, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/log"]


def caddy(program: str, folder: Path, site: Path, port: int) -> list[str]:
    (folder / "Caddyfile").write_text(
        "{\n admin off\n auto_https off\n}\n"
        f"http://127.0.0.1:{port} {{\n{servers.caddy('/static/fsbridge/', str(site))}}}\n"
    )
    return [program, "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def get(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Get]:
    """Fetches a file of a release from a server; with the header Accept-Encoding, if it is given."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    program = installed(request.param.__name__)
    if not program:
        pytest.skip(f"{request.param.__name__} isn't installed")
    site, folder = tmp_path / "site", tmp_path / "server"
    folder.mkdir()
    for name in FILES:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(CONTENT)
        (site / f"{name}.br").write_bytes(brotli.compress(CONTENT))
        (site / f"{name}.gz").write_bytes(gzip.compress(CONTENT))
    for path in (tmp_path, *tmp_path.parents):  # nginx's workers are another user
        if path.owner() == tmp_path.owner() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o011)
    port = free_port()
    running = subprocess.Popen(request.param(program, folder, site, port), stderr=subprocess.PIPE)

    def get(name: str, accepts: str = "identity") -> tuple[bytes, Message]:
        address = f"http://127.0.0.1:{port}/static/fsbridge/{name}"
        with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept-Encoding": accepts})) as answer:
            return answer.read(), answer.headers

    try:
        while running.poll() is None:
            try:
                get(FILES[0])
                break
            except urllib.error.HTTPError:
                raise
            except OSError:
                time.sleep(0.05)  # until it listens
        assert running.poll() is None, running.stderr and running.stderr.read().decode()
        yield get
    finally:
        running.terminate()
        running.wait()


def test_what_a_server_is_told_it_does(get: Get) -> None:
    types = {"js": "text/javascript", "snapshot": "application/octet-stream", "wasm": "application/wasm"}
    for name in FILES:
        body, headers = get(name)
        assert body == CONTENT
        assert headers["Content-Type"].partition(";")[0] == types[name.rpartition(".")[2]], name
        keep = servers.KEEP_FOR_MINUTES if name == "fsbridge.js" else servers.KEEP_FOR_EVER
        assert headers.get_all("Cache-Control") == [keep], name
        assert headers["Access-Control-Allow-Origin"] == "*"
        body, compressed = get(name, "gzip")
        assert compressed["Content-Encoding"] == "gzip"
        assert gzip.decompress(body) == CONTENT
        assert compressed["Content-Type"] == headers["Content-Type"]
        assert "accept-encoding" in (compressed["Vary"] or "").lower()


@pytest.mark.parametrize("get", [caddy], indirect=True, ids=["caddy"])  # with nginx that is a module of its own
def test_brotli(get: Get) -> None:
    body, headers = get(FILES[0], "br, gzip")
    assert headers["Content-Encoding"] == "br"
    assert brotli.decompress(body) == CONTENT


def test_what_is_not_there_is_not_found(get: Get) -> None:
    with pytest.raises(urllib.error.HTTPError) as found:
        get("fsbridge-1a2b3c4d/other.js")
    assert found.value.code == 404
