"""
Tests for L{echod.config.freeports}.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping, Sequence
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from echod.config.freeports import withFreePorts
from echod.service.listening import ListeningService
from echod.tap import makeService
from tests.support import temporaryDirectory
from tests.support.config import options

MODULE = ("python", "-m", "echod")


class FreePortsTests(SynchronousTestCase):
    """
    Tests for L{withFreePorts}.
    """

    def command(
        self,
        typed: str,
        inUse: Mapping[str, Sequence[int]],
        program: Sequence[str] = MODULE,
        path: str = "",
    ) -> str:
        """
        @param inUse: For each service of an option, its port if it is in use, or 0.

        @param path: The value of C{PATH}.

        @return: The command with free ports.
        """
        arguments = shlex.split(typed)
        parsed = options(*arguments)
        service = makeService(parsed)
        ports = {option: list(numbers) for option, numbers in inUse.items()}
        for each in (*service, *service.observers):
            if isinstance(each, ListeningService) and each.option in ports:
                each.inUse = ports[each.option].pop(0)
        which = partial(shutil.which, path=path)
        return withFreePorts(parsed, service, [*program, *arguments], which)

    def test_defaults(self) -> None:
        """
        Without an address on the command line, the command starts all three servers.
        """
        for inUse, servers in (
            ({"greeting": [9999]}, "--greeting 0 --tcp 8080 --udp 8080"),
            ({"udp": [8080]}, "--greeting 9999 --tcp 8080 --udp 0"),
            (
                {"greeting": [9999], "tcp": [8080], "udp": [8080]},
                "--greeting 0 --tcp 0 --udp 0",
            ),
        ):
            self.assertEqual(self.command("", inUse), f"python -m echod {servers}")
            self.assertEqual(
                self.command("--show-messages --idle-timeout=5m", inUse),
                f"python -m echod --show-messages --idle-timeout 5m {servers}",
            )

    def test_severalAddresses(self) -> None:
        """
        Only the ports that are in use are replaced, and everything else stays as it is.
        """
        self.assertEqual(
            self.command(
                "--tcp 8080 --udp=8080 --tcp 8081 --session-log 'a b' --tcp 8080",
                {"tcp": [0, 8081, 8080], "udp": [0]},
            ),
            "python -m echod --tcp 8080 --udp 8080 --tcp 0 --session-log 'a b' --tcp 0",
        )

    def test_addresses(self) -> None:
        """
        The port is replaced in each form of an address.
        """
        for address, free in (
            ("0.0.0.0:8080", "0.0.0.0:0"),
            ("[::8080]:8080", "'[::8080]:0'"),
            ("[::8080:1]:8080", "'[::8080:1]:0'"),
            ("0.0.0.0:08080", "0.0.0.0:0"),
            ("localhost:8080", "localhost:0"),
            ("008080", "0"),
            ("haproxy:8080", "haproxy:0"),
            ("haproxy:localhost:08080", "haproxy:localhost:0"),
            ("tcp:8080:interface=10.0.80.80", "tcp:0:interface=10.0.80.80"),
            ("tcp:08080:interface=8080", "tcp:0:interface=8080"),
            ("tcp:port=008080", "tcp:port=0"),
            ("tcp:backlog=8080:port=8080", "tcp:backlog=8080:port=0"),
            (r"'tcp:interface=\:\:8080:port=8080'", r"'tcp:interface=\:\:8080:port=0'"),
            ("tcp:interface=127.0.0.1:port=8080", "tcp:interface=127.0.0.1:port=0"),
        ):
            self.assertEqual(
                self.command(f"--tcp {address}", {"tcp": [8080]}),
                f"python -m echod --tcp {free}",
            )

    def test_program(self) -> None:
        """
        The command starts as the user has typed it: a program on the C{PATH} has no path, and
        no script has its interpreter.  A directory and a file in the current directory have
        the interpreter.
        """
        directory = temporaryDirectory(self)
        script = directory / "twistd"
        script.touch(mode=0o700)
        (directory / "archive").touch(mode=0o600)
        other = temporaryDirectory(self)
        (other / "twistd").touch(mode=0o700)
        for program, path, typed in (
            (f"python {script} -n echod", directory, "twistd -n echod"),
            (f"python {script} -n -l 'a b' echod", directory, "twistd -n -l 'a b' echod"),
            (f"python {script} -n echod", "", f"{script} -n echod"),
            (f"python {script}", other, str(script)),
            (f"pypy3 {directory}", "", f"pypy3 {directory}"),
            (f"python {directory}/archive", directory, f"python {directory}/archive"),
            ("python twistd echod", directory, "python twistd echod"),
            ("python -X dev -m twisted echod", "", "python -X dev -m twisted echod"),
            ("python -c 'a()' echod", "", "python -c 'a()' echod"),
            ("frozen", "", "frozen"),
        ):
            self.assertEqual(
                self.command("--tcp=80", {"tcp": [80]}, shlex.split(program), str(path)),
                f"{typed} --tcp 0",
            )

    def test_noCommand(self) -> None:
        """
        There is no command if no port is in use, if the port is not in the address as a
        number, or if a program has chosen the options.
        """
        self.assertEqual(self.command("", {}), "")
        self.assertEqual(self.command(r"--tcp 'tcp:80\80'", {"tcp": [8080]}), "")
        parsed = options("--tcp=80")
        service = makeService(parsed)
        service.listening[0].inUse = 80
        self.assertEqual(withFreePorts(parsed, service, ["python", "own.py"]), "")
