"""
Tests for L{echod.udp.batch}.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from twisted.internet import udp
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.limits.capacity import RateLimit
from echod.limits.networks import KNOWN_HOSTS
from echod.udp.batch import BATCH, BATCHES, BUFFER, BatchPort, suits
from echod.udp.echo import SEND_BUFFER_FULL, SEND_ERROR, UDPEchoProtocol, portKind
from echod.udp.guard import OVER_RATE, RESERVED_PORT, TO_GROUP, DatagramGuard
from echod.udp.pktinfo import PACKET_INFO, PacketInfoPort
from tests.support import FakeSocket, clock
from tests.udp.test_pktinfo import info4, info6

Sent = tuple[bytes, bytes, bytes]
"""
A datagram, the peer's socket address, and the control messages.
"""


class MessageHeader(ctypes.Structure):
    """
    C{struct mmsghdr}, as the system has it.
    """

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("nameLength", ctypes.c_uint32),
        ("vector", ctypes.POINTER(ctypes.c_size_t)),
        ("vectors", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controlLength", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("received", ctypes.c_uint),
    ]


def control(message: tuple[int, int, bytes]) -> bytes:
    """
    @return: A control message as it stands in memory.
    """
    level, kind, data = message
    length = socket.CMSG_LEN(len(data))
    return struct.pack("@Nii", length, level, kind).ljust(16) + data


def name4(host: str, port: int) -> bytes:
    """
    @return: A C{struct sockaddr_in}.
    """
    packed = ip_address(host).packed
    return struct.pack("@H", socket.AF_INET) + struct.pack("!H4s8x", port, packed)


def name6(host: str, port: int, scope: int) -> bytes:
    """
    @return: A C{struct sockaddr_in6}.
    """
    packed = ip_address(host).packed
    start = struct.pack("@H", socket.AF_INET6) + struct.pack("!HI16s", port, 0, packed)
    return start + struct.pack("@I", scope)


class System:
    """
    C{recvmmsg} and C{sendmmsg} in memory.

    @ivar queue: What there is to receive.

    @ivar sent: What was sent.

    @ivar failures: For each call of C{sendmmsg} to come, what goes wrong with
        its first datagram, or how many it takes.
    """

    def __init__(self) -> None:
        self.queue: list[Sent] = []
        self.sent: list[Sent] = []
        self.failures: list[int] = []

    def function(self, name: str, *types: object) -> Callable[..., int]:
        """
        @return: The function of this name.
        """
        return getattr(self, name)  # type: ignore[no-any-return]

    def recvmmsg(self, fd: int, address: int, count: int, flags: int, timeout: None) -> int:
        """
        Receive.
        """
        headers = (MessageHeader * count).from_address(address)
        taken, self.queue = self.queue[:count], self.queue[count:]
        for header, (data, name, info) in zip(headers, taken, strict=False):
            assert header.vector[1] == BUFFER
            assert header.nameLength == len(name)
            assert header.controlLength >= len(info)
            ctypes.memmove(header.vector[0], data, len(data))
            ctypes.memmove(header.name, name, len(name))
            ctypes.memmove(header.control, info, len(info))
            header.controlLength = socket.CMSG_SPACE(len(info) - 16) if info else 0
            header.received = len(data)
        return len(taken) or -1

    def sendmmsg(self, fd: int, address: int, count: int, flags: int) -> int:
        """
        Send.
        """
        headers = (MessageHeader * count).from_address(address)
        if self.failures:
            failure = self.failures.pop(0)
            if failure < 0:
                ctypes.set_errno(-failure)
                return -1
            count = failure
        for header in headers[:count]:
            length = (
                header.controlLength
                and struct.unpack("@N", ctypes.string_at(header.control, 8))[0]
            )
            self.sent.append(
                (
                    ctypes.string_at(header.vector[0], header.vector[1]),
                    ctypes.string_at(header.name, header.nameLength),
                    ctypes.string_at(header.control, length),
                )
            )
        return count


class MachineTests(SynchronousTestCase):
    """
    Batches are for machines whose memory they are right for.
    """

    def test_suits(self) -> None:
        """
        Words of 64 bits, lowest byte first, are needed.
        """
        for pointer, order, suited in (
            (8, "little", True),
            (4, "little", False),
            (8, "big", False),
            (4, "big", False),
        ):
            self.assertEqual(suits(pointer, order), suited, (pointer, order))

    def test_others(self) -> None:
        """
        On another machine datagrams are returned one by one.
        """
        protocol = UDPEchoProtocol(clock())
        self.assertIs(portKind(protocol, True), BatchPort)
        self.assertIs(portKind(protocol, False), PacketInfoPort)


class BatchPortTests(SynchronousTestCase):
    """
    Tests for L{BatchPort}.
    """

    if not (PACKET_INFO and BATCHES):
        skip = "needs Linux on a 64-bit little-endian machine"

    client = name4("192.0.2.1", 40000)
    asked = control(info4(3, "192.0.2.9", "192.0.2.9"))
    answering = control(info4(0, "192.0.2.9", "192.0.2.9"))

    def listen(self, interface: str = "", rate: int = 0) -> None:
        """
        Listen on a fake socket.
        """
        self.system = System()

        class Port(BatchPort):
            systemCall = staticmethod(self.system.function)

        self.patch(udp.Port, "createInternetSocket", lambda port: FakeSocket())
        self.clock = clock()
        guard = DatagramGuard(rate=RateLimit(rate) if rate else None)
        self.protocol = UDPEchoProtocol(self.clock, guard)
        reactor: Any = MemoryReactorClock()
        self.port = Port(8080, self.protocol, interface, 65535, reactor)
        self.port.startListening()

    def receive(self, *datagrams: Sent) -> list[Sent]:
        """
        @return: What is sent when these have come.
        """
        self.system.sent.clear()
        self.system.queue += datagrams
        self.port.doRead()
        return self.system.sent

    def test_echo(self) -> None:
        """
        Datagrams come back from where they were sent to, at first sight and ever
        after, whatever their size, by whatever interface leads to the peer.
        """
        self.listen()
        questions = [(b"x" * size, self.client, self.asked) for size in (0, 5, 65507, 1)]
        answers = [(data, name, self.answering) for data, name, _ in questions]
        for _ in range(2):
            self.assertTrue(self.receive(*questions) == answers)
        self.assertEqual(self.protocol.answered, 8)
        self.assertEqual((self.protocol.received, self.protocol.returned), (131026, 131026))
        self.assertEqual(len(self.protocol.guard.unmetered), 1)

    def test_ipv6(self) -> None:
        """
        The same holds for IPv6.
        """
        self.listen("::")
        question = (b"x", name6("2001:db8::1", 40000, 0), control(info6("2001:db8::9", 3)))
        answer = (*question[:2], control(info6("2001:db8::9", 0)))
        for _ in range(2):
            self.assertEqual(self.receive(question), [answer])

    def test_linkLocal(self) -> None:
        """
        A link-local peer is answered through the interface that it was heard
        on, also together with others.
        """
        self.listen("::")
        local = (b"x", name6("fe80::1", 40000, 3), control(info6("fe80::9", 3)))
        other = (b"y", name6("2001:db8::1", 40000, 0), control(info6("2001:db8::9", 3)))
        for _ in range(2):
            sent = self.receive(local, other)
            self.assertEqual(sent, [local, (*other[:2], control(info6("2001:db8::9", 0)))])

    def test_noControl(self) -> None:
        """
        Without control messages an answer leaves as the system sees fit.
        """
        self.listen("127.0.0.1")
        question = (b"x", self.client, b"")
        for _ in range(2):
            self.assertEqual(self.receive(question), [question])

    def test_refusals(self) -> None:
        """
        What must not be answered is counted by reason, and all around it is
        answered.
        """
        self.listen()
        reserved = name4("192.0.2.1", 7)
        group = control(info4(3, "192.0.2.9", "192.0.2.255"))
        for _ in range(2):
            sent = self.receive(
                (b"1", self.client, self.asked),
                (b"22", reserved, self.asked),
                (b"3", reserved, self.asked),
                (b"4", self.client, self.asked),
                (b"5", self.client, group),
            )
            self.assertEqual([data for data, *_ in sent], [b"1", b"4"])
        self.assertEqual(self.protocol.refusals.counts, {RESERVED_PORT: 4, TO_GROUP: 2})
        self.assertEqual(self.protocol.answered, 4)
        self.assertEqual((self.protocol.received, self.protocol.returned), (12, 4))

    def test_sendErrors(self) -> None:
        """
        A datagram that cannot be sent costs none of the others.
        """
        self.listen()
        self.system.failures += [1, -errno.EAGAIN, 1, -errno.EMSGSIZE, 1]
        sent = self.receive(*[(b"%d" % i, self.client, self.asked) for i in range(6)])
        self.assertEqual([data for data, *_ in sent], [b"0", b"2", b"4", b"5"])
        self.assertEqual(self.protocol.refusals.counts, {SEND_BUFFER_FULL: 1, SEND_ERROR: 1})
        self.assertEqual((self.protocol.received, self.protocol.returned), (6, 4))

    def test_turn(self) -> None:
        """
        However many datagrams have come, one batch is a turn.
        """
        self.listen()
        sent = self.receive(*[(b"x", self.client, self.asked)] * (BATCH + 1))
        self.assertEqual(len(sent), BATCH)
        self.assertEqual(len(self.receive()), 1)
        self.assertEqual(self.receive(), [])

    def test_memory(self) -> None:
        """
        Forged sources cost no more memory than so many known ones.
        """
        self.listen()
        for number in range(KNOWN_HOSTS + 10):
            self.receive((b"x", name4("192.0.2.1", 1024 + number % 60000), self.asked))
            self.assertLessEqual(len(self.protocol.guard.unmetered), KNOWN_HOSTS)

    def test_rate(self) -> None:
        """
        A host is answered as often as the rate allows, from whatever ports it
        asks, and others beside it are.
        """
        self.listen(rate=2)
        clients = [name4("192.0.2.1", 40000 + number) for number in range(3)]
        other = name4("127.0.0.1", 40000)
        for _ in range(2):
            sent = self.receive(
                *[(b"x", name, self.asked) for name in (clients[0], other, *clients, other)]
            )
            self.assertEqual(
                [(name, info) for _, name, info in sent],
                [(name, self.answering) for name in (clients[0], other, clients[0], other)],
            )
            self.clock.advance(1)
        self.assertEqual(self.protocol.refusals.counts, {OVER_RATE: 4})

    def test_failure(self) -> None:
        """
        Should a decision fail, that costs the batch, and not the service.
        """
        self.listen()

        def fail(*_: object, **__: object) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        self.protocol.guard.refusal = fail  # type: ignore[method-assign]
        question = (b"x", self.client, self.asked)
        self.assertEqual(self.receive(question), [])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        del self.protocol.guard.refusal
        self.assertEqual(len(self.receive(question)), 1)
