"""
Tests for L{echod.config.freeports}.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from echod.config.freeports import withFreePorts
from echod.service.listening import ListeningService
from echod.tap import makeService
from tests.support.config import options

MODULE = ("python", "-m", "echod")
SCRIPT = sys.executable
"""
A file that can be executed.
"""


class FreePortsTests(SynchronousTestCase):
    """
    Tests for L{withFreePorts}.
    """

    def command(
        self,
        typed: str,
        inUse: Mapping[str, Sequence[int]],
        program: Sequence[str] = MODULE,
        found: str | None = None,
    ) -> str:
        """
        @param inUse: For each service of an option, its port if it is in use, or 0.

        @param found: The program of this name on the C{PATH}.

        @return: The command with free ports.
        """
        arguments = shlex.split(typed)
        parsed = options(*arguments)
        service = makeService(parsed)
        ports = {option: list(numbers) for option, numbers in inUse.items()}
        for each in (*service, *service.observers):
            if isinstance(each, ListeningService) and each.option in ports:
                each.inUse = ports[each.option].pop(0)
        return withFreePorts(parsed, service, [*program, *arguments], lambda _: found)

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
            ("haproxy:8080", "haproxy:0"),
            ("tcp:8080:interface=10.0.80.80", "tcp:0:interface=10.0.80.80"),
            ("tcp:port=8080", "tcp:port=0"),
            ("tcp:interface=127.0.0.1:port=8080", "tcp:interface=127.0.0.1:port=0"),
        ):
            self.assertEqual(
                self.command(f"--tcp {address}", {"tcp": [8080]}),
                f"python -m echod --tcp {free}",
            )

    def test_program(self) -> None:
        """
        The command starts as the user has typed it: a program on the C{PATH} has no path, and
        no script has its interpreter.
        """
        name = Path(SCRIPT).name
        for program, found, typed in (
            (("python", SCRIPT, "-n", "echod"), SCRIPT, f"{name} -n echod"),
            (("python", SCRIPT, "-n", "echod"), None, f"{SCRIPT} -n echod"),
            (("python", SCRIPT), "/usr/bin/other", SCRIPT),
            (("python", "-c", "a()", "echod"), None, "python -c 'a()' echod"),
            (("frozen",), None, "frozen"),
        ):
            self.assertEqual(
                self.command("--tcp 80", {"tcp": [80]}, program, found), f"{typed} --tcp 0"
            )

    def test_otherReasons(self) -> None:
        """
        If no port is in use, there is no command.
        """
        self.assertEqual(self.command("", {}), "")
