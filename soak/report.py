"""
What a scenario has found out about one server.
"""

from __future__ import annotations

from collections.abc import Mapping

MEBIBYTE = 1 << 20


class Report:
    """
    The figures of one server in one scenario.

    @ivar figures: The figures to print, by name.

    @ivar problems: The promises that the server broke.
    """

    def __init__(self) -> None:
        self.figures: dict[str, str] = {}
        self.problems: list[str] = []

    def show(self, name: str, value: object) -> None:
        """
        Add a figure.
        """
        self.figures[name] = f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"

    def require(self, kept: bool, problem: str) -> None:
        """
        Take note of a problem, unless what was promised is kept.
        """
        if not kept:
            self.problems.append(problem)


def table(title: str, reports: Mapping[str, Report]) -> str:
    """
    @return: The figures of several servers side by side, in reStructuredText.
    """
    names = list(dict.fromkeys(name for report in reports.values() for name in report.figures))
    width = max(map(len, ("Result", *names)))
    columns = {server: max(13, len(server)) for server in reports}
    rule = " ".join("=" * size for size in (width, *columns.values()))
    lines = [title, "-" * len(title), "", rule]
    lines.append(
        " ".join(["Result".ljust(width), *(f"{s:>{size}}" for s, size in columns.items())])
    )
    lines.append(rule)
    for name in names:
        values = (
            f"{reports[server].figures.get(name, '-'):>{size}}"
            for server, size in columns.items()
        )
        lines.append(" ".join([f"{name:{width}}", *values]))
    return "\n".join([*lines, rule, ""])
