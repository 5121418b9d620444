"""The one server: what it serves, precompressed and cacheable, with a certificate for every host."""

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import brotli
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tools.serve import TYPES

from .cases import HERE, Files, node


@dataclass(frozen=True)
class Network:
    """``latency`` in ms before each answer begins, ``rate`` in bits a second for all answers together; the browser's
    processor is ``slower`` by that factor."""

    name: str
    title: str
    latency: float | None = None
    rate: float | None = None
    slower: int = 1


NETWORKS = (
    Network("fast", "unthrottled"),
    Network("slow", "10 Mbit/s, 40 ms", 40, 10_000_000),
    Network("phone", "a phone's 1.6 Mbit/s, 150 ms, CPU 4× slower", 150, 1_600_000, 4),
)

PROXY = "proxy"
"""What stands among the names of networks for the proxy to the first of them."""

FOREVER = "public, max-age=31536000, immutable"


def write_plan(folder: Path, files: Files) -> tuple[Path, str]:
    """Write into ``folder`` what server.mjs needs; returns the plan's path and the fingerprint that a browser shall
    trust."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    ours = authority.cert_pem.bytes()
    certificates = {}
    for host in sorted({name.split("/")[0] for name in files}):
        issued = authority.issue_cert(host, key_type=trustme.KeyType.ECDSA)
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems) + ours
        certificates[host] = {"key": issued.private_key_pem.bytes().decode(), "cert": chain.decode()}

    with ThreadPoolExecutor() as pool:  # brotli lets other threads run
        answers = pool.map(lambda item: (item[0], _answer(folder, *item)), files.items())
        plan = {
            "networks": [{"latency": network.latency, "rate": network.rate} for network in NETWORKS],
            "certificates": certificates,
            "files": dict(answers),
        }
    path = folder / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    key = x509.load_pem_x509_certificate(ours).public_key()
    fingerprint = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return path, base64.b64encode(fingerprint).decode()


def _answer(folder: Path, name: str, content: Path | bytes) -> dict[str, object]:
    page = name.endswith("/")
    suffix = ".html" if page else Path(name).suffix or ".json"
    return {
        "file": str(_compressed(folder, content)),
        "headers": {
            "content-type": TYPES.get(suffix, "application/octet-stream"),
            "content-encoding": "br",
            "cache-control": "no-cache" if page else FOREVER,
        },
    }


def _compressed(folder: Path, content: Path | bytes) -> Path:
    """The brotli copy that the build wrote beside a file, or one of ours, which is kept for the next run."""
    if isinstance(content, Path):
        beside = content.with_name(content.name + ".br")
        if beside.is_file():
            return beside
        content = content.read_bytes()
    kept = folder / f"{hashlib.sha256(content).hexdigest()}.br"
    if not kept.is_file():
        kept.write_bytes(brotli.compress(content, quality=11 if len(content) < 2**20 else 9))
    return kept


@contextmanager
def running(plan: Path) -> Iterator[dict[str, int]]:
    """Run the server; yields the port of each network by its name, and of `PROXY`."""
    command = [node(), str(HERE / "server.mjs"), str(plan)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            ports = json.loads(process.stdout.readline())
            yield dict(zip([*(network.name for network in NETWORKS), PROXY], ports, strict=True))
        finally:
            process.stdin.close()
            process.wait(10)
