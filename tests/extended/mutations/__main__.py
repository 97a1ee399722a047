"""
Run the mutations: see L{tests.extended.mutations}.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from shutil import copytree, ignore_patterns
from subprocess import DEVNULL, TimeoutExpired, run
from tempfile import TemporaryDirectory

from tests.extended import mutations
from tests.extended.mutations import Mutation
from tests.support import CHECKOUT, ENVIRONMENT

TIMEOUT = 120
"""
How long the tests of one mutation may take, in seconds.  A test that hangs has not
failed: it would block the whole run.
"""

FAILED = 1
"""
The exit status of pytest if tests ran and at least one failed.
"""


def tested(checkout: Path, tests: str) -> int | None:
    """
    @return: The exit status of pytest; L{None} if the tests hang.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(checkout)}
    try:
        return run(
            [*command, *tests.split()],
            cwd=checkout,
            env=environment,
            stdout=DEVNULL,
            stderr=DEVNULL,
            timeout=TIMEOUT,
        ).returncode
    except TimeoutExpired:
        return None


def problem(checkout: Path, mutation: Mutation) -> str:
    """
    Make a fault, run its tests, and mend it.

    @return: Why the mutation proves nothing, or an empty text.
    """
    path = checkout / mutation.path
    source = path.read_text()
    if source.count(mutation.old) != 1:
        return f"the old text occurs {source.count(mutation.old)} times, not once"
    path.write_text(source.replace(mutation.old, mutation.new))
    try:
        status = tested(checkout, mutation.tests)
    finally:
        path.write_text(source)
    if status is None:
        return f"the tests hang for more than {TIMEOUT} s"
    return "" if status == FAILED else f"no test fails (pytest ends with {status})"


def table(rooms: Sequence[str]) -> list[Mutation]:
    """
    @param rooms: The names of rooms; all of them if there are none.

    @return: Their mutations.
    """
    names = rooms or [module.name for module in pkgutil.iter_modules(mutations.__path__)]
    modules = [import_module(f"{mutations.__name__}.{name}") for name in names]
    return [each for module in modules for each in getattr(module, "MUTATIONS", [])]


def main() -> int:
    """
    @return: The exit status: 1 if a mutation is not noticed.
    """
    listed = table(sys.argv[1:])
    problems = 0
    with TemporaryDirectory() as directory:
        checkout = Path(directory) / "checkout"
        leftOut = ignore_patterns(".git", ".venv", "build", "dist", ".*_cache", "__pycache__")
        copytree(CHECKOUT, checkout, ignore=leftOut)
        for tests in dict.fromkeys(mutation.tests for mutation in listed):
            if tested(checkout, tests) != 0:
                print(f"FAILS WITHOUT A MUTATION: {tests}")
                problems += 1
        for mutation in listed:
            why = problem(checkout, mutation)
            problems += bool(why)
            first = mutation.new.strip().partition("\n")[0] or "(deleted)"
            print(f"{'NOT NOTICED' if why else 'noticed'}: {mutation.path}: {first}  {why}")
    print(f"{len(listed)} mutations, {problems} problems")
    return 1 if problems or not listed else 0


if __name__ == "__main__":
    raise SystemExit(main())
