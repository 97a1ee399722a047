"""
Run Twisted's own tests of reactors, on the uvloop reactor and on epoll: what
holds there must hold here.  Arguments are names of tests; by default all that
concern what the reactor does differently.
"""

from __future__ import annotations

import io
import sys
from tempfile import TemporaryDirectory
from typing import Any

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


def main() -> int:
    """
    @return: How many tests fail on the uvloop reactor and not on epoll.
    """
    ReactorBuilder._reactors = REACTORS
    loader = TestLoader()
    suite = loader.loadByNames(sys.argv[1:] or MODULES, True)
    output = io.StringIO()
    with TemporaryDirectory() as directory:
        runner = TrialRunner(
            TreeReporter, stream=output, workingDirectory=f"{directory}/_trial_temp"
        )
        result: Any = runner.run(suite)
    failed = {test.id() for test, _ in (*result.failures, *result.errors)}
    here = {name for name in failed if "UVLoopReactor" in name}
    there = {name.replace("EPollReactor", "UVLoopReactor") for name in failed - here}
    worse = sorted(here - there)
    if worse:
        print(output.getvalue())
    print(f"{result.testsRun} tests, {len(failed)} failed, {len(worse)} of them only here")
    for name in worse:
        print(f"  {name}")
    return len(worse)


if __name__ == "__main__":
    sys.exit(main())
