"""Says at the end what tests have told: deliberate deviations of recordings, those not staged, departures' seeds.

Tests tell it by ``record_property``, with the name "deviation" or "seed": what they print themselves stays in the
worker that runs them.
"""

from collections import Counter

import pytest

from .conformance.recordings import not_staged


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
    ]
    told = [(report.nodeid.split("::")[0], *each) for report in reports for each in report.user_properties]
    counts = Counter((file, value) for file, name, value in told if name == "deviation")
    if counts:
        terminalreporter.section("recordings compared under a deliberate deviation of ours")
        for (file, rule), count in sorted(counts.items()):
            terminalreporter.line(f"{count:5}  {rule}  ({file})")
    of_recordings = any("conformance" in report.nodeid for report in reports)
    unstaged = Counter((file, reason) for file, _, reason in not_staged()) if of_recordings else None
    if unstaged:
        terminalreporter.section("recordings not staged, and therefore not passed")
        for (file, reason), count in sorted(unstaged.items()):
            terminalreporter.line(f"{count:5}  {reason}  ({file})")
    seeds = [value for _, name, value in told if name == "seed"]
    if seeds:
        terminalreporter.section("departures")
        for line in seeds:
            terminalreporter.line(line)
