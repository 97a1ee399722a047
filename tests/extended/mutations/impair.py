"""
Mutations of L{echod.impair}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

CONNECTION = "echod/impair/connection.py"
MODEL = "echod/impair/model.py"
SPEC = "echod/impair/spec.py"
STREAM = "echod/impair/stream.py"
UDP = "echod/impair/udp.py"

_TESTS = "tests/impair"
_TCP = "tests/impair/test_tcp.py"
_UDP = "tests/impair/test_udp.py"

MUTATIONS = [
    Mutation(SPEC, " > 1 + ROUNDING", " > 1", _TESTS),
    Mutation(
        STREAM, "max(1, int(self._rate * RATE_TICK))", "int(self._rate * RATE_TICK)", _TCP
    ),
    Mutation(STREAM, "number / self._rate", "RATE_TICK", _TCP),
    Mutation(STREAM, "max(self._free, now - RATE_TICK)", "now", _TCP),
    Mutation(STREAM, " and left <= MESSAGE", "", _TCP),
    Mutation(STREAM, "        self.unsent -= len(piece)\n", "", _TCP),
    Mutation(STREAM, 'number, "pieces"', '"pieces"', _TCP),
    Mutation(CONNECTION, "<= ROOM / 2", "<= ROOM", _TCP),
    Mutation(CONNECTION, "delayed.size > ROOM", "delayed.size >= ROOM", _TCP),
    Mutation(CONNECTION, "            self.transport.unregisterProducer()\n", "", _TCP),
    Mutation(
        CONNECTION, "innermost(self.transport)", "self.transport", "tests/tcp/test_tls.py"
    ),
    Mutation(MODEL, "(impairments.seed, *purpose)", "purpose", _TESTS),
    Mutation(MODEL, "max(self._last, now + ", "max(now, now + ", _TESTS),
    Mutation(UDP, "callLater(OVERTAKEN_WITHIN, ", "callLater(9 * OVERTAKEN_WITHIN, ", _UDP),
    Mutation(UDP, "and (overtaken := self._letGo(addr))", "and (overtaken := 0)", _UDP),
    Mutation(UDP, "            self._holding -= len(datagram) + HELD_OVERHEAD\n", "", _UDP),
    Mutation(UDP, "\nOVERHEAD = 1280", "\nOVERHEAD = 256", _UDP),
    Mutation(UDP, "HELD_OVERHEAD = 2048", "HELD_OVERHEAD = 1024", _UDP),
]
