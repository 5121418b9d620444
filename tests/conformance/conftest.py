"""Says at the end how many recordings fell under each deliberate deviation, and how many could not be staged."""

from collections import Counter

import pytest

from .recordings import not_staged


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
    unstaged = Counter((file, reason) for file, _, reason in not_staged())
    if unstaged:
        terminalreporter.section("recordings not staged, and therefore not passed")
        for (file, reason), count in sorted(unstaged.items()):
            terminalreporter.line(f"{count:5}  {reason}  ({file})")
