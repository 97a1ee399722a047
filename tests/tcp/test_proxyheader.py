"""
Tests for L{echod.tcp.proxyheader}.
"""

from __future__ import annotations

import struct

from twisted.internet.address import UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.proxyheader import (
    EXPECTED,
    MALFORMED,
    V1_LIMIT,
    V2_LIMIT,
    Header,
    headerSize,
    parse,
)
from tests.support import lacking
from tests.support.properties import given, st
from tests.support.proxy import INET, INET6, REAL, REAL6, UNIX, V1, v2

EXTENSION = b"\x04\0\3abc"
MAPPED = struct.pack(
    "!16s16sHH", bytes.fromhex("00" * 10 + "ffffc6336407"), bytes(15) + b"\1", 5000, 80
)

HEADERS = {
    V1: Header(REAL),
    b"PROXY TCP6 2001:db8:0::7 ::1 5000 80\r\n": Header(REAL6),
    b"PROXY TCP6 2001:0DB8::0007 ::1 5000 80\r\n": Header(REAL6),
    b"PROXY TCP6 ::ffff:198.51.100.7 ::ffff:127.0.0.1 5000 80\r\n": Header(REAL),
    b"PROXY UNKNOWN\r\n": Header(),
    b"PROXY UNKNOWN who knows \xff % 080\r\n": Header(),
    v2(0x11, INET): Header(REAL),
    v2(0x12, INET): Header(REAL),
    v2(0x11, INET + EXTENSION): Header(REAL),
    v2(0x21, INET6): Header(REAL6),
    v2(0x21, INET6 + EXTENSION): Header(REAL6),
    v2(0x21, MAPPED): Header(REAL),
    v2(0x31, UNIX): Header(UNIXAddress("/run/client")),
    v2(0x32, UNIX): Header(UNIXAddress("/run/client")),
    v2(0x31, bytes(216)): Header(UNIXAddress(b"")),
    v2(0x31, b"\0abstract".ljust(216, b"\0")): Header(UNIXAddress(b"\0abstract")),
    v2(0x00): Header(),
    v2(0x00, b"of some family"): Header(),
    v2(0x10, INET): Header(),
    v2(0x01, INET): Header(),
    v2(0x00, command=0x20): Header(local=True),
    v2(0x11, INET, command=0x20): Header(local=True),
    v2(0xFF, b"of some family", command=0x20): Header(local=True),
}
"""
Headers, with their meaning.
"""


def v1(
    family: str = "TCP4",
    source: str = "198.51.100.7",
    destination: str = "127.0.0.1",
    sourcePort: str = "5000",
    destinationPort: str = "80",
    space: str = " ",
) -> bytes:
    """
    @return: A header of version 1.
    """
    fields = ["PROXY", f"{family}{space}{source}", destination, sourcePort, destinationPort]
    return " ".join(fields).encode("latin-1") + b"\r\n"


BAD_PORTS = (
    "65536",
    "+5000",
    "-1",
    "",
    "5_0",
    "\xb2",
    "05000",
    "00",
    "5000 ",
    "0x50",
    "5\t",
    "5\n",
)
BAD_HOSTS = (
    *("198.51.100.700", "198.51.100", "198.51.100.07", "198.51.100.7.", "localhost", ""),
    *("198.51.100.7\xff", "198.51.100.+7", " 198.51.100.7", "198.51.100.7\t", "3325256711"),
    *("::1", "::ffff:198.51.100.7"),
)
BAD_HOSTS6 = (
    *(
        "198.51.100.7",
        "fe80::1%eth0",
        "fe80::1%\x1b[2J",
        "20010:db8::7",
        "2001:db8::7::",
        "[::1]",
    ),
    *("::ffff:198.51.100.07", "2001:db8:+1::7", "", " ::1", "::1\t"),
)

BAD = {
    EXPECTED: [
        b"GET / HTTP/1.1\r\n\r\n",
        b"G",
        b"\0",
        b"PROXY\r\n\r\n",
        b"proxy TCP4 198.51.100.7 127.0.0.1 5000 80\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ],
    MALFORMED: [
        b"PROXY \r\n",
        b"PROXY  UNKNOWN\r\n",
        b"PROXY UNKNOWNS\r\n",
        b"PROXY TCP4\r\n",
        b"PROXY TCP4 198.51.100.7 127.0.0.1 5000\r\n",
        b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 80 more\r\n",
        b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 80 \r\n",
        v1("TCP5"),
        v1("tcp4"),
        v1(space="  "),
        v1(space="\t"),
        *(v1(sourcePort=port) for port in BAD_PORTS),
        *(v1(destinationPort=port) for port in BAD_PORTS),
        *(v1(source=host) for host in BAD_HOSTS),
        *(v1(destination=host) for host in BAD_HOSTS),
        *(v1("TCP6", host, "::1") for host in BAD_HOSTS6),
        *(v1("TCP6", "::1", host) for host in BAD_HOSTS6),
        b"PROXY UNKNOWN " + b"x" * (V1_LIMIT - 15) + b"\r\n",
        b"PROXY TCP4 " + b"1" * V1_LIMIT,
        v2(0x11, INET, command=0x11),
        v2(0x11, INET, command=0x22),
        v2(0x41, INET),
        v2(0x13, INET),
        v2(0x11, INET[:-1]),
        v2(0x21, INET6[:-1]),
        v2(0x31, UNIX[:-1]),
        v2(0x11, INET + bytes(V2_LIMIT))[:16],
    ],
}
"""
Data that is not a header, by the reason with which it is refused.
"""


def read(data: bytes) -> Header | None:
    """
    Read the header at the beginning of some data, if it is complete.
    """
    size = headerSize(data)
    return None if size is None else parse(data[:size])


class HeaderTests(SynchronousTestCase):
    """
    Tests for L{headerSize} and L{parse}.
    """

    def test_headers(self) -> None:
        """
        A header ends at its own end, whatever follows, and says whom it is for.
        """
        for header, says in HEADERS.items():
            self.assertEqual(headerSize(header), len(header), header)
            self.assertEqual(headerSize(header + b"\r\nhello"), len(header), header)
            self.assertEqual(parse(header), says, header)

    def test_incomplete(self) -> None:
        """
        The size of an incomplete header is not known.
        """
        for header in HEADERS:
            for end in range(1, len(header)):
                self.assertIsNone(headerSize(header[:end]), header[:end])

    def test_bad(self) -> None:
        """
        Data that is not a header, and a header that breaks a rule, raise C{ValueError}
        with the reason.
        """
        for reason, bad in BAD.items():
            for data in bad:
                error = self.assertRaises(ValueError, read, data)
                self.assertEqual(str(error), reason, data)

    def test_longest(self) -> None:
        """
        The longest header of either version is accepted.
        """
        for header in (
            b"PROXY UNKNOWN " + b"x" * (V1_LIMIT - 16) + b"\r\n",
            v2(0x11, INET + bytes(V2_LIMIT - 16 - len(INET))),
        ):
            self.assertIn(len(header), (V1_LIMIT, V2_LIMIT))
            self.assertEqual(headerSize(header), len(header))

    def test_anything(self) -> None:
        """
        Any bytes after a signature are a header, incomplete, or a C{ValueError}.
        """
        if given is None:
            lacking("hypothesis")

        @given(
            st.one_of(
                st.builds(bytes.__add__, st.just(b"PROXY "), st.binary()),
                st.builds(
                    lambda words: b"PROXY " + b" ".join(words) + b"\r\n",
                    st.lists(
                        st.sampled_from([b"TCP4", b"TCP6", b"::1", b"1.2.3.4", b"80", b""])
                    ),
                ),
                st.builds(v2, st.integers(0, 255), st.binary(), st.integers(0, 255)),
                st.binary(min_size=1),
            )
        )
        def check(data: bytes) -> None:
            try:
                read(data)
            except ValueError as error:
                self.assertIn(str(error), BAD)

        check()
