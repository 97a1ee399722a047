"""
Measure echod and other servers, side by side: C{make bench}.

Prints the tables, the targets and a comparison with the previous run, and writes the
results as JSON, and the tables and their chart into the documentation.  Variables in the
environment, or after C{make bench}:

  - C{WORKS}: a regular expression.  Measure only the works whose names match it, and write
    nothing;
  - C{RUNS}: how many runs.  The first one is as without C{RUNS}.  The others measure only
    the works that have a target, and give the range of their figures;
  - C{ROUNDS} and C{SECONDS_EACH}: how many rounds each run has, and how long each is.
"""

from __future__ import annotations

import os
import re
import resource
import sys
from dataclasses import replace
from shutil import which
from tempfile import TemporaryDirectory

from benchmarks.measure import compete
from benchmarks.report import machine, overview, picture, table
from benchmarks.results import TARGETS, Run, comparison, loaded, saved
from benchmarks.works import COMPARED, HERE, IDLE, SECONDS, Work, build, works

PAGE = HERE.parent / "docs" / "benchmarks.rst"
PICTURE = PAGE.with_suffix(".svg")
RESULTS = HERE / "results.json"
MEASURED = ".. The figures below are written by benchmarks/run.py.\n"

WORKS = os.environ.get("WORKS", "")
RUNS = int(os.environ.get("RUNS", "1"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))

TOOLS = {"cc": "a C compiler", "taskset": "taskset"}
FILES = 3 * IDLE
"""
The number of files that a server or its load may have to open, and some to spare.
"""


def prepare() -> None:
    """
    Check that the machine can run the benchmark, and allow enough open files.
    """
    missing = [what for tool, what in TOOLS.items() if not which(tool)]
    if len(os.sched_getaffinity(0)) < 2:
        missing.append("two cores")
    if missing:
        sys.exit(f"the benchmark needs {' and '.join(missing)}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard) if hard > 0 else FILES, hard))


def measured(selected: list[Work], load: str) -> tuple[Run, list[str]]:
    """
    Measure some works, and print the table of each one.

    @return: The results, and the tables.
    """
    run: Run = {}
    tables = []
    for work in selected:
        run[work.name] = compete(work, load, ROUNDS)
        tables.append(table(work, run[work.name]))
        print(tables[-1], flush=True)
    return run, tables


def withTarget(selected: list[Work]) -> list[Work]:
    """
    @return: The works that have a target, with the servers that it is compared with.
    """
    return [
        replace(
            work,
            servers={name: work.servers[name] for name in work.servers if name in COMPARED},
        )
        for work in selected
        if work.name in {target.work for target in TARGETS}
    ]


def write(about: str, run: Run, tables: list[str]) -> None:
    """
    Write the results, the page and the chart.
    """
    RESULTS.write_text(saved(about, run), encoding="utf-8")
    PICTURE.write_text(picture(run), encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8").partition(MEASURED)[0]
    PAGE.write_text("\n".join([text + MEASURED, about, "", *tables]), encoding="utf-8")
    print(f"These figures are in {RESULTS}, and with {PICTURE.name} in {PAGE}.")


def main() -> None:
    """
    Measure, show and write.
    """
    prepare()
    about = machine(ROUNDS, SECONDS)
    print(f"{about}\n")
    with TemporaryDirectory() as directory:
        build(directory)
        load = f"{directory}/load"
        selected = [work for work in works(directory) if re.search(WORKS, work.name)]
        run, tables = measured(selected, load)
        more = [measured(withTarget(selected), load)[0] for _ in range(RUNS - 1)]
    tables.append(overview(run, more))
    print(tables[-1])
    if RESULTS.exists():
        print(*comparison(loaded(RESULTS.read_text(encoding="utf-8")), run), sep="\n")
    if not WORKS:
        write(about, run, tables)


if __name__ == "__main__":
    main()
