"""
The report of a run with several targets: a line for each.
"""

from __future__ import annotations

from collections.abc import Sequence

from echod.client.ping.addresses import title
from echod.client.ping.plan import Plan
from echod.client.ping.reports.report import Report, Summary, described
from echod.client.ping.reports.summarytext import milliseconds


class Table(Report):
    """
    Prints a line for each target at the end, with all columns aligned.
    """

    def started(self, plan: Plan, protocol: str) -> None:
        """
        Print the plan.
        """
        self._write(f"PING by {protocol}: {described(plan)}")

    def interim(self, summaries: Sequence[Summary]) -> None:
        """
        Print a line for each target, without the verdicts.
        """
        for line in aligned([_columns(each) for each in summaries]):
            self._write(f"so far: {line}")

    def finished(self, summaries: Sequence[Summary]) -> None:
        """
        Print a line for each target.
        """
        for line in aligned([[*_columns(each), _finding(each)] for each in summaries]):
            self._write(line)


def _columns(summary: Summary) -> list[str]:
    loss = summary["loss_percent"]
    times = [summary[f"rtt_{name}_us"] for name in ("min", "avg", "max")]
    values = "/".join("-" if time is None else milliseconds(time) for time in times)
    return [
        title(summary["target"], summary["address"]),
        f"sent {summary['sent']}",
        f"received {summary['received']}",
        f"lost {'-' if loss is None else f'{loss:g}'} %",
        f"rtt min/avg/max = {values} ms",
    ]


def _finding(summary: Summary) -> str:
    """
    @return: The verdict, without the target and the advice.
    """
    text = str(summary["verdict"]).removeprefix(summary["target"]).lstrip(": ")
    return text.partition(": ")[0]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """
    @return: A line for each row, with columns of equal width.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
