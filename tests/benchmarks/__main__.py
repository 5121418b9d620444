"""The benchmark's command line: measure, print tables, write JSON, draw the chart. ``nox -s bench``."""

import json
import os
import platform
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import click
from playwright.sync_api import BrowserContext, sync_playwright
from rich.console import Console

from tools import browser

from . import report
from .cases import Case, prepare
from .results import Key, Results
from .serving import NETWORKS, Network, running, write_plan
from .visits import VisitError, profile, visit

ROUNDS = 7
ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "dist/bench"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(1), help="How often all is measured.")
@click.option("--only", default="", metavar="CASES", help="Some cases only, with commas between.")
def main(rounds: int, only: str) -> None:
    """Measure fsbridge side by side with Segment, RudderStack, PyScript and Pyodide.

    Writes dist/bench/results.json. A run of all cases also renews docs/benchmark.md's table and the chart.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)  # a log: no terminal to wrap lines for
    began = time.monotonic()
    with console.status("Building what is served"):
        cases, files = prepare(OUT)
        plan, trusted = write_plan(OUT / "served", files)
    chosen = _chosen(cases, only)
    console.print(f"Built in {time.monotonic() - began:.0f} s")
    results, timelines, version, failed = _measure(console, chosen, rounds, plan, trusted)

    for table in (*report.figures(results, chosen), report.targets(results), *report.timeline(timelines)):
        console.print(table)
    machine = f"{os.cpu_count()} cores, {platform.system()}"
    about = f"{datetime.now(UTC):%Y-%m-%d}, Chromium {version}, {machine}, {rounds} rounds"
    record = {"about": about, "figures": results.as_json(), "timeline": timelines}
    (OUT / "results.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    if len(chosen) == len(cases) and not failed:
        report.publish(results, timelines, chosen, about, ROOT / "docs")
    console.print(f"{about}; {time.monotonic() - began:.0f} s. All values: {OUT.relative_to(ROOT)}/results.json")
    if failed:
        raise SystemExit(1)


def _chosen(cases: list[Case], only: str) -> list[Case]:
    names = [name for name in only.split(",") if name]
    unknown = set(names) - {case.name for case in cases}
    if unknown:
        accepted = ", ".join(case.name for case in cases)
        raise click.BadParameter(f"{', '.join(sorted(unknown))}; accepted: {accepted}", param_hint="--only")
    return [case for case in cases if not names or case.name in names]


def _measure(
    console: Console, cases: list[Case], rounds: int, plan: Path, trusted: str
) -> tuple[Results, report.Timelines, str, set[str]]:
    """All rounds: every case on every network, in turned order every other round, cold and then warm. A case that fails
    is left out from then on. Returns also the browser's version and the cases that failed."""
    chromium = os.environ.get(browser.CHROMIUM) or browser.provision()
    results = Results()
    timelines: report.Timelines = defaultdict(list)
    version = ""
    failed: set[str] = set()

    def measure(round_: int, network: Network, case: Case, context: BrowserContext) -> None:
        for kind in ("cold", "warm"):
            figures, events = visit(context, case, bursts=kind == "cold" and network.rate is None)
            for figure, value in figures.items():
                results.add(round_, Key(case.name, figure, network.name, kind), value)
            if case.name == "micropython":
                timelines[f"{kind}, {network.title}"].append(events)

    with running(plan) as ports, sync_playwright() as playwright, console.status("") as status:
        for round_ in range(rounds):
            for network in NETWORKS:
                due = [case for case in cases if round_ % case.every == 0 and case.name not in failed]
                for case in due if round_ % 2 == 0 else reversed(due):
                    status.update(f"Round {round_ + 1} of {rounds}: {case.name}, {network.title}")
                    with profile(playwright, chromium, ports[network.name], trusted) as context:
                        version = context.browser.version if context.browser else version
                        try:
                            measure(round_, network, case, context)
                        except VisitError as error:
                            console.print(f"{case.name}, {network.title}: FullStory got nothing. {str(error)[:500]}")
                            failed.add(case.name)
    return results, timelines, version, failed


if __name__ == "__main__":
    main()
