"""What a run is told as: tables for the console, a section of docs/benchmark.md, the chart."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from .cases import Case
from .chart import THEMES, Bar, Panel, draw
from .engines import TITLES
from .results import FIGURES, TARGETS, Key, Results, Target, median, quartiles, shown
from .serving import NETWORKS

Timelines = dict[str, list[dict[str, float]]]

BEGIN, END = "<!-- results -->", "<!-- end of results -->"

# Which figures are told of which network, visit and engine; the rest is in the JSON.
VISITS = ("cold", "warm")
ROWS = (
    *(("received", network, visit, "chromium") for network in ("fast", "slow", "phone") for visit in VISITS),
    *(("received", "fast", visit, engine) for engine in ("firefox", "webkit") for visit in VISITS),
    ("made", "fast", "cold", "chromium"),
    ("made", "slow", "cold", "chromium"),
    ("bytes", "fast", "cold", "chromium"),
    ("blocked", "fast", "cold", "chromium"),
    ("call", "fast", "cold", "chromium"),
    *(("delivery", "fast", "cold", engine) for engine in TITLES),
    ("memory", "fast", "cold", "chromium"),
)

PANELS = (
    ("First call at FullStory, first visit", "received", "fast", "cold", "chromium"),
    ("First call at FullStory, first visit at 10 Mbit/s and 40 ms", "received", "slow", "cold", "chromium"),
    ("First call at FullStory, first visit with a phone", "received", "phone", "cold", "chromium"),
    ("First call at FullStory, second visit", "received", "fast", "warm", "chromium"),
    ("Main-thread time of one track call", "call", "fast", "cold", "chromium"),
    ("One track call in Firefox", "delivery", "fast", "cold", "firefox"),
    ("One track call in WebKit", "delivery", "fast", "cold", "webkit"),
)
BARS = (("micropython", "fsbridge"), ("segment", "Segment"), ("rudderstack", "RudderStack"))

Rows = list[list[str]]


def figure_rows(results: Results, cases: Sequence[Case]) -> Rows:
    """A line for each figure that any of the cases has: what it is, then each case's median and quartiles."""
    rows = []
    for figure, network, visit, engine in ROWS:
        said, unit = FIGURES[figure]
        where = f", {_title(network)}, {visit}" if figure in ("received", "made") else ""
        if engine != "chromium":
            where = where.replace(_title(network), TITLES[engine]) or f", {TITLES[engine]}"
        values = [results.values(Key(case.name, figure, network, visit, engine)) for case in cases]
        if any(values):
            rows.append([f"{said}{where} ({unit})", *(_with_spread(figure, found) for found in values)])
    return rows


def target_rows(results: Results) -> Rows:
    """A line for each target: what is compared, limit, reached, verdict."""
    rows = []
    for target in TARGETS:
        reached, met = results.verdict(target)
        compared = f"{target.case} / {target.base}" if target.base else target.case
        verdict = {True: "met", False: "missed", None: "not measured"}[met]
        rows.append([target.text, compared, _limit(target, target.limit, 2), _limit(target, reached, 3), verdict])
    return rows


def timeline_rows(timelines: Timelines) -> Rows:
    """A line for each event of the MicroPython tag's start, with its median time in each kind of visit."""
    names = {name for visits in timelines.values() for events in visits for name in events}
    medians = {
        (name, kind): median(events[name] for events in visits if name in events)
        for name in names
        for kind, visits in timelines.items()
    }
    order = sorted(names, key=lambda name: statistics.mean(medians[name, kind] or 0 for kind in timelines))
    return [[name, *(_whole(medians[name, kind]) for kind in timelines)] for name in order]


def _limit(target: Target, value: float | None, places: int) -> str:
    if value is None:
        return "–"
    return f"{value:.{places}f}" if target.base else f"{shown(target.figure, value)} {FIGURES[target.figure][1]}"


def _with_spread(figure: str, values: list[float]) -> str:
    if not values:
        return "–"
    low, high = quartiles(values)
    middle = shown(figure, statistics.median(values))
    spread = f"{shown(figure, low)}–{shown(figure, high)}"
    return middle if spread == f"{middle}–{middle}" else f"{middle} ({spread})"


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _title(network: str) -> str:
    return next(each.title for each in NETWORKS if each.name == network)


TARGET_HEAD = ["target", "compared", "at most", "reached", "verdict"]


def figures(results: Results, cases: Sequence[Case]) -> list[Table]:
    """The figures as tables of four cases each, as wide as a terminal is."""
    parts = [cases[at : at + 4] for at in range(0, len(cases), 4)]
    heads = [["median (quartiles)", *(case.name for case in part)] for part in parts]
    return [_table("", head, figure_rows(results, part)) for head, part in zip(heads, parts, strict=True)]


def targets(results: Results) -> Table:
    """The targets and their verdicts, as a table."""
    rows = target_rows(results)
    for row in rows:
        row[-1] = {"met": "[green]met", "missed": "[red]missed"}.get(row[-1], row[-1])
    return _table("Targets: ratios within the run", TARGET_HEAD, rows)


def timeline(timelines: Timelines) -> list[Table]:
    """Where the MicroPython tag's time goes, as a table; none where that wasn't measured."""
    title = "The MicroPython tag's start, ms since navigation"
    return [_table(title, ["", *timelines], timeline_rows(timelines))] if timelines else []


def _table(title: str, head: Sequence[str], rows: Rows) -> Table:
    table = Table(title=title, title_justify="left")
    for index, text in enumerate(head):
        table.add_column(text, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table


def publish(
    results: Results, timelines: Timelines, cases: Sequence[Case], about: str, missing: list[str], docs: Path
) -> None:
    """Renew the results in docs/benchmark.md, and both charts. ``missing`` are lines on engines that weren't there."""
    page = docs / "benchmark.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    vendors = [case for case in cases if case.name in ("micropython", "segment", "rudder-micropython", "rudderstack")]
    others = [case for case in cases if case not in vendors]
    parts = [
        " ".join([f"Measured {about}.", *missing]),
        _markdown(TARGET_HEAD, target_rows(results)),
        *(_markdown(["", *(case.name for case in part)], figure_rows(results, part)) for part in (vendors, others)),
        "Where the MicroPython tag's time goes, in ms since navigation began:",
        _markdown(["", *timelines], timeline_rows(timelines)),
    ]
    text = "\n\n".join([BEGIN, *parts, END])
    page.write_text(before + text + after, encoding="utf-8")
    for theme in THEMES:
        (docs / f"benchmark-{theme}.svg").write_text(chart(results, about, theme), encoding="utf-8")


def _markdown(head: Sequence[str], rows: Rows) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def chart(results: Results, about: str, theme: str) -> str:
    """The README's chart."""
    panels = []
    for title, figure, network, visit, engine in PANELS:
        bars = []
        for case, label in BARS:
            values = results.values(Key(case, figure, network, visit, engine))
            if values:
                middle, unit = statistics.median(values), FIGURES[figure][1]
                low, high = quartiles(values)
                text = f"{shown(figure, middle)} {unit}"
                bars.append(Bar(label, middle, text, case == "micropython", low, high))
        if bars:
            panels.append(Panel(title, bars))
    return draw(
        "How fast: fsbridge on MicroPython beside the vendors' SDKs",
        f"Shorter is better; thin lines: quartiles. {about}.",
        panels,
        theme,
    )
