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

from echod.udp.options import LINUX
from echod.udp.pktinfo import (
    CONTROL_SPACE,
    DATAGRAMS_A_TURN,
    PACKET_INFOS,
    Control,
    SourceAddress,
    sourceAddress,
)

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

    @return: True if L{MessageBuffers} is right for the machine: it writes each field of
        the system's structures as a word of eight bytes, lowest byte first.
    """
    return pointer == 8 and byteOrder == "little"


BATCHES = LINUX and suits(struct.calcsize("@P"), sys.byteorder)
"""
True if this machine can return datagrams in batches.
"""

_NAME_LENGTHS = {socket.AF_INET: 16, socket.AF_INET6: 28}
_DESTINATION_LENGTHS = {
    family: socket.CMSG_SPACE(info.size) for family, info in PACKET_INFOS.items()
}
_TTL_LENGTH = socket.CMSG_SPACE(4)
_INTERFACES = {socket.AF_INET: 16, socket.AF_INET6: 32}
"""
The offset of the interface index in the control messages.
"""

_CONTROL_HEADER = struct.Struct("@Nii")
"""
C{struct cmsghdr}: length with this header, level, kind.
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

    The control messages of a datagram are its destination, if the port asks for it, and
    its TTL.  The answer has the destination only, as its source.

    @ivar payload: The bytes of all datagrams.

    @ivar address: The address of the array of C{struct mmsghdr}.
    """

    def __init__(self, family: socket.AddressFamily, destination: bool) -> None:
        """
        @param destination: True if the port asks for the destination of each datagram.
        """
        name = _NAME_LENGTHS[family]
        self._answerControl = _DESTINATION_LENGTHS[family] * destination
        self._control = self._answerControl + _TTL_LENGTH
        # A record is a struct sockaddr_in or sockaddr_in6 followed by the control
        # messages.  Behind it is room for messages that the port has not asked for.
        self._nameSpace = -(-name // 8) * 8
        recordSize = self._nameSpace + self._control
        self._stride = self._nameSpace + CONTROL_SPACE
        self.payload = ctypes.create_string_buffer(BATCH * BUFFER)
        self._records = ctypes.create_string_buffer(BATCH * self._stride)
        self._vectors = (ctypes.c_uint64 * (2 * BATCH))()
        self._headers = (ctypes.c_uint64 * (_WORDS * BATCH))()
        self.address = ctypes.addressof(self._headers)
        self._memory = memoryview(self._records).cast("B")
        self._unpackRecords = [
            struct.Struct(f"{recordSize}s{self._stride - recordSize}x" * count).unpack_from
            for count in range(BATCH + 1)
        ]
        vectors = memoryview(self._vectors).cast("B").cast("Q")
        headers = memoryview(self._headers).cast("B").cast("Q")
        for i in range(BATCH):
            vectors[2 * i] = ctypes.addressof(self.payload) + i * BUFFER
            record = ctypes.addressof(self._records) + i * self._stride
            HEADER.pack_into(
                self._headers,
                i * HEADER.size,
                *(record, name, ctypes.addressof(self._vectors) + i * 16, 1),
                *(record + self._nameSpace, CONTROL_SPACE, 0, 0),
            )
        self._nameLengths = headers[_NAME_LENGTH::_WORDS]
        self._controlLengths = headers[_CONTROL_LENGTH::_WORDS]
        self._received = headers[_RECEIVED::_WORDS]
        self._sizes = vectors[1::2]
        interface = (self._nameSpace + _INTERFACES[family]) // 4
        self._interfaces = self._memory.cast("I")[interface :: self._stride // 4]
        self._names = _filled("Q", name)
        self._controls = _filled("Q", CONTROL_SPACE)
        self._answerControls = _filled("Q", self._answerControl)
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

    def prepareAnswers(self, count: int) -> None:
        """
        Turn the control messages of the first datagrams into those of their answers,
        which the routing table sends through any interface.
        """
        self._controlLengths[:count] = self._answerControls[:count]
        self._interfaces[:count] = self._anyInterface[:count]

    def prepareAnswer(self, index: int) -> None:
        """
        Do the same for one datagram.
        """
        self._controlLengths[index] = self._answerControl
        self._interfaces[index] = 0

    def records(self, count: int) -> tuple[bytes, ...]:
        """
        @return: For each datagram its peer, its destination, and its TTL, as the system
            wrote them.
        """
        return self._unpackRecords[count](self._records)

    def source(self, index: int) -> tuple[SourceAddress, bool]:
        """
        Replace the control messages of a datagram by those of its answer.

        @return: The source of the datagram; and L{True} if L{prepareAnswer} does the same
            for all datagrams with this record.
        """
        memory = self._memory[index * self._stride : (index + 1) * self._stride]
        (family,) = struct.unpack_from("@H", memory)
        (port,) = struct.unpack_from("!H", memory, 2)
        host = memory[8:24] if family == socket.AF_INET6 else memory[4:8]
        control = memory[self._nameSpace :]
        received = bytes(control[: self._controlLengths[index]])
        source = sourceAddress((socket.inet_ntop(family, host), port), _unpacked(received))
        answer = b"".join(map(_packed, source.control))
        self.prepareAnswer(index)
        plain = len(received) <= self._control and control[: self._answerControl] == answer
        control[: len(answer)] = answer
        self._controlLengths[index] = len(answer)
        return source, plain


def _unpacked(memory: bytes) -> Control:
    """
    @return: The control messages that the system wrote.
    """
    control = []
    start = 0
    while start + _CONTROL_HEADER.size <= len(memory):
        length, level, kind = _CONTROL_HEADER.unpack_from(memory, start)
        control.append((level, kind, memory[start + _CONTROL_HEADER.size : start + length]))
        # As CMSG_NXTHDR does.  No message is shorter than its header.
        start += max(-(-length // 8) * 8, _CONTROL_HEADER.size)
    return control


def _packed(message: tuple[int, int, bytes]) -> bytes:
    level, kind, data = message
    header = _CONTROL_HEADER.pack(socket.CMSG_LEN(len(data)), level, kind)
    return (header + data).ljust(socket.CMSG_SPACE(len(data)), b"\0")


def _filled(kind: Literal["I", "Q"], value: int) -> memoryview:
    return memoryview(struct.pack(f"@{BATCH}{kind}", *[value] * BATCH)).cast(kind)
