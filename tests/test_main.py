"""
Tests for L{echod.__main__} and L{echod_programs}.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from io import StringIO
from signal import SIGINT
from subprocess import CompletedProcess, run

from twisted.internet import reactor as installed
from twisted.trial.unittest import SynchronousTestCase

from echod.__main__ import Runner, main
from echod._version import __version__
from tests.support import CHECKOUT, MEASURED, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon, session

ECHOD = [sys.executable, "-m", "echod"]


def program(name: str) -> list[str]:
    """
    @return: The command that runs C{echod} or C{echoc} like its script in C{bin}.
    """
    return [sys.executable, "-c", f"import echod_programs; echod_programs.{name}()"]


class Program(Daemon):
    """
    A running C{echod}.
    """

    @staticmethod
    def command(reactor: str | None) -> list[str]:
        """
        @return: The command that runs it, without its options.
        """
        return program("echod")


class MainTests(SynchronousTestCase):
    """
    Tests for L{main}.
    """

    def ended(self, *arguments: str) -> tuple[object, str]:
        """
        @return: The exit status or message, and what was printed.
        """
        with redirect_stdout(StringIO()) as said:
            error = self.assertRaises(SystemExit, main, arguments)
        return error.code, said.getvalue()

    def test_help(self) -> None:
        """
        The help does not mention twistd in its first line.
        """
        for option in ("-h", "--help"):
            status, said = self.ended(option)
            self.assertEqual(status, 0)
            self.assertTrue(said.startswith("Usage: echod [options]\n\nA TCP greeting"), said)

    def test_version(self) -> None:
        """
        The version is that of echod.
        """
        self.assertEqual(self.ended("--version"), (0, f"echod {__version__}\n"))

    def test_mistakes(self) -> None:
        """
        A mistake gives one line that begins with the name of the program.
        """
        for arguments, problem in (
            (["8080"], "unexpected argument 8080; everything is an option, as in --tcp 8080"),
            (["--tcp", "99999"], "--tcp 99999: 99999 is not a port"),
            (["-n"], "unknown option -n: it is an option of twistd and goes before echod"),
        ):
            status, said = self.ended(*arguments)
            self.assertEqual(said, "")
            self.assertTrue(str(status).startswith(f"echod: {problem}"), status)

    def test_runner(self) -> None:
        """
        echod runs in the foreground and without a PID file, with the options of the user.
        """
        # This is the only program in its process, and sets its clock.
        self.patch(installed, "seconds", installed.seconds)
        started: list[Runner] = []
        main(["--tcp", "127.0.0.1:0"], started.append)
        (runner,) = started
        self.assertEqual((runner["nodaemon"], runner["pidfile"]), (1, ""))
        self.assertEqual(runner.subCommand, "echod")
        self.assertEqual(runner.subOptions["tcp"], ["127.0.0.1:0"])

    def test_module(self) -> None:
        """
        C{python -m echod} is the same program: it has the same version.
        """
        ended = run([*ECHOD, "--version"], env=MEASURED, capture_output=True, timeout=PATIENCE)
        self.assertEqual(ended.stdout.decode(), f"echod {__version__}\n")

    def test_processWithMistake(self) -> None:
        """
        After a mistake, the process writes one line to standard error and ends with status 1.
        """
        command = [*ECHOD, "--tpc", "8080"]
        ended = run(command, env=MEASURED, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(
            (ended.returncode, ended.stdout, ended.stderr),
            (1, "", "echod: unknown option --tpc: did you mean --tcp?\n"),
        )


class ProgramsTests(SynchronousTestCase):
    """
    Tests for L{echod_programs}.
    """

    def ended(self, name: str, twisted: str, *below: str) -> CompletedProcess[str]:
        """
        Run a program to its end.

        @param twisted: The code of a package that stands in for Twisted.

        @param below: A command that runs the command after it.
        """
        package = temporaryDirectory(self) / "twisted"
        package.mkdir()
        (package / "__init__.py").write_text(twisted)
        return run(
            [*below, *program(name)],
            cwd=CHECKOUT,
            env={**MEASURED, "PYTHONPATH": str(package.parent)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def test_interruptedImport(self) -> None:
        """
        Ctrl-C ends a program without a message while it imports Twisted.
        """
        for name in ("echod", "echoc"):
            ended = self.ended(name, "import signal; signal.raise_signal(signal.SIGINT)")
            self.assertEqual((ended.returncode, ended.stderr), (-SIGINT, ""))

    def test_ignoredInterrupt(self) -> None:
        """
        While it imports Twisted, a program that a script has started in the background still
        ignores SIGINT.
        """
        background = ("sh", "-c", """trap "" INT; exec "$@" """, "sh")
        for name in ("echod", "echoc"):
            code = "import signal, sys; sys.exit(signal.getsignal(signal.SIGINT).name)"
            ended = self.ended(name, code, *background)
            self.assertEqual((ended.returncode, ended.stderr), (1, "SIG_IGN\n"))

    def test_served(self) -> None:
        """
        C{echod} serves until Ctrl-C.
        """
        with Program("--tcp", "127.0.0.1:0") as daemon:
            session(self, daemon.tcp)
            daemon.process.send_signal(SIGINT)
            daemon.expect("Server Shut Down")
