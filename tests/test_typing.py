"""
Tests for the types that other programs see: mypy reads their code and the installed
package, as it does for users.
"""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, ENVIRONMENT, lacking, temporaryDirectory

try:
    from tests.story.pages import File, steps
except ImportError:
    steps = None  # type: ignore[assignment]

EXAMPLES = CHECKOUT / "docs" / "examples"

SEARCH_PATHS = ("PYTHONPATH", "MYPYPATH")

TIMEOUT = 120.0
"""
How long mypy may take, in seconds: far longer than it does.
"""

REACTOR = """
from twisted.internet import reactor

from echod import EchoFactory, GreetingFactory, UDPEchoProtocol, UDPServerEndpoint
from echod.tap import Options

EchoFactory(reactor)
GreetingFactory(reactor)
UDPServerEndpoint(reactor, 8081).listen(UDPEchoProtocol(reactor))
Options(reactor)
"""


class TypingTestCase(SynchronousTestCase):
    """
    Programs that embed echod pass C{mypy --strict}.
    """

    def setUp(self) -> None:
        if steps is None:
            lacking("docutils")
        # An empty folder and no search path: of echod, mypy finds what is installed.
        self.folder = temporaryDirectory(self)
        if self.python("-c", "import echod, mypy, mypy_zope"):
            lacking("an installed echod, mypy and mypy-zope")

    def python(self, *arguments: str) -> str:
        """
        @return: The output of Python, empty after a success.
        """
        done = run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={name: ENVIRONMENT[name] for name in ENVIRONMENT if name not in SEARCH_PATHS},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        return done.stdout + done.stderr if done.returncode else ""

    def passes(self, configuration: str) -> None:
        """
        Check the programs: the example of the README, code that passes
        C{twisted.internet.reactor} to the classes of echod, and the examples of the page
        about embedding.  In these, Twisted's functions without types may be called.
        """
        files = [step for step in steps(CHECKOUT / "README.rst") if isinstance(step, File)]
        programs = {"passesreactor.py": REACTOR} | {file.name: file.content for file in files}
        self.assertIn("embedded.py", programs)
        for example in (*EXAMPLES.glob("*.py"), *EXAMPLES.glob("*.tac")):
            content = f"# mypy: allow-untyped-calls\n{example.read_text()}"
            programs[f"{example.stem}.py"] = content
        # The next run is faster with the cache of this one.
        cache = Path(sys.prefix) / ".mypy_cache" / self.id()
        (self.folder / "mypy.ini").write_text(f"[mypy]\ncache_dir = {cache}\n{configuration}")
        for name, content in programs.items():
            (self.folder / name).write_text(content)
        self.assertEqual(self.python("-m", "mypy", "--strict", *programs), "")


class TypingTests(TypingTestCase):
    """
    Tests with mypy alone.  L{tests.extended.installed} tests with mypy-zope, as C{make types}
    does with the examples.
    """

    def test_withoutPlugin(self) -> None:
        """
        They pass without mypy-zope.
        """
        self.passes("")
