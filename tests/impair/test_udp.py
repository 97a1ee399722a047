"""
Tests for L{echod.impair.udp}.
"""

from __future__ import annotations

import socket
import tracemalloc
from collections import Counter
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.impair.items import DATAGRAM_KINDS
from echod.impair.model import DatagramFaults
from echod.impair.spec import DatagramImpairments
from echod.impair.udp import (
    HELD_OVERHEAD,
    OVERFLOW,
    OVERHEAD,
    OVERTAKEN_WITHIN,
    ROOM,
    ImpairedUDPEchoProtocol,
)
from echod.udp.guard import OWN_PORT
from echod.udp.pktinfo import SourceAddress
from tests.extended import badpath
from tests.support import clock, logged
from tests.support.numbered import Numbered
from tests.support.udp import MemoryDatagramTransport

NUMBER = 2000
"""
How many datagrams these tests compare; L{tests.extended.badpath} compares many more.
"""

PEER = ("192.0.2.1", 40000)

OTHER = ("192.0.2.2", 40000)

SEEDS_TRIED = 10_000
"""
How many seeds are tried: a test fails, and does not hang, if no seed draws the faults
that it needs.
"""


def seeded(
    impairments: DatagramImpairments, kinds: tuple[str | None, ...]
) -> DatagramImpairments:
    """
    @return: The same impairments with a seed that draws these faults first.
    """

    def drawn(candidate: DatagramImpairments) -> tuple[str | None, ...]:
        faults = DatagramFaults(candidate)
        return tuple(faults.next()[0] for _ in kinds)

    candidates = (replace(impairments, seed=seed) for seed in range(SEEDS_TRIED))
    return next(candidate for candidate in candidates if drawn(candidate) == kinds)


def longAddress(number: int) -> SourceAddress:
    """
    @return: A source of a port on a wildcard address, with objects of its own.
    """
    host = f"2001:db8:1111:2222:3333:4444:5555:{number + 0x1000:x}"
    source = SourceAddress((host, number + 1024))
    source.sockaddr = (host, number + 1024, 0, 0)
    source.control = [(socket.IPPROTO_IPV6, number + 1024, b"%20d" % number)]
    source.toGroup = False
    return source


class ImpairedUDPEchoTests(SynchronousTestCase):
    """
    Tests for L{ImpairedUDPEchoProtocol}.
    """

    def start(
        self, specification: str, *kinds: str | None, room: int = ROOM
    ) -> ImpairedUDPEchoProtocol:
        """
        @param kinds: The faults of the first datagrams: the seed gives these.

        @return: A protocol that listens.
        """
        self.clock = clock()
        impairments = DatagramImpairments.parse(specification)
        if kinds:
            impairments = seeded(impairments, kinds)
        self.protocol = ImpairedUDPEchoProtocol(self.clock, impairments=impairments, room=room)
        transport: Any = MemoryDatagramTransport()
        self.transport = transport
        self.protocol.makeConnection(transport)
        return self.protocol

    def send(self, *datagrams: bytes, peer: tuple[str, int] = PEER) -> list[bytes]:
        """
        @return: The datagrams returned at once.
        """
        for datagram in datagrams:
            self.protocol.datagramReceived(datagram, peer)
        return self.returned()

    def returned(self) -> list[bytes]:
        """
        @return: The datagrams returned since the last call.
        """
        sent, self.transport.sent = self.transport.sent, []
        return [datagram for datagram, _ in sent]

    def test_nothing(self) -> None:
        """
        A datagram without a fault comes back unchanged, at once.
        """
        self.start("drop=0%")
        self.assertEqual(self.send(b"a", b"", b"c"), [b"a", b"", b"c"])
        self.assertEqual(self.protocol.impaired, {})

    def test_drop(self) -> None:
        """
        A dropped datagram does not come back, and counts as dropped only.
        """
        self.start("drop=100%")
        self.assertEqual(self.send(b"a", b"b"), [])
        self.assertEqual(self.protocol.impaired, {"drop": 2})
        self.assertEqual((self.protocol.answered, self.protocol.refusals.counts), (0, {}))

    def test_duplicate(self) -> None:
        """
        A duplicated datagram comes back twice.
        """
        self.start("duplicate=100%")
        self.assertEqual(self.send(b"a", b"b"), [b"a", b"a", b"b", b"b"])
        self.assertEqual(self.protocol.impaired, {"duplicate": 2})

    def test_corrupt(self) -> None:
        """
        A corrupted datagram comes back with one bit changed; an empty datagram has no bit.
        """
        self.start("corrupt=100%")
        (returned,) = self.send(b"\0" * 100)
        self.assertEqual((len(returned), returned.count(0)), (100, 99))
        self.assertEqual(sum(returned).bit_count(), 1)
        self.assertEqual(self.send(b""), [b""])
        self.assertEqual(self.protocol.impaired, {"corrupt": 1})

    def test_truncate(self) -> None:
        """
        A truncated datagram comes back without its end.
        """
        self.start("truncate=100%")
        (returned,) = self.send(b"abcdefgh")
        self.assertTrue(b"abcdefgh".startswith(returned) and len(returned) < 8)
        self.assertEqual(self.protocol.impaired, {"truncate": 1})

    def reorder(self) -> None:
        """
        Start, and hold the first datagram only.
        """
        self.start("reorder=50%", "reorder", None, None)
        self.assertEqual(self.send(b"a"), [])

    def test_reorder(self) -> None:
        """
        A reordered datagram comes back after a later one.
        """
        self.reorder()
        self.assertEqual(self.send(b"b", b"c"), [b"b", b"a", b"c"])
        self.assertEqual(self.protocol.impaired, {"reorder": 1})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_reorderSeveral(self) -> None:
        """
        Several reordered datagrams come back after the next one that is not reordered.
        """
        self.start("reorder=50%", "reorder", "reorder", None)
        self.assertEqual(self.send(b"a", b"b", b"c"), [b"c", b"a", b"b"])
        self.assertEqual(self.protocol.impaired, {"reorder": 2})

    def test_overtakenByItsOwn(self) -> None:
        """
        Only a datagram of the same source overtakes a reordered one.
        """
        self.reorder()
        self.assertEqual(self.send(b"b", peer=OTHER), [b"b"])
        self.assertEqual(self.send(b"c"), [b"c", b"a"])

    def test_overtakenByWhole(self) -> None:
        """
        A damaged datagram overtakes no other: a client could not recognize it.
        """
        self.start("reorder=40%,corrupt=40%", "reorder", "corrupt", None)
        damaged, *rest = self.send(b"a", b"b", b"c")
        self.assertNotEqual(damaged, b"b")
        self.assertEqual(rest, [b"c", b"a"])
        self.assertEqual(self.protocol.impaired, {"corrupt": 1, "reorder": 1})

    def test_notOvertaken(self) -> None:
        """
        A held datagram that nothing overtakes comes back late, in order, and is not counted.
        """
        self.reorder()
        self.clock.advance(OVERTAKEN_WITHIN - 0.01)
        self.assertEqual(self.returned(), [])
        self.clock.advance(0.01)
        self.assertEqual(self.returned(), [b"a"])
        self.assertEqual(self.protocol.impaired, {})

    def test_delay(self) -> None:
        """
        Delayed datagrams come back later, in order.
        """
        self.start("delay=50ms")
        self.assertEqual(self.send(b"a"), [])
        self.clock.advance(0.02)
        self.assertEqual(self.send(b"b"), [])
        self.clock.advance(0.03)
        self.assertEqual(self.returned(), [b"a"])
        self.clock.advance(0.02)
        self.assertEqual(self.returned(), [b"b"])
        self.assertEqual(self.protocol.impaired, {"delay": 2})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_jitterKeepsOrder(self) -> None:
        """
        Jitter does not change the order of the datagrams.
        """
        self.start("delay=50ms,jitter=50ms")
        datagrams = [bytes([number]) for number in range(100)]
        self.send(*datagrams)
        self.clock.pump([0.01] * 11)
        self.assertEqual(self.returned(), datagrams)

    def test_bounded(self) -> None:
        """
        A datagram for which there is no room is lost, and counted.
        """
        self.start("delay=50ms", room=2 * OVERHEAD + 400)
        self.send(b"a" * 100, b"b" * 300, b"c" * 600, b"")
        self.clock.advance(0.05)
        self.assertEqual(self.returned(), [b"a" * 100, b"b" * 300])
        self.assertEqual(self.protocol.impaired, {"delay": 2, OVERFLOW: 2})

    def test_boundedHolding(self) -> None:
        """
        A datagram that cannot be held for lack of room comes back in order.
        """
        self.start("reorder=100%", room=HELD_OVERHEAD + 500)
        self.assertEqual(self.send(b"a" * 500, b"b" * 500), [b"b" * 500, b"a" * 500])

    def test_memory(self) -> None:
        """
        Waiting datagrams do not need more memory than the room, even if they are short
        and each comes from another source.
        """
        room = 1 << 20
        for kind in ("delay=1s", "reorder=100%,delay=1s"):
            self.start(kind, room=room)
            tracemalloc.start()
            self.addCleanup(tracemalloc.stop)
            for number in range(room // OVERHEAD * 2):
                self.protocol.datagramReceived(b"%d" % number, longAddress(number))
            needed, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            self.assertLess(needed, room)
            self.assertGreater(needed, room / 2)
            self.assertGreater(self.protocol.impaired[OVERFLOW], 0)
            self.protocol.stopProtocol()

    def test_roomAgain(self) -> None:
        """
        A datagram that is not held any more leaves its room to the next one.
        """
        self.start("reorder=50%", *["reorder", None] * 3, room=HELD_OVERHEAD + 500)
        for _ in range(3):
            self.assertEqual(self.send(b"a" * 500, b"b"), [b"b", b"a" * 500])

    def test_guarded(self) -> None:
        """
        A source that echod refuses gets no answer to duplicates either.
        """
        self.start("duplicate=100%")
        self.assertEqual(self.send(b"a", peer=("192.0.2.1", 8080)), [])
        self.assertEqual(self.protocol.refusals.counts, {OWN_PORT: 2})
        self.protocol.stopProtocol()

    def test_drain(self) -> None:
        """
        A stop lets the waiting datagrams arrive, and leaves no timer.
        """
        self.start("delay=50ms,reorder=50%", "reorder", None)
        self.send(b"a")
        self.send(b"b", peer=OTHER)
        self.successResultOf(self.protocol.drain())
        self.protocol.stopProtocol()
        self.assertEqual(self.returned(), [b"b", b"a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """
        When the port is closed, the waiting datagrams are lost.
        """
        self.start("delay=50ms,reorder=50%", "reorder", None)
        self.send(b"a")
        self.send(b"b", peer=OTHER)
        self.protocol.stopProtocol()
        self.assertEqual((self.returned(), self.clock.getDelayedCalls()), ([], []))

    def test_log(self) -> None:
        """
        The log has a warning with the seed at the start, and the counts at the end.
        """
        with logged() as lines:
            self.start("drop=100%,seed=7")
            self.send(b"a", b"b")
            self.protocol.stopProtocol()
        self.assertEqual(
            lines,
            [
                "UDP echo: IMPAIRED ON PURPOSE: drop=100%,seed=7",
                "UDP echo: impaired on purpose; drop: 2",
            ],
        )

    def test_logNothing(self) -> None:
        """
        The log says at the end if nothing was impaired.
        """
        self.start("drop=1%")
        with logged() as lines:
            self.protocol.stopProtocol()
        self.assertEqual(lines, ["UDP echo: impaired on purpose; nothing"])

    def conversation(self, seed: int) -> list[bytes]:
        """
        @return: The datagrams returned for a hundred datagrams.
        """
        self.start(
            "drop=10%,duplicate=10%,reorder=10%,corrupt=10%,truncate=10%,"
            f"delay=5ms,jitter=1ms,seed={seed}"
        )
        self.send(*(b"%03d" % number * 10 for number in range(100)))
        self.clock.pump([0.001] * 10)
        return self.returned()

    def test_seed(self) -> None:
        """
        The same seed gives the same bytes on the wire; another seed does not.
        """
        self.assertEqual(self.conversation(7), self.conversation(7))
        self.assertNotEqual(self.conversation(7), self.conversation(8))

    def test_seenAndDone(self) -> None:
        """
        A client sees exactly the losses, duplicates, damages and reorderings that are counted.
        """
        self.start("drop=5%,duplicate=5%,reorder=5%,corrupt=5%,truncate=5%,seed=7")
        client = Numbered(size=64)
        for _ in range(2000):
            for answer in self.send(client.next()):
                client.received(answer)
        self.protocol.drain()
        for answer in self.returned():
            client.received(answer)
        self.assertEqual(client.seen(), self.protocol.impaired)
        self.assertEqual(set(client.seen()), set(DATAGRAM_KINDS))


class NumberedTests(SynchronousTestCase):
    """
    Tests for the client that counts what happened to its datagrams.
    """

    def test_seen(self) -> None:
        """
        The client counts the fault of each datagram.
        """
        client = Numbered(size=32)
        first, second, third, fourth, fifth = (client.next() for _ in range(5))
        for answer in (second, first, first, third[:-1], fourth[:-1] + b"?"):
            client.received(answer)
        self.assertEqual(
            client.seen(),
            Counter(reorder=1, duplicate=1, truncate=1, corrupt=1, drop=1),
        )
        self.assertEqual(len(fifth), 32)


class RealTests(SynchronousTestCase):
    """
    A real daemon, and a real client.
    """

    def test_seenAndDone(self) -> None:
        """
        A client of a real daemon sees exactly the faults that the daemon has counted, within
        the limits of their probabilities.
        """
        done = badpath.run(NUMBER)
        self.assertEqual(done.seen, badpath.counted(done.done))
        self.assertEqual(badpath.unlikely(done.seen, NUMBER), [])
