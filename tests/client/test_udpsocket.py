"""
Tests for L{echod.client.udpsocket}.
"""

from __future__ import annotations

import errno
import socket
import struct

from twisted.trial.unittest import SynchronousTestCase

from echod.client.udpsocket import (
    LOCAL_ORIGIN,
    RECEIVE_ERRORS,
    SO_TIMESTAMPNS,
    remoteError,
    sourceOf,
)

ICMP_ORIGIN = 2


def control(
    family: socket.AddressFamily, number: int, origin: int, icmp: tuple[int, int], sender: bytes
) -> list[tuple[int, int, bytes]]:
    """
    @return: The control message of an error, as Linux makes it.
    """
    data = struct.pack("@IBBBxII", number, origin, *icmp, 0, 0) + sender
    return [(0, 0, b""), (*RECEIVE_ERRORS[family], data)]


class ControlTests(SynchronousTestCase):
    """
    Tests for the control messages.
    """

    def test_remoteError(self) -> None:
        """
        An error names its reason and the host that has sent the ICMP error.
        """
        four = struct.pack("@HH4s8x", socket.AF_INET, 0, bytes([192, 0, 2, 1]))
        six = struct.pack("@HHI16sI", socket.AF_INET6, 0, 0, bytes(15) + b"\1", 0)
        for family, number, icmp, sender, text in (
            (socket.AF_INET, errno.EHOSTUNREACH, (3, 1), four, "host unreachable, says 192"),
            (socket.AF_INET, errno.EHOSTUNREACH, (11, 0), four, "time to live exceeded, says"),
            (socket.AF_INET, errno.EHOSTUNREACH, (3, 99), four, "ICMP 3/99, says 192.0.2.1"),
            (socket.AF_INET6, errno.EACCES, (1, 1), six, "communication prohibited, says ::1"),
            (socket.AF_INET, errno.EHOSTUNREACH, (0, 0), bytes(16), "No route to host"),
        ):
            error = remoteError(control(family, number, ICMP_ORIGIN, icmp, sender))
            assert error is not None
            self.assertEqual(error.errno, number)
            self.assertTrue(str(error.strerror).startswith(text), error.strerror)

    def test_localError(self) -> None:
        """
        An error of this machine did not come back.
        """
        four = struct.pack("@HH4s8x", socket.AF_INET, 0, bytes(4))
        local = control(socket.AF_INET, errno.EMSGSIZE, LOCAL_ORIGIN, (0, 0), four)
        self.assertIsNone(remoteError(local))
        self.assertIsNone(remoteError([]))

    def test_sourceOf(self) -> None:
        """
        The time of arrival, the time to live and the type of service are read for both IP
        versions.
        """
        time = (socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@ll", 5, 6))
        ttl, tos = struct.pack("@i", 64), b"\xb8"
        ipv4 = [(socket.IPPROTO_IP, 2, ttl), (socket.IPPROTO_IP, 1, tos)]
        ipv6 = [
            (socket.IPPROTO_IPV6, 52, ttl),
            (socket.IPPROTO_IPV6, 67, struct.pack("@i", 184)),
        ]
        for messages in (ipv4, ipv6):
            source = sourceOf(("::1", 7, 0, 0), [time, *messages])
            self.assertEqual(source, ("::1", 7))
            self.assertEqual((source.arrived, source.ttl, source.tos), (5_000_000_006, 64, 184))
        source = sourceOf(("127.0.0.1", 7), [])
        self.assertEqual((source.arrived, source.ttl, source.tos), (None, None, None))
