"""
Tests for L{echod.service.multiendpoint}.
"""

from __future__ import annotations

import errno
import os
from functools import partial
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from echod.service.multiendpoint import ATTEMPTS, MultiEndpoint, MultiPort
from tests.support import logged
from tests.support.service import Port, Server

FIRST_FREE = 40000


class MachinePort(Port):
    """
    A port at a certain address.
    """

    def __init__(self, host: str, number: int) -> None:
        self.address = (IPv6Address if ":" in host else IPv4Address)("TCP", host, number)

    def getHost(self) -> Any:
        """
        @return: The address.
        """
        return self.address

    def stopListening(self) -> Any:
        """
        Listen no more.
        """
        super().stopListening()
        return succeed(None)


class Machine:
    """
    A machine in memory.

    @ivar addresses: Its addresses.

    @ivar used: The ports that other programs use.

    @ivar problems: The errors of the system for some of its addresses.

    @ivar ports: All ports that ever listened.
    """

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.used: set[tuple[str, int]] = set()
        self.problems: dict[str, int] = {}
        self.ports: list[MachinePort] = []

    def endpoint(self, host: str, number: int) -> Any:
        """
        @return: An endpoint.
        """
        return MachineEndpoint(self, host, number)

    def listen(self, host: str, number: int) -> MachinePort:
        """
        Listen; on port 0, on the next free one.
        """
        if host not in self.addresses:
            raise self.error(host, number, errno.EADDRNOTAVAIL)
        if host in self.problems:
            raise self.error(host, number, self.problems[host])
        taken = self.used | {
            (port.address.host, port.address.port) for port in self.ports if port.listening
        }
        if number == 0:
            number = FIRST_FREE + len(self.ports)
        if (host, number) in taken:
            raise self.error(host, number, errno.EADDRINUSE)
        self.ports.append(MachinePort(host, number))
        return self.ports[-1]

    def error(self, host: str, number: int, reason: int) -> CannotListenError:
        """
        @return: An error of the system.
        """
        return CannotListenError(host, number, OSError(reason, os.strerror(reason)))

    @property
    def listening(self) -> list[tuple[str, int]]:
        """
        The addresses that are listened on.
        """
        return [(port.address.host, port.address.port) for port in self.ports if port.listening]


class MachineEndpoint:
    """
    An endpoint of a L{Machine}.
    """

    def __init__(self, machine: Machine, host: str, number: int) -> None:
        self.machine, self.host, self.number = machine, host, number

    def listen(self, server: object) -> Deferred[Any]:
        """
        Listen.
        """
        try:
            return succeed(self.machine.listen(self.host, self.number))
        except CannotListenError as error:
            return fail(error)


class MultiEndpointTests(SynchronousTestCase):
    """
    Tests for L{MultiEndpoint}.
    """

    hosts = ("127.0.0.1", "::1", "127.0.1.1")

    def setUp(self) -> None:
        self.machine = Machine(*self.hosts)

    def listen(self, port: int, *hosts: str, required: str | None = "127.0.0.1") -> Any:
        """
        Listen on several addresses.
        """
        endpoint = MultiEndpoint(
            port,
            [(host, partial(self.machine.endpoint, host)) for host in hosts or self.hosts],
            required,
        )
        return endpoint.listen(Server())

    def test_all(self) -> None:
        """
        All addresses are listened on, as one port with the address of the first one.  It
        stops listening on all of them.
        """
        with logged() as lines:
            port = self.successResultOf(self.listen(8080))
        self.assertTrue(verifyObject(IListeningPort, port))
        port.startListening()
        self.assertEqual(self.machine.listening, [(host, 8080) for host in self.hosts])
        self.assertEqual(port.getHost().host, "127.0.0.1")
        self.assertEqual(lines, [])
        self.successResultOf(port.stopListening())
        self.assertEqual(self.machine.listening, [])

    def test_stopWaits(self) -> None:
        """
        The port has stopped when the last address is free.
        """
        ports = [MachinePort(host, 1) for host in self.hosts]
        last: Deferred[None] = Deferred()
        ports[1].stopListening = lambda: last  # type: ignore[method-assign]
        stopped = MultiPort(ports).stopListening()
        self.assertNoResult(stopped)
        last.callback(None)
        self.successResultOf(stopped)

    def test_freePort(self) -> None:
        """
        Port 0 is the same free port on all addresses.
        """
        self.listen(0)
        self.assertEqual(self.machine.listening, [(host, FIRST_FREE) for host in self.hosts])

    def test_freePortUsedElsewhere(self) -> None:
        """
        If another program uses the free port on one of the addresses, another one is
        taken.
        """
        self.machine.used = {("127.0.1.1", FIRST_FREE), ("::1", FIRST_FREE + 2)}
        self.listen(0)
        self.assertEqual(
            self.machine.listening, [(host, FIRST_FREE + 3) for host in self.hosts]
        )

    def test_noFreePort(self) -> None:
        """
        After several attempts, the address is left out.
        """
        self.machine.used = {("127.0.1.1", FIRST_FREE + number) for number in range(99)}
        with logged() as lines:
            self.listen(0)
        self.assertEqual([host for host, _ in self.machine.listening], ["127.0.0.1", "::1"])
        self.assertEqual(len(self.machine.ports), 2 * ATTEMPTS)
        self.assertEqual(len(lines), 1)

    def test_optional(self) -> None:
        """
        Any other address is left out, and a line of the log says why.
        """
        self.machine.addresses = ("127.0.0.1", "::1")
        self.machine.used = {("::1", 8080)}
        with logged() as lines:
            self.listen(8080)
        self.assertEqual(self.machine.listening, [("127.0.0.1", 8080)])
        self.assertEqual(
            lines,
            [
                f"echo does not listen on [::1]:8080: {os.strerror(errno.EADDRINUSE)}; "
                "ss -lntup shows the process that uses it",
                f"echo does not listen on 127.0.1.1:8080: {os.strerror(errno.EADDRNOTAVAIL)}",
            ],
        )

    def test_refused(self) -> None:
        """
        An error at the required address ends the start, and so does a lack of descriptors at
        any address.  Without a required address, each error of an address that the machine
        has ends it, or if it has none.
        """
        both = ("::1", "127.0.0.1")
        for hosts, required, problems, expected in (
            (self.hosts, "127.0.0.1", {"127.0.0.1": errno.EADDRINUSE}, errno.EADDRINUSE),
            (self.hosts, "127.0.0.1", {"::1": errno.EMFILE}, errno.EMFILE),
            (both, None, {"127.0.0.1": errno.EADDRINUSE}, errno.EADDRINUSE),
            (("192.0.2.1", "192.0.2.2"), None, {}, errno.EADDRNOTAVAIL),
        ):
            self.machine.problems = problems
            listening = self.listen(8080, *hosts, required=required)
            failure = self.failureResultOf(listening, CannotListenError)
            self.assertEqual(failure.value.socketError.errno, expected)
            self.assertEqual(self.machine.listening, [])

    def test_noIPv6(self) -> None:
        """
        No line says that a machine without IPv6 has no ::1.
        """
        self.machine.addresses = ("127.0.0.1", "127.0.1.1")
        with logged() as lines:
            self.listen(8080)
        self.assertEqual(lines, [])

    def test_name(self) -> None:
        """
        Of the addresses of a name, those are left out that the machine does not have.
        """
        port = self.successResultOf(
            self.listen(8080, "192.0.2.1", "::1", "127.0.0.1", required=None)
        )
        self.assertEqual(self.machine.listening, [("::1", 8080), ("127.0.0.1", 8080)])
        self.assertEqual(port.getHost().host, "::1")
