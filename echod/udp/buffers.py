"""
The buffers of C{recvmmsg} and C{sendmmsg}.

Payload, peer address and control messages (which set the source address of the answer,
see L{echod.udp.pktinfo}) are not moved between receiving and sending.  No Python object
is made of a payload.  Changes that all datagrams need are made for all of them at once,
by strided copies within this memory.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from typing import Literal

from echod.udp.pktinfo import DATAGRAMS_A_TURN, PACKET_INFOS, SourceAddress, answerControl

BATCH = DATAGRAMS_A_TURN
"""
How many datagrams are received at once, and before the reactor serves others.
"""

BUFFER = 1 << 16
"""
The room for one datagram, in bytes.  The largest has 65,507 bytes, or 65,527 on IPv6.
"""


def suits(pointer: int, byteOrder: str) -> bool:
    """
    @param pointer: The size of a pointer of the machine, in bytes.

    @param byteOrder: C{little} or C{big}.

    @return: Whether L{MessageBuffers} is right for the machine: it writes each field of
        the system's structures as a word of eight bytes, lowest byte first.
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
The offset of the interface index in the control messages.
"""

HEADER = struct.Struct("@PI4xPNPNi4xI4x")
"""
C{struct mmsghdr}, in words of eight bytes: name and its length, iovec and its length,
control and its length, flags, number of bytes received.
"""

_WORDS = HEADER.size // 8
_NAME_LENGTH, _CONTROL_LENGTH, _RECEIVED = 1, 5, 7


class MessageBuffers:
    """
    The buffers of one port.

    @ivar payload: The bytes of all datagrams.

    @ivar address: Where the array of C{struct mmsghdr} begins.
    """

    def __init__(self, family: socket.AddressFamily) -> None:
        name, control = _NAME_LENGTHS[family], _CONTROL_LENGTHS[family]
        # A record is a struct sockaddr_in or sockaddr_in6 followed by the control
        # messages: the peer and the local address.
        self._nameSpace = -(-name // 8) * 8
        self._recordSize = self._nameSpace + control
        self.payload = ctypes.create_string_buffer(BATCH * BUFFER)
        self._records = ctypes.create_string_buffer(BATCH * self._recordSize)
        self._vectors = (ctypes.c_uint64 * (2 * BATCH))()
        self._headers = (ctypes.c_uint64 * (_WORDS * BATCH))()
        self.address = ctypes.addressof(self._headers)
        self._memory = memoryview(self._records).cast("B")
        self._unpackRecords = [
            struct.Struct(f"{self._recordSize}s" * count).unpack_from
            for count in range(BATCH + 1)
        ]
        vectors = memoryview(self._vectors).cast("B").cast("Q")
        headers = memoryview(self._headers).cast("B").cast("Q")
        for i in range(BATCH):
            vectors[2 * i] = ctypes.addressof(self.payload) + i * BUFFER
            record = ctypes.addressof(self._records) + i * self._recordSize
            HEADER.pack_into(
                self._headers,
                i * HEADER.size,
                *(record, name, ctypes.addressof(self._vectors) + i * 16, 1),
                *(record + self._nameSpace, control, 0, 0),
            )
        self._nameLengths = headers[_NAME_LENGTH::_WORDS]
        self._controlLengths = headers[_CONTROL_LENGTH::_WORDS]
        self._received = headers[_RECEIVED::_WORDS]
        self._sizes = vectors[1::2]
        interface = (self._nameSpace + _INTERFACES[family]) // 4
        self._interfaces = self._memory.cast("I")[interface :: self._recordSize // 4]
        self._names = _filled("Q", name)
        self._controls = _filled("Q", control)
        self._buffers = _filled("Q", BUFFER)
        self._anyInterface = _filled("I", 0)
        self.reset(BATCH)

    def reset(self, count: int) -> None:
        """
        Prepare the buffers of so many datagrams for receiving again.
        """
        self._sizes[:count] = self._buffers[:count]
        self._nameLengths[:count] = self._names[:count]
        self._controlLengths[:count] = self._controls[:count]

    def setSizes(self, count: int) -> int:
        """
        Set the size of each answer to the size of the received datagram.

        @return: The sum of the sizes, in bytes.
        """
        sizes = self._sizes[:count] = self._received[:count]
        return sum(sizes)

    def size(self, index: int) -> int:
        """
        @return: The size of one datagram, in bytes.
        """
        return self._sizes[index]

    def clearInterfaces(self, count: int) -> None:
        """
        Clear the interface index in the control messages of the first datagrams: the
        routing table chooses the interface of the answers.
        """
        self._interfaces[:count] = self._anyInterface[:count]

    def clearInterface(self, index: int) -> None:
        """
        Clear the interface index in the control messages of one datagram.
        """
        self._interfaces[index] = 0

    def records(self, count: int) -> tuple[bytes, ...]:
        """
        @return: For each datagram its peer and its local address, as the system wrote
            them.
        """
        return self._unpackRecords[count](self._records)

    def source(self, index: int) -> SourceAddress:
        """
        Replace the control messages of a datagram by those of its answer.

        @return: The source of the datagram.
        """
        record = self._memory[index * self._recordSize : (index + 1) * self._recordSize]
        (family,) = struct.unpack_from("@H", record)
        (port,) = struct.unpack_from("!H", record, 2)
        packed = record[8:24] if family == socket.AF_INET6 else record[4:8]
        source = SourceAddress((socket.inet_ntop(family, packed), port))
        control = record[self._nameSpace :]
        source.toGroup = False
        if self._controlLengths[index]:
            length, level, kind = struct.unpack_from("@Nii", control)
            data = control[16:length]
            answer, source.toGroup = answerControl([(level, kind, bytes(data))])
            data[:] = answer[0][2]
        return source


def _filled(kind: Literal["I", "Q"], value: int) -> memoryview:
    return memoryview(struct.pack(f"@{BATCH}{kind}", *[value] * BATCH)).cast(kind)
