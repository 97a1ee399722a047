"""
Run Twisted's own tests of reactors on the uvloop reactor, and those that fail also on
epoll: what holds there must hold here.  Arguments are names of tests; by default all that
concern what the reactor does differently.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase, TestSuite

from twisted.internet.test.reactormixins import ReactorBuilder
from twisted.trial.reporter import TreeReporter
from twisted.trial.runner import TestLoader, TrialRunner

REACTORS = [
    "twisted.internet.epollreactor.EPollReactor",
    "echod.uvloopreactor.UVLoopReactor",
]

MODULES = [
    f"twisted.internet.test.test_{name}"
    for name in (
        *("newtls", "tcp", "tls", "process", "time", "core", "udp", "fdset"),
        *("threads", "unix", "socket", "stdio", "endpoints"),
    )
]


def cases(suite: TestSuite) -> Iterator[TestCase]:
    """
    @return: The tests of a suite.
    """
    for part in suite:
        yield from cases(part) if isinstance(part, TestSuite) else (part,)


def failures(tests: Iterable[TestCase], output: io.StringIO) -> set[str]:
    """
    @return: The names of the tests that fail.
    """
    with TemporaryDirectory() as directory:
        runner = TrialRunner(
            TreeReporter, stream=output, workingDirectory=f"{directory}/_trial_temp"
        )
        result: Any = runner.run(TestSuite(tests))
    return {test.id() for test, _ in (*result.failures, *result.errors)}


def main() -> int:
    """
    @return: How many tests fail on the uvloop reactor and not on epoll.
    """
    ReactorBuilder._reactors = REACTORS
    suite = [*cases(TestLoader().loadByNames(sys.argv[1:] or MODULES, True))]
    output = io.StringIO()
    ours = [test for test in suite if "EPollReactor" not in test.id()]
    failed = failures(ours, output)
    names = {name.replace("UVLoopReactor", "EPollReactor") for name in failed}
    there = failures([test for test in suite if test.id() in names - failed], io.StringIO())
    worse = sorted(failed - {name.replace("EPollReactor", "UVLoopReactor") for name in there})
    if worse:
        print(output.getvalue())
    print(f"{len(ours)} tests, {len(failed)} failed, {len(worse)} of them only here")
    for name in worse:
        print(f"  {name}")
    return len(worse)


if __name__ == "__main__":
    sys.exit(main())
