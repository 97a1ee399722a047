"""
Ends a run of pytest with one line that lists what was skipped, and why.  With
C{SKIPPED} in the environment, the line is also written to the file of that name.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As for each command in the background of a script.  The programs that tests start would
    # ignore it, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """
    Print the line.
    """
    line = skipped(terminalreporter.stats.get("skipped", ()))
    terminalreporter.write_line(line)
    if path := os.environ.get("SKIPPED"):
        Path(path).write_text(line + "\n", "utf-8")


def skipped(reports: Iterable[pytest.TestReport]) -> str:
    """
    @return: One line: the number of tests that were skipped, and for each reason
        their names.
    """
    tests: dict[str, list[str]] = {}
    for report in reports:
        assert isinstance(report.longrepr, tuple)
        reason = " ".join(str(report.longrepr[2]).removeprefix("Skipped: ").split())
        tests.setdefault(reason, []).append(report.nodeid.partition("::")[2].replace("::", "."))
    if not tests:
        return "Skipped: nothing"
    number = sum(map(len, tests.values()))
    reasons = (
        f"{reason} ({', '.join(sorted(names))})" for reason, names in sorted(tests.items())
    )
    return f"Skipped {number}: {'; '.join(reasons)}"
