"""
Measure echod and other servers, side by side: C{make bench}.

Prints the tables, the targets and a comparison with the previous run, and writes the
results as JSON, and the tables and their chart into the documentation.  C{python -m
benchmarks.run WORD...} measures only the works with one of the words in their names, and
writes nothing.
"""

from __future__ import annotations

import os
import resource
import sys
from shutil import which
from tempfile import TemporaryDirectory

from benchmarks.measure import compete
from benchmarks.report import machine, picture, table
from benchmarks.results import TARGETS, Run, comparison, loaded, saved, targets
from benchmarks.works import HERE, IDLE, SECONDS, build, works

PAGE = HERE.parent / "docs" / "benchmarks.rst"
PICTURE = PAGE.with_suffix(".svg")
RESULTS = HERE / "results.json"
MEASURED = ".. What follows is written by benchmarks/run.py.\n"

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


def write(about: str, run: Run, tables: list[str]) -> None:
    """
    Write the results, the page and the chart.
    """
    RESULTS.write_text(saved(about, run), encoding="utf-8")
    PICTURE.write_text(picture(run), encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8").partition(MEASURED)[0]
    aims = ["Targets", "~~~~~~~", "", *(f"- {line}" for line in targets(run, TARGETS)), ""]
    PAGE.write_text("\n".join([text + MEASURED, about, "", *tables, *aims]), encoding="utf-8")
    print(f"These figures are in {RESULTS}, and with {PICTURE.name} in {PAGE}.")


def main() -> None:
    """
    Measure, show and write.
    """
    words = sys.argv[1:]
    prepare()
    run: Run = {}
    tables = []
    about = machine(ROUNDS, SECONDS)
    print(f"{about}\n")
    with TemporaryDirectory() as directory:
        build(directory)
        for work in works(directory):
            if words and not any(word in work.name for word in words):
                continue
            run[work.name] = compete(work, f"{directory}/load", ROUNDS)
            tables.append(table(work, run[work.name]))
            print(tables[-1], flush=True)
    print(*targets(run, TARGETS), "", sep="\n")
    if RESULTS.exists():
        print(*comparison(loaded(RESULTS.read_text(encoding="utf-8")), run), sep="\n")
    if not words:
        write(about, run, tables)


if __name__ == "__main__":
    main()
