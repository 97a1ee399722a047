"""
UDP echo in batches: up to 64 datagrams with one system call each way.

C{recvmmsg} fills, and C{sendmmsg} sends out of, one set of buffers: payload,
peer address and control messages (which make the answer leave from the address
that was asked, see L{echod.udp.pktinfo}) stay where they are.  No Python object is
made of a payload, and what is done for each datagram is done for all at once,
by strided copies within the memory that the system calls work on.

What is decided, and how often, is the same as for single datagrams: by
L{UDPEchoProtocol.refusal<echod.udp.echo.UDPEchoProtocol.refusal>}.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any, Literal

from twisted.logger import Logger

from echod.udp.pktinfo import (
    DATAGRAMS_A_TURN,
    PACKET_INFOS,
    PacketInfoPort,
    SourceAddress,
    answering,
)

if TYPE_CHECKING:
    from echod.udp.echo import UDPEchoProtocol

_log = Logger(namespace="echod.udp")

BATCH = DATAGRAMS_A_TURN
"""
How many datagrams are taken at once, and in one turn of the reactor.
"""

BUFFER = 1 << 16
"""
Room for one datagram: the largest there is has 65,507 bytes, or 65,527 on IPv6.
"""


def suits(pointer: int, byteOrder: str) -> bool:
    """
    @param pointer: The size of a pointer of the machine, in bytes.

    @param byteOrder: C{little} or C{big}.

    @return: Whether L{Batch} is right for the machine: it writes each field of the
        system's structures as a word of eight bytes, lowest byte first.
    """
    return pointer == 8 and byteOrder == "little"


BATCHES = suits(struct.calcsize("@P"), sys.byteorder)
"""
Whether this machine can return datagrams in batches.
"""

_NAME_LENGTHS = {socket.AF_INET: 16, socket.AF_INET6: 28}
_CONTROL_LENGTHS = {
    family: socket.CMSG_SPACE(info.size) for family, info in PACKET_INFOS.items()
}
_INTERFACES = {socket.AF_INET: 16, socket.AF_INET6: 32}
"""
Where in the control messages the interface is.
"""

# struct mmsghdr, in words of eight bytes: name, its length, iovec, its length,
# control, its length, flags, and the number of bytes received.
_HEADER = struct.Struct("@PI4xPNPNi4xI4x")
_WORDS = _HEADER.size // 8
_NAME_LENGTH, _CONTROL_LENGTH, _RECEIVED = 1, 5, 7


class Batch:
    """
    The memory of C{recvmmsg} and C{sendmmsg}.
    """

    def __init__(self, family: socket.AddressFamily) -> None:
        name, control = _NAME_LENGTHS[family], _CONTROL_LENGTHS[family]
        # struct sockaddr_in or sockaddr_in6, then the control messages: together
        # they say who asked whom.
        self._nameSpace = -(-name // 8) * 8
        self._record = self._nameSpace + control
        self.payload = ctypes.create_string_buffer(BATCH * BUFFER)
        self._records = ctypes.create_string_buffer(BATCH * self._record)
        self._vectors = (ctypes.c_uint64 * (2 * BATCH))()
        self._headers = (ctypes.c_uint64 * (_WORDS * BATCH))()
        self.address = ctypes.addressof(self._headers)
        self._memory = memoryview(self._records).cast("B")
        self._partiesOf = [
            struct.Struct(f"{self._record}s" * count).unpack_from for count in range(BATCH + 1)
        ]
        vectors = memoryview(self._vectors).cast("B").cast("Q")
        headers = memoryview(self._headers).cast("B").cast("Q")
        for i in range(BATCH):
            vectors[2 * i] = ctypes.addressof(self.payload) + i * BUFFER
            record = ctypes.addressof(self._records) + i * self._record
            _HEADER.pack_into(
                self._headers,
                i * _HEADER.size,
                *(record, name, ctypes.addressof(self._vectors) + i * 16, 1),
                *(record + self._nameSpace, control, 0, 0),
            )
        self._nameLengths = headers[_NAME_LENGTH::_WORDS]
        self._controlLengths = headers[_CONTROL_LENGTH::_WORDS]
        self._received = headers[_RECEIVED::_WORDS]
        self._sizes = vectors[1::2]
        interface = (self._nameSpace + _INTERFACES[family]) // 4
        self._interfaces = self._memory.cast("I")[interface :: self._record // 4]
        self._names = _filled("Q", name)
        self._controls = _filled("Q", control)
        self._buffers = _filled("Q", BUFFER)
        self._anyInterface = _filled("I", 0)
        self.reset(BATCH)

    def reset(self, count: int) -> None:
        """
        Make room again where datagrams have been.
        """
        self._sizes[:count] = self._buffers[:count]
        self._nameLengths[:count] = self._names[:count]
        self._controlLengths[:count] = self._controls[:count]

    def sizeAsReceived(self, count: int) -> int:
        """
        Send as many bytes of each datagram as were received.

        @return: How many they are together.
        """
        sizes = self._sizes[:count] = self._received[:count]
        return sum(sizes)

    def size(self, index: int) -> int:
        """
        @return: How many bytes of a datagram are sent.
        """
        return self._sizes[index]

    def forgetInterfaces(self, count: int) -> None:
        """
        Let each answer leave by the interface that leads to its peer.
        """
        self._interfaces[:count] = self._anyInterface[:count]

    def forgetInterface(self, index: int) -> None:
        """
        Let one of them.
        """
        self._interfaces[index] = 0

    def parties(self, count: int) -> tuple[bytes, ...]:
        """
        @return: For each datagram who has asked whom, in the system's words.
        """
        return self._partiesOf[count](self._records)

    def source(self, index: int) -> SourceAddress:
        """
        @return: Where a datagram came from.  Its control messages are replaced
            by those of its answer.
        """
        record = self._memory[index * self._record : (index + 1) * self._record]
        (family,) = struct.unpack_from("@H", record)
        (port,) = struct.unpack_from("!H", record, 2)
        packed = record[8:24] if family == socket.AF_INET6 else record[4:8]
        source = SourceAddress((socket.inet_ntop(family, packed), port))
        control = record[self._nameSpace :]
        source.toGroup = False
        if self._controlLengths[index]:
            length, level, kind = struct.unpack_from("@Nii", control)
            data = control[16:length]
            answer, source.toGroup = answering([(level, kind, bytes(data))])
            data[:] = answer[0][2]
        return source


def _filled(kind: Literal["I", "Q"], value: int) -> memoryview:
    return memoryview(struct.pack(f"@{BATCH}{kind}", *[value] * BATCH)).cast(kind)


def _function(name: str, *types: Any) -> Any:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.argtypes = types
    return function


class BatchPort(PacketInfoPort):
    """
    A UDP port that returns datagrams in batches.
    """

    protocol: UDPEchoProtocol

    systemCall = staticmethod(_function)

    def startListening(self) -> None:
        """
        Begin.
        """
        self._recvmmsg = self.systemCall(
            *("recvmmsg", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int),
            ctypes.c_void_p,
        )
        self._sendmmsg = self.systemCall(
            *("sendmmsg", ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        )
        self._batch = Batch(self.addressFamily)
        super().startListening()

    def doRead(self) -> None:
        """
        Return the datagrams that have come, a batch at the most.
        """
        batch = self._batch
        count = self._recvmmsg(self.fileno(), batch.address, BATCH, socket.MSG_DONTWAIT, None)
        if count <= 0:
            # As in PacketInfoPort: nothing left, or news of an earlier answer.
            return
        self.protocol.received += batch.sizeAsReceived(count)
        parties = batch.parties(count)
        try:
            if self.protocol.guard.unmetered.issuperset(parties):
                batch.forgetInterfaces(count)
                self._send(0, count)
            else:
                self._consider(parties)
        except Exception:
            # Let out, it would end the listening.
            _log.failure("{protocol!r} failed on datagrams", protocol=self.protocol)
        batch.reset(count)

    def _consider(self, parties: tuple[bytes, ...]) -> None:
        """
        Decide on each datagram, and return those which may be, in runs.
        """
        guard = self.protocol.guard
        now = self.protocol.reactor.seconds()
        start = 0
        for index, party in enumerate(parties):
            host = guard.metered.get(party)
            if host is not None:
                reason = guard.rateRefusal(host, now)
                self._batch.forgetInterface(index)
            elif party in guard.unmetered:
                reason = None
                self._batch.forgetInterface(index)
            else:
                reason = self._firstRefusal(index, party)
            if reason is not None:
                self.protocol.refuse(reason, self._batch.source(index), self._batch.size(index))
                self._send(start, index)
                start = index + 1
        self._send(start, len(parties))

    def _firstRefusal(self, index: int, party: bytes) -> str | None:
        source = self._batch.source(index)
        reason = self.protocol.refusal(source)
        # A link-local peer is asked about each time: its interface is not to be
        # forgotten with those of all others.
        if reason is None and not source[0].startswith("fe80:"):
            self.protocol.guard.remember(party, source[0])
        return reason

    def _send(self, index: int, end: int) -> None:
        """
        Return some of the datagrams.
        """
        while index < end:
            sent = self._sendmmsg(
                self.fileno(),
                self._batch.address + index * _HEADER.size,
                end - index,
                socket.MSG_DONTWAIT,
            )
            if sent > 0:
                self.protocol.answered += sent
                index += sent
            else:
                # It stops at what it cannot send, and says why when that is the
                # first.
                error = ctypes.get_errno()
                self.protocol.unsent(
                    OSError(error, os.strerror(error)),
                    self._batch.source(index),
                    self._batch.size(index),
                )
                index += 1
