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
from itertools import permutations
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.limits.networks import KNOWN_HOSTS
from echod.limits.ratelimit import RateLimit
from echod.udp.batch import BatchPort, missingCalls
from echod.udp.buffers import BATCH, BATCHES, BUFFER, suits
from echod.udp.echo import SEND_BUFFER_FULL, SEND_ERROR, UDPEchoProtocol
from echod.udp.guard import (
    ANSWER,
    ANSWER_TTL,
    OVER_RATE,
    OWN_PORT,
    RESERVED_PORT,
    TO_GROUP,
    DatagramGuard,
)
from echod.udp.pktinfo import IPV6_HOPLIMIT
from tests.support import clock
from tests.support.udp import MemorySocketPort, info4, info6

Sent = tuple[bytes, bytes, bytes]
"""
A datagram, the peer's socket address, and the control messages.
"""


class MessageHeader(ctypes.Structure):
    """
    C{struct mmsghdr}.
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
    @return: The bytes of a control message in memory.
    """
    level, kind, data = message
    length = socket.CMSG_LEN(len(data))
    return struct.pack("@Nii", length, level, kind).ljust(16) + data


def padded(message: bytes) -> bytes:
    """
    @return: A control message that another one can follow.
    """
    return message.ljust(-(-len(message) // 8) * 8, b"\0")


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

    @ivar queue: The datagrams that have arrived.

    @ivar sent: The datagrams that were sent.

    @ivar failures: The results of the next calls of C{sendmmsg}: a negative error
        number, or how many datagrams it sends.
    """

    def __init__(self) -> None:
        self.queue: list[Sent] = []
        self.sent: list[Sent] = []
        self.failures: list[int] = []

    def function(self, name: str) -> Callable[..., int]:
        """
        @return: One of the methods.
        """
        return getattr(self, name)  # type: ignore[no-any-return]

    def recvmmsg(self, fd: int, address: int, count: int, flags: int, timeout: None) -> int:
        """
        Take datagrams from the queue.
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
            header.controlLength = len(padded(info))
            header.received = len(data)
        return len(taken) or -1

    def sendmmsg(self, fd: int, address: int, count: int, flags: int) -> int:
        """
        Record datagrams.
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
    Batches need a machine with the expected memory layout.
    """

    def test_suits(self) -> None:
        """
        A machine needs words of 64 bits, lowest byte first.
        """
        for pointer, order, suited in (
            (8, "little", True),
            (4, "little", False),
            (8, "big", False),
            (4, "big", False),
        ):
            self.assertEqual(suits(pointer, order), suited, (pointer, order))


class MissingCallsTests(SynchronousTestCase):
    """
    Tests for L{missingCalls}.
    """

    def missing(self, result: int, error: int = 0) -> list[str]:
        """
        @return: The missing functions if each call has this result and this error.
        """

        def call(*arguments: object) -> int:
            ctypes.set_errno(error)
            return result

        return missingCalls(lambda name: call)

    def test_here(self) -> None:
        """
        This system has both functions.
        """
        self.assertEqual(missingCalls(), [])

    if not BATCHES:
        test_here.skip = "needs Linux"  # type: ignore[attr-defined]

    def test_kernel(self) -> None:
        """
        A function is missing if the kernel lacks it, or if a container forbids it.
        """
        both = ["recvmmsg", "sendmmsg"]
        self.assertEqual(self.missing(-1, errno.ENOSYS), both)
        self.assertEqual(self.missing(-1, errno.EPERM), both)
        self.assertEqual(self.missing(-1, errno.EBADF), [])
        self.assertEqual(self.missing(0), [])

    def test_library(self) -> None:
        """
        A function is missing if the C library lacks it.
        """

        def lacking(name: str) -> Callable[..., int]:
            raise AttributeError(name)

        self.assertEqual(missingCalls(lacking), ["recvmmsg", "sendmmsg"])


class Port(BatchPort, MemorySocketPort):
    """
    The port, on a socket in memory.
    """


class FailingGuard(DatagramGuard):
    """
    A guard that fails once.
    """

    failed = False

    def refusal(self, *arguments: Any, **options: Any) -> str | None:
        """
        Fail, or decide.
        """
        if not self.failed:
            self.failed = True
            raise OSError(errno.EMFILE, "Too many open files")
        return super().refusal(*arguments, **options)


class BatchPortTests(SynchronousTestCase):
    """
    Tests for L{BatchPort}.
    """

    if not BATCHES:
        skip = "needs Linux on a 64-bit little-endian machine"

    client = name4("192.0.2.1", 40000)
    asked = control(info4(3, "192.0.2.9", "192.0.2.9"))
    answering = control(info4(0, "192.0.2.9", "192.0.2.9"))

    def listen(self, interface: str = "", guard: DatagramGuard | None = None) -> None:
        """
        Listen on a socket in memory.
        """
        self.system = System()
        self.clock = clock()
        self.protocol = UDPEchoProtocol(self.clock, guard)
        reactor: Any = MemoryReactorClock()
        self.port = Port(8080, self.protocol, interface, 65535, reactor)
        self.port.systemCall = self.system.function
        self.port.startListening()

    def receive(self, *datagrams: Sent) -> list[Sent]:
        """
        @return: The answers when these datagrams have arrived.
        """
        self.system.sent.clear()
        self.system.queue += datagrams
        self.port.doRead()
        return self.system.sent

    def test_echo(self) -> None:
        """
        Datagrams of every size are returned from the address to which they were sent,
        the first one of a source and later ones; the routing table chooses the interface.
        """
        self.listen()
        questions = [(b"x" * size, self.client, self.asked) for size in (0, 5, 65507, 1)]
        answers = [(data, name, self.answering) for data, name, _ in questions]
        for _ in range(2):
            self.assertTrue(self.receive(*questions) == answers)
        self.assertEqual(self.protocol.answered, 8)
        self.assertEqual((self.protocol.received, self.protocol.returned), (131026, 131026))

    def test_ipv6(self) -> None:
        """
        Datagrams are returned with IPv6 as with IPv4.
        """
        self.listen("::")
        question = (b"x", name6("2001:db8::1", 40000, 0), control(info6("2001:db8::9", 3)))
        answer = (*question[:2], control(info6("2001:db8::9", 0)))
        for _ in range(2):
            self.assertEqual(self.receive(question), [answer])

    def test_linkLocal(self) -> None:
        """
        A link-local peer is answered through the interface of its datagram, also in a
        batch with other peers.
        """
        self.listen("::")
        local = (b"x", name6("fe80::1", 40000, 3), control(info6("fe80::9", 3)))
        other = (b"y", name6("2001:db8::1", 40000, 0), control(info6("2001:db8::9", 3)))
        for _ in range(2):
            sent = self.receive(local, other)
            self.assertEqual(sent, [local, (*other[:2], control(info6("2001:db8::9", 0)))])

    def test_noControl(self) -> None:
        """
        Without control messages the system chooses the address of the answer.
        """
        self.listen("127.0.0.1")
        question = (b"x", self.client, b"")
        for _ in range(2):
            self.assertEqual(self.receive(question), [question])

    def test_ttl(self) -> None:
        """
        The TTL of each datagram is read: the answer of another echod is refused, also if
        its source has been answered.  An answer has no TTL among its control messages.
        """
        for interface, name, destination, answered, kind in (
            (
                "",
                self.client,
                padded(self.asked),
                self.answering,
                (socket.IPPROTO_IP, socket.IP_TTL),
            ),
            ("127.0.0.1", self.client, b"", b"", (socket.IPPROTO_IP, socket.IP_TTL)),
            (
                "::",
                name6("2001:db8::1", 40000, 0),
                padded(control(info6("2001:db8::9", 3))),
                control(info6("2001:db8::9", 0)),
                (socket.IPPROTO_IPV6, IPV6_HOPLIMIT),
            ),
        ):
            self.listen(interface)
            question, answer = (
                (b"x", name, destination + control((*kind, struct.pack("@i", ttl))))
                for ttl in (64, ANSWER_TTL)
            )
            for _ in range(3):
                self.assertEqual(
                    self.receive(question, answer, question), [(b"x", name, answered)] * 2
                )
            self.assertEqual(self.protocol.refusals.counts, {ANSWER: 3})
            self.assertEqual(len(self.port.cache), 1)

    def test_otherControl(self) -> None:
        """
        Control messages that the port has not asked for, which an inherited socket may
        receive, change nothing, wherever they are.
        """
        asked = padded(self.asked)
        for size in (8, 16):
            other = padded(control((socket.SOL_SOCKET, 29, bytes(size))))
            for order in permutations(range(3)):
                self.listen()
                for ttl, answers in (
                    (64, [(b"x", self.client, self.answering)] * 2),
                    (ANSWER_TTL, []),
                ):
                    message = control(
                        (socket.IPPROTO_IP, socket.IP_TTL, struct.pack("@i", ttl))
                    )
                    parts = (other, asked, padded(message))
                    question = (b"x", self.client, b"".join(parts[place] for place in order))
                    self.assertEqual(self.receive(question, question), answers)

    def test_refusals(self) -> None:
        """
        Refused datagrams are counted by reason, and the others of the batch are
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
        An answer that cannot be sent does not stop the others.
        """
        self.listen()
        self.system.failures += [1, -errno.EAGAIN, 1, -errno.EMSGSIZE, 1]
        sent = self.receive(*[(b"%d" % i, self.client, self.asked) for i in range(6)])
        self.assertEqual([data for data, *_ in sent], [b"0", b"2", b"4", b"5"])
        self.assertEqual(self.protocol.refusals.counts, {SEND_BUFFER_FULL: 1, SEND_ERROR: 1})
        self.assertEqual((self.protocol.received, self.protocol.returned), (6, 4))

    def test_turn(self) -> None:
        """
        At most one batch is read in one turn of the reactor.
        """
        self.listen()
        sent = self.receive(*[(b"x", self.client, self.asked)] * (BATCH + 1))
        self.assertEqual(len(sent), BATCH)
        self.assertEqual(len(self.receive()), 1)
        self.assertEqual(self.receive(), [])

    def test_memory(self) -> None:
        """
        The caches of sources stay small under a flood of forged sources, and known
        sources are answered during it.
        """
        for rate in (None, RateLimit(1_000_000)):
            self.listen(guard=DatagramGuard(rate=rate))
            for number in range(KNOWN_HOSTS + 10):
                forged = name4("192.0.2.1", 1024 + number)
                self.assertEqual(len(self.receive((b"x", forged, self.asked))), 1)
                self.assertLessEqual(len(self.port.cache), KNOWN_HOSTS)

    def test_openedPort(self) -> None:
        """
        A known source is refused when a server of this process opens its port.
        """
        for rate in (None, RateLimit(100)):
            self.listen(guard=DatagramGuard(rate=rate))
            question = (b"x", self.client, self.asked)
            self.assertEqual(len(self.receive(question)), 1)
            self.protocol.guard.opened(40000)
            self.assertEqual(self.receive(question), [])
            self.assertEqual(self.protocol.refusals.counts, {OWN_PORT: 1})

    def test_rate(self) -> None:
        """
        A host is answered as often as the rate allows, for all its ports together; other
        hosts are answered all the same.
        """
        self.listen(guard=DatagramGuard(rate=RateLimit(2)))
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
        A decision that fails costs its batch, and the port goes on.
        """
        self.listen(guard=FailingGuard())
        question = (b"x", self.client, self.asked)
        self.assertEqual(self.receive(question), [])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(len(self.receive(question)), 1)
