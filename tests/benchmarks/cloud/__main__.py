"""The command line of cloud mode's benchmark: measure, print tables, renew docs/benchmark-cloud.md."""

import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click
import trustme
from rich import box
from rich.console import Console
from rich.table import Table

from tests.benchmarks import cluster, relay
from tools import nats, npm

from . import sending
from .sending import ROOT, Look, fullstory
from .work import Figures

HERE = Path(__file__).parent
OUT = ROOT / "dist/bench"
PAGE = ROOT / "docs/benchmark-cloud.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
OF_CLUSTER = "<!-- cluster -->", "<!-- end of cluster -->"

USERS = 500
NODE_CLIENT = "FullStory's client on Node.js"
MAPPED, SENT, BACKFILLED = 40_000, 20_000, 100_000
"""Messages that are mapped a round, sent, and imported in batches."""

RATE, SECONDS = 6000, 60
"""Messages a second that the relay is offered, and for how long."""

CLUSTER_SECONDS = 20

Record = dict[str, Figures]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--lines", default=50_000, show_default=True, type=click.IntRange(5000), help="Lines for `fsbridge send`."
)
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="How often mapping is measured.")
@click.option(
    "--only", type=click.Choice(["cloud", "cluster"]), help="Cloud mode and one relay, or relays in a cluster."
)
def main(lines: int, rounds: int, only: str | None) -> None:
    """Measure cloud mode against a stand-in for FullStory on this machine.

    Everything shares the machine's cores: what sends, the stand-in and, where there are some, relays and NATS servers.
    Writes dist/bench/ and renews docs/benchmark-cloud.md.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)  # a log: no terminal to wrap lines for
    OUT.mkdir(parents=True, exist_ok=True)
    if only != "cluster":
        _cloud(console, lines, rounds)
    if only != "cloud":
        _cluster(console)


def _cluster(console: Console) -> None:
    if not nats.provision():
        console.print(nats.NONE)
        return
    began = time.monotonic()
    load = os.getloadavg()[0]
    rows = []
    with console.status("") as status:
        for relays in cluster.RELAYS:
            status.update(f"{relays} relays in a cluster")
            rows.append(cluster.measure(relays, CLUSTER_SECONDS))
    table = _table("Relays that share a queue in three NATS servers", *rows[0])
    for row in rows:
        table.add_row(*(f"{value:,.0f}" for value in row.values()))
    console.print(table)
    about = _about(load)
    (OUT / "cluster.json").write_text(json.dumps({"about": about, "rows": rows}, indent=1), encoding="utf-8")
    _publish([table], about, *OF_CLUSTER)
    console.print(f"{about}; {time.monotonic() - began:.0f} s.")


def _about(load: float) -> str:
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}"
    busy = f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after the run"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {busy}"


def _cloud(console: Console, lines: int, rounds: int) -> None:
    began = time.monotonic()
    load = os.getloadavg()[0]
    record: Record = {}
    with tempfile.TemporaryDirectory() as folder, console.status("") as status:
        status.update("Installing the vendors' packages")
        node = _vendors(console)
        status.update("Mapping")
        record |= _mapping(Path(folder), node, rounds)
        status.update("Sending")
        record |= _sending(Path(folder), node)
        status.update("The relay")
        record["relay"] = dict(relay.measure(RATE, SECONDS))
        status.update(f"fsbridge send, {lines:,} lines")
        file = _write(Path(folder) / "lines.jsonl", lines)
        looks = sending.watch(file)
    record["send"] = {"lines": lines, "looks": looks, "growth": sending.growth(looks)}

    about = _about(load)
    tables = [_targets(record), _mapped(record), _sent(record), _acknowledged(record), _watched(looks, lines)]
    for table in tables:
        console.print(table)
    (OUT / "cloud.json").write_text(json.dumps({"about": about, **record}, indent=1), encoding="utf-8")
    _publish(tables, about)
    console.print(f"{about}; {time.monotonic() - began:.0f} s. All values: {OUT.relative_to(ROOT)}/cloud.json")


# What is measured


def _vendors(console: Console) -> str | None:
    """Node.js, after the vendors' packages are there; None, with the reason told, where they can't be had."""
    try:
        npm.provision(HERE)
    except (OSError, subprocess.SubprocessError, SystemExit) as error:
        console.print(f"The vendors' packages can't be had, so there is no comparison: {error}")
        return None
    return shutil.which("node", path=str(npm.find_npm().parent))


def _mapping(folder: Path, node: str | None, rounds: int) -> Record:
    """Both kinds of messages by both mappers, in turn; the medians of the rounds."""
    measured: dict[str, list[Figures]] = {}
    for kind in ("track", "identify"):
        file = str(_write(folder / f"{kind}.jsonl", 1000, kind))
        for _ in range(rounds):
            ours = _run(_python("map", file, MAPPED))
            measured.setdefault(f"fsbridge, {kind}", []).append(ours)
            if node:
                theirs = _run([node, str(HERE / "vendors.mjs"), "map", file, str(MAPPED)])
                measured.setdefault(f"Segment's code on Node.js, {kind}", []).append(theirs)
                assert ours["first"] == theirs["first"], "not the same requests"
    return {
        name: {figure: statistics.median(each[figure] for each in found) for figure in ("plain", "written", "MB")}
        for name, found in measured.items()
    }


def _sending(folder: Path, node: str | None) -> Record:
    record = {}
    sent, imported = _write(folder / "sent.jsonl", SENT), _write(folder / "imported.jsonl", BACKFILLED)
    authority = trustme.CA()
    trusted, certificate = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(trusted))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    trust = {"SSL_CERT_FILE": str(trusted), "NODE_EXTRA_CA_CERTS": str(trusted)}
    for how, options in (("", ()), (", TLS", ("--certificate", str(certificate)))):
        with fullstory(*options) as url:
            record[f"send_many{how}"] = _run(_python("send_many", str(sent), url), trust)
        if node:
            with fullstory(*options) as url:
                environment = {"NODE_ENV": "test", "FS_API_HOST": url, **trust}
                command = [node, str(HERE / "vendors.mjs"), "send", str(sent)]
                record[f"{NODE_CLIENT}{how}"] = _run(command, environment)
    with fullstory() as url:
        record["backfill"] = _run(_python("backfill", str(imported), url))
    return record


def _write(file: Path, count: int, kind: str | None = None) -> Path:
    """JSON Lines of messages of one kind; by default one identify call among five."""
    with file.open("w", encoding="utf-8") as out:
        for number in range(count):
            of = kind or ("track" if number % 5 else "identify")
            out.write(json.dumps(_message(of, number)) + "\n")
    return file


def _message(kind: str, number: int) -> Figures:
    user = number % USERS
    message = {
        "type": kind,
        "userId": f"user-{user}",
        "anonymousId": f"visitor-{user}",
        "messageId": f"{kind}-{number}",
        "timestamp": "2024-03-05T10:11:12.345Z",
        "context": {"ip": "192.0.2.1", "library": {"name": "analytics-node", "version": "2.1.0"}},
    }
    if kind == "identify":
        traits = {"name": "Ada Lovelace", "email": f"ada-{user}@example.com", "plan": "premium", "logins": number}
        return {**message, "traits": traits}
    bought = {"orderId": f"o-{number}", "price": 99.95, "currency": "EUR", "items": 3, "first": False, "coupon": "MAY"}
    return {**message, "event": "Order Completed", "properties": bought}


def _python(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.cloud.work", *map(str, arguments)]


def _run(command: list[str], environment: dict[str, str] | None = None) -> Figures:
    environment = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(done.stdout)
    return figures


# What is told


def _targets(record: Record) -> Table:
    table = _table("Targets", "target", "limit", "reached", "verdict")

    def row(what: str, limit: str, reached: str, met: bool) -> None:
        table.add_row(what, limit, reached, "met" if met else "missed")

    for kind in ("track", "identify"):
        for figure, with_text in (("plain", ""), ("written", ", JSON text included")):
            rate = record[f"fsbridge, {kind}"][figure]
            row(f"mapping {kind}{with_text}, messages/s a core", "≥ 50,000", f"{rate:,.0f}", rate >= 50_000)
    ours, theirs = record["send_many, TLS"], record.get(f"{NODE_CLIENT}, TLS")
    row("send_many over TLS, µs of CPU a message", "≤ 250", f"{ours['cpu'] * 1e6:,.0f}", ours["cpu"] <= 250e-6)
    if theirs:
        for what, ahead in (("messages/s", ours["rate"] / theirs["rate"]), ("CPU", theirs["cpu"] / ours["cpu"])):
            row(f"send_many over TLS beside FullStory's Node.js client, {what}", "> 1", f"{ahead:.2f}", ahead > 1)
    acknowledged, delivered = record["relay"]["acknowledged/s"], record["relay"]["delivered/s"]
    p99, share = record["relay"]["p99 ms"], delivered / acknowledged
    row("relay delivers, messages/s", "≥ 5,000", f"{delivered:,.0f}", delivered >= 5000)
    row("what it delivers of what it acknowledges meanwhile", "≥ 80 %", f"{share:.0%}", share >= 0.8)
    row("relay's p99 meanwhile, ms", "< 100", f"{p99:,.0f}", p99 < 100)
    growth, lines = record["send"]["growth"], record["send"]["lines"]
    what = f"`send` of {lines:,} lines: memory in the last fifth / in the second"
    row(what, "≤ 1.05", f"{growth:.3f}", growth <= 1.05)
    return table


def _mapped(record: Record) -> Table:
    table = _table("Mapping, messages/s of one core", "", "requests", "and their JSON text", "peak MB")
    for name, figures in record.items():
        if "plain" in figures:
            table.add_row(name, *(f"{figures[figure]:,.0f}" for figure in ("plain", "written", "MB")))
    return table


def _sent(record: Record) -> Table:
    table = _table("Sending", "", "messages/s", "its CPU, µs a message", "peak MB")
    for name, figures in record.items():
        if "cpu" in figures:
            table.add_row(name, f"{figures['rate']:,.0f}", f"{figures['cpu'] * 1e6:,.0f}", f"{figures['MB']:,.0f}")
    looks: list[Look] = record["send"]["looks"]
    table.add_row("`fsbridge send`", f"{looks[-1].lines / looks[-1].seconds:,.0f}", "–", f"{_peak(looks):,.0f}")
    return table


def _acknowledged(record: Record) -> Table:
    figures = record["relay"]
    table = _table(f"The relay, offered {RATE:,} messages/s in batches of 100 for {SECONDS} s", *figures)
    table.add_row(*(f"{value:,.0f}" for value in figures.values()))
    return table


def _watched(looks: list[Look], lines: int) -> Table:
    table = _table(f"`fsbridge send` of {lines:,} lines over time", "lines", "s", "MB")
    for tenth in range(1, 11):
        look = next(each for each in looks if each.lines * 10 >= looks[-1].lines * tenth)
        table.add_row(f"{look.lines:,}", f"{look.seconds:,.0f}", f"{look.MB:,.1f}")
    return table


def _peak(looks: list[Look]) -> float:
    return max(look.MB for look in looks)


def _table(title: str, *head: str) -> Table:
    table = Table(title=title, title_justify="left")
    for index, text in enumerate(head):
        table.add_column(text, justify="left" if index == 0 and text != "lines" else "right")
    return table


def _publish(tables: list[Table], about: str, begin: str = BEGIN, end: str = END) -> None:
    """Renew results in docs/benchmark-cloud.md."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    parts = [f"Measured {about}."]
    for table in tables:
        title, table.title, table.box = table.title, None, box.MARKDOWN
        text = io.StringIO()
        Console(width=200, file=text).print(table)
        lines = [line.rstrip() for line in text.getvalue().splitlines()]
        parts.append(f"{title}:\n\n" + "\n".join(line for line in lines if line))
    PAGE.write_text(before + "\n\n".join([begin, *parts, end]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
