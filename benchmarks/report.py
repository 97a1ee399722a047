"""
Show a run of the benchmark: tables for the documentation, and a chart.
"""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from pathlib import Path
from shutil import which
from statistics import median
from subprocess import run

from benchmarks.results import (
    TARGETS,
    Results,
    Run,
    cost,
    disturbed,
    limits,
    ratio,
    span,
    targets,
)
from benchmarks.works import Work


def table(work: Work, results: Results) -> str:
    """
    @return: A table in reStructuredText, with an empty row for each server that could not
        do the work.
    """
    memory, base = work.load[0] == "idle", next(iter(results.values()))
    hasRate = any(each.rate for each in base)
    first = next(iter(results))
    unit, digits = ("bytes", 0) if memory else ("us", 2)
    rule = " ".join("=" * size for size in (20, 9, 6, 9, 9, 8, *([11] if hasRate else [])))
    head = f"{'Server':20} {unit:>9} {'ratio':>6} {'lowest':>9} {'highest':>9} {'others':>8}"
    rows = []
    for name in work.servers:
        row = f"{name:20}"
        if name in results:
            rounds = results[name]
            low, high = limits(rounds)
            others = f"{median(each.others for each in rounds):.0%}" + "*" * disturbed(rounds)
            row += f" {cost(rounds):9.{digits}f} {ratio(rounds, base):6.2f}"
            row += f" {low:9.{digits}f} {high:9.{digits}f} {others:>8}"
            if hasRate:
                row += f" {median(each.rate for each in rounds):11.0f}"
        rows.append(row)
    head += f" {'messages/s':>11}" if hasRate else ""
    note = f"The ratio is that to {first}."
    lines = [work.name, "~" * len(work.name), "", note, "", rule, head, rule, *rows, rule]
    return "\n".join(lines) + "\n"


def overview(run: Run, more: list[Run]) -> str:
    """
    @return: The targets, met or missed, in reStructuredText; if there are more runs, after a
        table of one run and the range of the others.
    """
    lines = ["Targets", "~~~~~~~", ""]
    if more:
        rule = " ".join("=" * size for size in (45, 20, 9, 20))
        head = f"{'Work':45} {'Server':20} {'one run':>9} {f'{len(more)} more runs':>20}"
        rows = [
            f"{work:45} {server:20} {cost(run[work][server]):9.2f} "
            f"{span([cost(each[work][server]) for each in more if server in each[work]]):>20}"
            for work, servers in more[0].items()
            for server in servers
        ]
        lines += [rule, head, rule, *rows, rule, ""]
    return "\n".join([*lines, *(f"- {line}" for line in targets(run, more, TARGETS))]) + "\n"


def bars(results: Results, unit: str, y: int) -> str:
    """
    @return: The bars of one work, in SVG: costs on the left, rates on the right.
    """
    out = []
    figures = {
        name: (cost(rounds), median(each.rate for each in rounds))
        for name, rounds in results.items()
    }
    base = next(iter(figures.values()))
    most = [max(values) or 1 for values in zip(*figures.values(), strict=True)]
    for row, (name, values) in enumerate(figures.items()):
        line = y + 20 * row
        fill = {"echod": "#2f6fde", "echod, epoll": "#9bbcf5"}.get(name, "#b8b8b8")
        out.append(f'<text x="110" y="{line}" text-anchor="end">{name}</text>')
        labels = f"{values[0]:,.{0 if unit == 'bytes' else 2}f} {unit}", f"{values[1]:,.0f}/s"
        for column, (value, label) in enumerate(zip(values, labels, strict=True)):
            if not value:
                continue
            x, width = 120 + 370 * column, 200 * value / most[column]
            out.append(
                f'<rect x="{x}" y="{line - 11}" width="{width:.1f}" height="14" fill="{fill}"/>'
                f'<text x="{x + width + 6:.1f}" y="{line}">{label}'
                f'<tspan fill="#777"> {value / base[column]:.2f}</tspan></text>'
            )
    return "".join(out)


def picture(results: Run) -> str:
    """
    @return: A chart, as SVG: the cost of a message, and messages a second.
    """
    out, y = [], 30
    for name, figures in results.items():
        unit = "bytes" if name.startswith("memory") else "µs"
        out.append(f'<text x="10" y="{y}" font-weight="bold">{name}</text>')
        out.append(bars(figures, unit, y + 22))
        y += 20 * len(figures) + 50
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{y - 20}" '
        'font-family="sans-serif" font-size="12">'
        "<title>Processor time of the server for a message, and messages a second</title>"
        '<rect width="100%" height="100%" fill="white"/>' + "\n".join(out) + "</svg>\n"
    )


def machine(rounds: int, seconds: str) -> str:
    """
    @return: The machine and the versions of the measurement.
    """
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    parts = [
        f"{models[0] if models else platform.machine()}, {len(models)} cores",
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name.lower())}" for name in ("Twisted", "uvloop")),
    ]
    if which("go"):
        go = run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout
        parts.append(go.strip().replace("go", "Go "))
    return f"Measured on {'; '.join(parts)}. Medians of {rounds} x {seconds} s."
