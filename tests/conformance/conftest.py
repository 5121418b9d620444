"""Says at the end how many recordings fell under each deliberate deviation."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts = Counter(
        (report.nodeid.split("::")[0], value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
        for name, value in report.user_properties
        if name == "deviation"
    )
    if counts:
        terminalreporter.section("recordings compared under a deliberate deviation of ours")
        for (file, rule), count in sorted(counts.items()):
            terminalreporter.line(f"{count:5}  {rule}  ({file})")
