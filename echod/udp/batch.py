"""
UDP echo in batches: up to 64 datagrams with one system call for receiving and one for
sending.

The L{DatagramGuard} decides about each datagram, as for single datagrams.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from echod.limits.networks import KNOWN_HOSTS
from echod.udp.buffers import BATCH, BATCHES, HEADER, MessageBuffers
from echod.udp.echo import UDPEchoProtocol
from echod.udp.guard import DatagramGuard
from echod.udp.options import asksForDestination
from echod.udp.pktinfo import PacketInfoPort

_log = Logger(namespace="echod.udp")


class SourceCache:
    """
    A cache of sources that were answered, by record: the system's bytes for the peer, the
    destination and the TTL.

    @ivar unlimited: Records without a rate limit: they are answered without the guard.

    @ivar limited: The hosts of the other records.
    """

    def __init__(self, guard: DatagramGuard) -> None:
        self.unlimited: set[bytes] = set()
        self.limited: dict[bytes, str] = {}
        self._guard = guard
        self._version = guard.version

    def __len__(self) -> int:
        """
        @return: The number of records.
        """
        return len(self.unlimited) + len(self.limited)

    def add(self, record: bytes, host: str) -> None:
        """
        Add a record that was answered.

        @param host: The literal address of its source.
        """
        if len(self) >= KNOWN_HOSTS:
            self._clear()
        if self._guard.isLimited(host):
            self.limited[record] = host
        else:
            self.unlimited.add(record)

    def refresh(self) -> None:
        """
        Clear the cache if the guard may decide differently now.
        """
        if self._version != self._guard.version:
            self._version = self._guard.version
            self._clear()

    def _clear(self) -> None:
        self.unlimited.clear()
        self.limited.clear()


_CALLS = {
    "recvmmsg": [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p],
    "sendmmsg": [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int],
}
"""
The functions of the C library, with the types of their arguments.
"""

SystemCall = Callable[[str], Callable[..., int]]


def _function(name: str) -> Callable[..., int]:
    function: Callable[..., int] = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.argtypes = _CALLS[name]  # type: ignore[attr-defined]
    return function


def missingCalls(systemCall: SystemCall = _function) -> list[str]:
    """
    @param systemCall: Finds one of these functions.

    @return: The names of the functions that the system lacks.
    """
    missing = []
    for name, types in _CALLS.items():
        try:
            result = systemCall(name)(*(-1, None, 0, 0, None)[: len(types)])
        except AttributeError:
            # The C library lacks it.
            missing.append(name)
        else:
            # The kernel may lack it, or a container may forbid it.  Otherwise it finds
            # that -1 is no socket, or that there are no datagrams.
            if result < 0 and ctypes.get_errno() != errno.EBADF:
                missing.append(name)
    return missing


MISSING_CALLS = missingCalls() if BATCHES else []


class BatchPort(PacketInfoPort):
    """
    A UDP port that returns datagrams in batches.

    @cvar systemCall: Finds a function of the C library by its name.

    @ivar cache: The sources that were answered.
    """

    protocol: UDPEchoProtocol

    systemCall = staticmethod(_function)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cache = SourceCache(self.protocol.guard)

    def startListening(self) -> None:
        """
        Start to listen.
        """
        self._recvmmsg = self.systemCall("recvmmsg")
        self._sendmmsg = self.systemCall("sendmmsg")
        super().startListening()
        self._buffers = MessageBuffers(self.addressFamily, asksForDestination(self.socket))

    def doRead(self) -> None:
        """
        Return the datagrams that have arrived, at most one batch.
        """
        buffers = self._buffers
        count = self._recvmmsg(self.fileno(), buffers.address, BATCH, socket.MSG_DONTWAIT, None)
        if count <= 0:
            # As in PacketInfoPort: the queue is empty, or an earlier answer failed.
            return
        self.protocol.received += buffers.setSizes(count)
        records = buffers.records(count)
        try:
            self.cache.refresh()
            if self.cache.unlimited.issuperset(records):
                buffers.prepareAnswers(count)
                self._send(0, count)
            else:
                self._answer(records)
        except Exception:
            # If this escaped, the reactor would close the port.
            _log.failure("{protocol!r} failed on datagrams", protocol=self.protocol)
        buffers.reset(count)

    def _answer(self, records: tuple[bytes, ...]) -> None:
        """
        Decide about each datagram, and send the answers between two refusals at once.
        """
        now = self.protocol.reactor.seconds()
        start = 0
        for index, record in enumerate(records):
            reason = self._refusal(index, record, now)
            if reason is not None:
                source, _ = self._buffers.source(index)
                self.protocol.refuse(reason, source, self._buffers.size(index))
                self._send(start, index)
                start = index + 1
        self._send(start, len(records))

    def _refusal(self, index: int, record: bytes, now: float) -> str | None:
        cache, guard = self.cache, self.protocol.guard
        if record in cache.unlimited:
            self._buffers.prepareAnswer(index)
            return None
        host = cache.limited.get(record)
        if host is not None:
            self._buffers.prepareAnswer(index)
            return guard.overRate(host, now)
        source, plain = self._buffers.source(index)
        reason = guard.refusal(*source, source.toGroup, source.ttl, now=now)
        if reason is None and plain:
            cache.add(record, source[0])
        return reason

    def _send(self, index: int, end: int) -> None:
        """
        Send the answers from one index to another.
        """
        while index < end:
            sent = self._sendmmsg(
                self.fileno(),
                self._buffers.address + index * HEADER.size,
                end - index,
                socket.MSG_DONTWAIT,
            )
            if sent > 0:
                self.protocol.answered += sent
                index += sent
            else:
                # The call stops at a datagram that it cannot send, and returns the
                # error only if this is the first one.
                number = ctypes.get_errno()
                source, _ = self._buffers.source(index)
                self.protocol.sendFailed(
                    OSError(number, os.strerror(number)), source, self._buffers.size(index)
                )
                index += 1
