"""
The search for the probe that an answer belongs to, and for the first byte that differs.
"""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from echod.client.ping.tracking.history import History, Sent
from echod.client.ping.tracking.probe import HEADER_SIZE, Probes

CLOSE = 8
"""
The number of bits, of 128, in which a damaged header may differ from the header of its
probe: one byte.  The headers of two probes differ in more, because their checksums differ
in eight bits at least (Koopman, "32-bit cyclic redundancy codes for Internet applications").
"""


class Match(NamedTuple):
    """
    @ivar sequence: The number of the probe.

    @ivar probe: The probe; L{None} if it is forgotten.

    @ivar at: The index of the first byte that differs; L{None} if the answer is intact.
    """

    sequence: int
    probe: Sent | None
    at: int | None = None


def match(data: bytes, probes: Probes, history: History) -> Match | None:
    """
    @return: The probe that the data belongs to; L{None} if it resembles none.
    """
    sequence = _intact(data, probes, history)
    if sequence is not None:
        return Match(sequence, history.get(sequence))
    find = _findShort if len(data) < HEADER_SIZE else _find
    probe = find(data, probes, history)
    if probe is None:
        return None
    return Match(probe.sequence, probe, _firstDifference(data, probes.encode(*probe[:2])))


def _intact(data: bytes, probes: Probes, history: History) -> int | None:
    if len(data) >= HEADER_SIZE:
        sequence = probes.decode(data)
        return None if sequence is None or sequence >= history.attempted else sequence
    # The numbers of short probes repeat: first look at the probes without an answer.
    for sequence, size, _ in chain(history.waiting(), history.lost(), history.known()):
        if size == len(data) and probes.encode(sequence, size) == data:
            return sequence
    return None


def _find(data: bytes, probes: Probes, history: History) -> Sent | None:
    def difference(probe: Sent) -> int:
        header = probes.encode(probe.sequence, probe.size)[:HEADER_SIZE]
        one, other = int.from_bytes(header, "big"), int.from_bytes(data[:HEADER_SIZE], "big")
        return (one ^ other).bit_count()

    claimed = history.get(int.from_bytes(data[:8], "big"))
    if claimed and not difference(claimed):
        return claimed
    best = min(history.known(), key=difference, default=None)
    return best if best and difference(best) <= CLOSE else None


def _findShort(data: bytes, probes: Probes, history: History) -> Sent | None:
    waiting = list(history.waiting())
    for probe in waiting:
        if probes.encode(probe.sequence, probe.size).startswith(data):
            return probe
    return next((probe for probe in waiting if probe.size == len(data)), None)


def _firstDifference(data: bytes, expected: bytes) -> int:
    pairs = enumerate(zip(data, expected, strict=False))
    common = min(len(data), len(expected))
    return next((at for at, (one, other) in pairs if one != other), common)
