"""
Tests for what happens to tests whose programs or rights are missing.
"""

from __future__ import annotations

import os
import sys
from subprocess import PIPE, STDOUT, run

from twisted.trial.unittest import SynchronousTestCase

from tests.story.programs import OPENBSD_NETCAT, missing
from tests.support import ENVIRONMENT, lacking, needs, program, temporaryDirectory
from tests.support.daemon import PATIENCE

try:
    import pytest

    from tests.conftest import skipped
except ImportError:
    pytest = None  # type: ignore[assignment]

LACKS = """
import os
from tests.support import needs

def test_needs():
    needs("sh", "no-such-program", "nor-this")

def test_inCI():
    os.environ["CI"] = "true"
    needs("no-such-program")
"""


class ProgramTests(SynchronousTestCase):
    """
    Tests for L{missing}, L{needs} and L{program}.
    """

    def setUp(self) -> None:
        self.directory = temporaryDirectory(self)

    def install(self, name: str, usage: str) -> None:
        """
        Make a program that prints its usage.
        """
        path = self.directory / name
        path.write_text(f"#!/bin/sh\necho '{usage}' >&2\n")
        path.chmod(0o755)

    def missing(self, *programs: str) -> list[str]:
        """
        @return: Which programs are not there.
        """
        return missing(*programs, path=str(self.directory))

    def test_missing(self) -> None:
        """
        Programs that are not on the path are missing.
        """
        self.install("here", "")
        self.assertEqual(self.missing("not-here", "here", "nor-here"), ["not-here", "nor-here"])

    def test_netcat(self) -> None:
        """
        An C{nc} that is not OpenBSD's has other options, and counts as missing.
        """
        self.assertEqual(self.missing("nc"), ["nc"])
        self.install("nc", "Ncat 7.93")
        self.assertEqual(self.missing("nc"), [OPENBSD_NETCAT])
        self.install("nc", "OpenBSD netcat")
        self.assertEqual(self.missing("nc"), [])

    def test_program(self) -> None:
        """
        A program that is there is returned with its path.
        """
        needs("sh")
        self.assertTrue(os.path.isabs(program("sh")))


class SummaryTests(SynchronousTestCase):
    """
    A run ends with one line about what was skipped.
    """

    def setUp(self) -> None:
        if pytest is None:
            lacking("pytest")

    def test_line(self) -> None:
        """
        For each reason, the tests are named in order; a reason of several lines
        becomes one.
        """
        reports = [
            pytest.TestReport(
                f"tests/test_a.py::A::test_{name}",
                ("", 0, ""),
                {},
                "skipped",
                ("test_a.py", 1, f"Skipped: needs {part}"),
                "call",
            )
            for name, part in (("one", "nc"), ("two", "ip\nand more"), ("three", "nc"))
        ]
        self.assertEqual(
            skipped(reports),
            "Skipped 3: needs ip and more (A.test_two); needs nc (A.test_one, A.test_three)",
        )
        self.assertEqual(skipped([]), "Skipped: nothing")

    def test_missing(self) -> None:
        """
        A test that lacks a program is skipped and on the line, which is printed and
        written to a file.  In CI, it fails.
        """
        directory = temporaryDirectory(self)
        (directory / "conftest.py").write_text("from tests.conftest import *\n")
        (directory / "test_it.py").write_text(LACKS)
        inherited = {name: value for name, value in ENVIRONMENT.items() if name != "CI"}
        done = run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
            cwd=directory,
            env={**inherited, "SKIPPED": "skipped"},
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        line = "Skipped 1: needs no-such-program, nor-this (test_needs)\n"
        self.assertEqual((directory / "skipped").read_text(), line)
        self.assertIn(line, done.stdout)
        self.assertIn("AssertionError: needs no-such-program, which CI must have", done.stdout)
        self.assertIn("1 failed, 1 skipped", done.stdout)
