"""
Tests for L{echod.net.format}.
"""

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from echod.net.format import (
    SHOWN_BYTES,
    SHOWN_CHARACTERS,
    addressName,
    escaped,
    hostPort,
    quoted,
    shortened,
)


class AddressNameTests(SynchronousTestCase):
    """
    Tests for L{addressName}.
    """

    def test_internet(self) -> None:
        """
        An internet address is its host and port, IPv6 in brackets.
        """
        self.assertEqual(addressName(IPv4Address("TCP", "192.0.2.1", 80)), "192.0.2.1:80")
        self.assertEqual(addressName(IPv6Address("TCP", "::1", 80)), "[::1]:80")

    def test_mapped(self) -> None:
        """
        An IPv4 peer of a socket for both versions is shown as IPv4.
        """
        for host, name in (
            ("::ffff:192.0.2.1", "192.0.2.1:80"),
            ("::FFFF:192.0.2.1", "192.0.2.1:80"),
            ("fe80::1%eth0.1", "[fe80::1%eth0.1]:80"),
        ):
            self.assertEqual(addressName(IPv6Address("TCP", host, 80)), name)
            self.assertEqual(hostPort(host, 80), name)

    def test_unix(self) -> None:
        """
        A UNIX address is its path, fit for a log, or a question mark when it has
        none.
        """
        self.assertEqual(addressName(UNIXAddress("/run/echod")), "unix:/run/echod")
        self.assertEqual(addressName(UNIXAddress("/run/\n")), r"unix:/run/\n")
        self.assertEqual(addressName(UNIXAddress(None)), "unix:?")

    def test_other(self) -> None:
        """
        Any other address is shown in its own words.
        """
        self.assertEqual(addressName(None), "None")


class ShownTests(SynchronousTestCase):
    """
    Tests for L{escaped}.
    """

    def test_text(self) -> None:
        """
        Text is shown as it is, in any script.
        """
        self.assertEqual(
            escaped("This is from Client, héhé, 你好".encode()),
            "This is from Client, héhé, 你好",
        )

    def test_controlCharacters(self) -> None:
        """
        Characters that would start a new line, move the cursor or reverse the text are
        escaped.
        """
        self.assertEqual(
            escaped("a\r\n2026 [forged]\x1b[2J\u202e\u2028\x85".encode()),
            r"a\r\n2026 [forged]\x1b[2J\u202e\u2028\x85",
        )

    def test_bytes(self) -> None:
        """
        Bytes which are no text are shown as escapes, and cannot be confused
        with a peer that has typed these.
        """
        self.assertEqual(escaped(b"\xff"), r"\xff")
        self.assertEqual(escaped(rb"\xff"), r"\\xff")

    def test_long(self) -> None:
        """
        The beginning of a long message is shown, with the size of the rest.
        """
        self.assertEqual(escaped(b"x" * SHOWN_BYTES), "x" * SHOWN_BYTES)
        self.assertEqual(
            escaped(b"x" * (SHOWN_BYTES + 7)), "x" * SHOWN_BYTES + "... (7 bytes more)"
        )


class ValueTests(SynchronousTestCase):
    """
    Tests for L{quoted} and L{shortened}.
    """

    def test_quoted(self) -> None:
        """
        A value is quoted as for a shell, on one line.
        """
        self.assertEqual(quoted("a"), "a")
        self.assertEqual(quoted("a b\n"), r"'a b\n'")

    def test_long(self) -> None:
        """
        The beginning of a long value is shown, with its length.
        """
        text = "9" * SHOWN_CHARACTERS
        self.assertEqual(quoted(text), text)
        for show in (quoted, shortened):
            self.assertEqual(show(text * 50), f"{text}... ({50 * len(text)} characters)")
