"""The benchmark's command line: measure, print tables, write JSON, draw the chart. ``nox -s bench``."""

import json
import os
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

import click
from playwright.sync_api import Playwright, sync_playwright
from rich.console import Console

from tools import browser

from . import engines, report, visits
from .cases import Case, prepare
from .results import Key, Results
from .serving import NETWORKS, PROXY, Network, running, write_plan
from .visits import VisitError

ROUNDS = 7
PATIENCE = 2
"""In so many rounds a case may fail in a browser, twice in each, before it is left out there."""
ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "dist/bench"

Values = dict[Key, float]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(1), help="How often all is measured.")
@click.option("--only", default="", metavar="CASES", help="Some cases only, with commas between.")
@click.option("--engines", "asked", default="", metavar="ENGINES", help="Some of chromium,firefox,webkit only.")
def main(rounds: int, only: str, asked: str) -> None:
    """Measure fsbridge side by side with Segment, RudderStack, PyScript and Pyodide.

    Writes dist/bench/results.json. A run of all cases in all engines also renews docs/benchmark.md and the chart.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)  # a log: no terminal to wrap lines for
    wanted = _names(asked, engines.TITLES, "--engines")
    others, missing = engines.others()
    others = {name: start for name, start in others.items() if name in wanted}
    began = time.monotonic()
    with console.status("Building what is served"):
        cases, files = prepare(OUT)
        plan, trusted = write_plan(OUT / "served", files)
    names = _names(only, [case.name for case in cases], "--only")
    chosen = [case for case in cases if case.name in names]
    console.print(f"Built in {time.monotonic() - began:.0f} s")
    for line in missing:
        console.print(line)

    run = Run(console, rounds)
    with running(plan) as ports, sync_playwright() as playwright, console.status("") as status:
        for round_ in range(rounds):
            due = [case for case in chosen if round_ % case.every == 0]
            due = due if round_ % 2 == 0 else due[::-1]
            for network in NETWORKS if "chromium" in wanted else ():
                for case in due:
                    status.update(f"Round {round_ + 1} of {rounds}: {case.name}, {network.title}")
                    run.chromium(playwright, round_, case, network, ports[network.name], trusted)
            for engine, start in others.items():
                for case in due:
                    if case.everywhere:
                        status.update(f"Round {round_ + 1} of {rounds}: {case.name}, {engines.TITLES[engine]}")
                        run.other(engine, start, round_, case, ports[PROXY])

    results = run.results
    for table in (*report.figures(results, chosen), report.targets(results), *report.timeline(run.timelines)):
        console.print(table)
    versions = {name: ".".join(version.split(".")[:2]) for name, version in run.versions.items()}
    browsers = ", ".join(f"{engines.TITLES[name]} {version}" for name, version in versions.items())
    machine = f"{os.cpu_count()} cores, {platform.system()}"
    about = f"{datetime.now(UTC):%Y-%m-%d}, {browsers}, {machine}, {rounds} rounds"
    record = {"about": about, "figures": results.as_json(), "timeline": run.timelines}
    (OUT / "results.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    left_out = [
        f"{case} in {engines.TITLES[engine]}" for (case, engine), count in run.missed.items() if count >= run.patience
    ]
    if chosen == cases and wanted == list(engines.TITLES) and not left_out:
        report.publish(results, run.timelines, chosen, about, missing, ROOT / "docs")
    console.print(f"{about}; {time.monotonic() - began:.0f} s. All values: {OUT.relative_to(ROOT)}/results.json")
    if left_out:
        raise SystemExit(f"Left out, for it failed in {run.patience} rounds: {', '.join(left_out)}")


def _names(given: str, accepted: Collection[str], option: str) -> list[str]:
    """Those of the accepted names that an option names, or all."""
    names = [name for name in given.split(",") if name]
    unknown = set(names) - set(accepted)
    if unknown:
        said = f"{', '.join(sorted(unknown))}; accepted: {', '.join(accepted)}"
        raise click.BadParameter(said, param_hint=option)
    return [name for name in accepted if not names or name in names]


class Run:
    """What the rounds give. A visit that fails is made once more. A round in which it fails again has no value of this
    case, and ratios are of the rounds that have both values."""

    def __init__(self, console: Console, rounds: int) -> None:
        self._console = console
        self.patience = min(PATIENCE, rounds)
        self.results = Results()
        self.timelines: report.Timelines = defaultdict(list)
        self.versions: dict[str, str] = {}
        self.missed: Counter[tuple[str, str]] = Counter()

    def chromium(
        self, playwright: Playwright, round_: int, case: Case, network: Network, port: int, trusted: str
    ) -> None:
        """A first and a second visit with a fresh profile."""
        path = os.environ.get(browser.CHROMIUM) or browser.provision()

        def measure() -> Values:
            values: Values = {}
            timelines = {}
            with visits.profile(playwright, path, port, trusted) as context:
                for kind in report.VISITS:
                    bursts = kind == "cold" and network.rate is None
                    figures, timelines[kind] = visits.visit(context, case, bursts, network.slower)
                    values.update({Key(case.name, name, network.name, kind): each for name, each in figures.items()})
                if context.browser:
                    self.versions["chromium"] = context.browser.version
            if case.name == "micropython":
                for kind, events in timelines.items():
                    self.timelines[f"{kind}, {network.title}"].append(events)
            return values

        self.add(round_, case.name, "chromium", network.title, measure)

    def other(self, engine: str, start: engines.Open, round_: int, case: Case, proxy: int) -> None:
        """The same in another engine, on the fast network."""

        def measure() -> Values:
            values: Values = {}
            with engines.profile(start, proxy) as (tab, self.versions[engine]):
                for kind in report.VISITS:
                    figures = engines.visit(tab, case, bursts=kind == "cold")
                    values.update({Key(case.name, name, "fast", kind, engine): each for name, each in figures.items()})
            return values

        self.add(round_, case.name, engine, engines.TITLES[engine], measure)

    def add(self, round_: int, case: str, engine: str, where: str, measure: Callable[[], Values]) -> None:
        """What is measured, at the second attempt if need be."""
        if self.missed[case, engine] >= self.patience:
            return
        for _ in range(2):
            try:
                values = measure()
            except VisitError as error:
                self._console.print(f"Round {round_ + 1}, {case}, {where}: {str(error)[:500]}", markup=False)
            else:
                for key, value in values.items():
                    self.results.add(round_, key, value)
                return
        self.missed[case, engine] += 1


if __name__ == "__main__":
    main()
