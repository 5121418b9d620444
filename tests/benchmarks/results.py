"""What the measured figures come to: medians and spreads, ratios within rounds, and the targets' verdicts."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

FIGURES = {
    "received": ("first call at FullStory", "ms"),
    "made": ("first call queued on FS", "ms"),
    "bytes": ("downloaded before it", "KB"),
    "blocked": ("main thread blocked until it", "ms"),
    "call": ("one track call: main thread", "ms"),
    "delivery": ("one track call: until FullStory has it", "ms"),
    "memory": ("memory after start", "MB"),
}
"""Figure → what it says, and the unit that it is shown in. Times are kept in ms, sizes in bytes."""

SCALES = {"ms": 1, "KB": 1000, "MB": 1_000_000}


@dataclass(frozen=True)
class Key:
    """A figure of a case on a network at a first (cold) or second (warm) visit, in an engine."""

    case: str
    figure: str
    network: str = "fast"
    visit: str = "cold"
    engine: str = "chromium"


@dataclass(frozen=True)
class Target:
    """``case``'s figure shall be at most ``limit`` times that of ``base``, or at most ``limit`` where there is none."""

    text: str
    case: str
    base: str
    figure: str
    limit: float
    network: str = "fast"
    visit: str = "cold"
    engine: str = "chromium"

    def of(self, case: str) -> Key:
        """What is compared, of this case."""
        return Key(case, self.figure, self.network, self.visit, self.engine)


TARGETS = (
    Target("first call, cold", "micropython", "segment", "received", 0.65),
    Target("first call, cold, 10 Mbit/s", "micropython", "segment", "received", 0.62, "slow"),
    Target("first call, cold, phone", "micropython", "segment", "received", 0.90, "phone"),
    Target("first call, warm", "micropython", "segment", "received", 0.67, visit="warm"),
    Target("one call, MicroPython", "micropython", "segment", "call", 0.09),
    Target("one call, MicroPython, Firefox", "micropython", "segment", "delivery", 0.20, engine="firefox"),
    Target("one call, MicroPython, WebKit", "micropython", "segment", "delivery", 0.30, engine="webkit"),
    Target("one call, Pyodide", "pyodide", "segment", "call", 0.15),
    Target("main thread blocked", "micropython", "segment", "blocked", 1.0),
    Target("bytes before the first call", "micropython", "", "bytes", 130_000),
    Target("bytes before the first call", "classic-micropython", "", "bytes", 120_000),
    Target("bytes before the first call", "rudder-micropython", "", "bytes", 115_000),
    Target("first call, cold", "rudder-micropython", "rudderstack", "received", 0.92),
    Target("first call, cold, 10 Mbit/s", "rudder-micropython", "rudderstack", "received", 0.88, "slow"),
    Target("first call, cold, phone", "rudder-micropython", "rudderstack", "received", 1.0, "phone"),
    Target("first call, warm", "rudder-micropython", "rudderstack", "received", 0.95, visit="warm"),
    Target("Pyodide's first call to a plain boot", "pyodide", "plain-pyodide", "received", 0.4),
)


class Results:
    """Figures of many rounds."""

    def __init__(self) -> None:
        self._values: dict[Key, dict[int, float]] = defaultdict(dict)

    def add(self, round_: int, key: Key, value: float) -> None:
        self._values[key][round_] = value

    def values(self, key: Key) -> list[float]:
        """All values of a figure, in the order of the rounds."""
        return [value for _, value in sorted(self._values.get(key, {}).items())]

    def ratio(self, ours: Key, theirs: Key) -> float | None:
        """How ours compares to theirs: the median over the rounds that have both of the ratio within the round, which
        a machine's busy minutes spoil less than a ratio of medians. Where theirs may be 0: the ratio of the sums."""
        mine, other = self._values.get(ours, {}), self._values.get(theirs, {})
        pairs = [(mine[round_], other[round_]) for round_ in sorted(mine.keys() & other.keys())]
        if not pairs:
            return None
        if all(value > 0 for _, value in pairs):
            return statistics.median(value / base for value, base in pairs)
        value, base = (sum(column) for column in zip(*pairs, strict=True))
        return value / base if base else float("inf") if value else 1.0

    def verdict(self, target: Target) -> tuple[float | None, bool | None]:
        """What was reached, None when it was not measured, and whether that is within the limit."""
        ours = target.of(target.case)
        reached = self.ratio(ours, target.of(target.base)) if target.base else median(self.values(ours))
        return reached, None if reached is None else reached <= target.limit

    def as_json(self) -> list[dict[str, object]]:
        """Everything, a record for each figure."""
        records: list[dict[str, object]] = []
        for key, rounds in self._values.items():
            values = [value for _, value in sorted(rounds.items())]
            low, high = quartiles(values)
            record = {"median": statistics.median(values), "quartiles": [low, high], "values": values}
            records.append({**vars(key), **record})
        return records


def median(values: Iterable[float]) -> float | None:
    """The median, None of nothing."""
    found = list(values)
    return statistics.median(found) if found else None


def quartiles(values: list[float]) -> tuple[float, float]:
    """The first and third quartile; of one value, that value."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def shown(figure: str, value: float) -> str:
    """A value in its figure's unit, without the unit: "0.15", "91", "1,428"."""
    scaled = value / SCALES[FIGURES[figure][1]]
    return f"{scaled:.2f}" if scaled < 10 and FIGURES[figure][1] != "KB" else f"{scaled:,.0f}"
