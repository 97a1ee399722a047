"""
Tests for L{echod.net.httphosts}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.net.httphosts import ANY, HostNames, hostName, machineNames

FOREIGN = (
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "a.notlocalhost",
    "my.host.example",
)


class HostNamesTests(SynchronousTestCase):
    """
    Tests for L{HostNames}.
    """

    def test_harmless(self) -> None:
        """
        Addresses, names without a dot and names below localhost are always served, with
        and without a port, and so is an empty name.
        """
        names = HostNames()
        for host in (
            *("127.0.0.1", "192.0.2.7", "127.1", "[::1]", "[2001:db8::ffff:192.0.2.1]"),
            *("localhost", "LOCALHOST", "localhost.", "a.localhost", "echod", "my_host", ""),
        ):
            self.assertTrue(names.serves(host), host)
            self.assertTrue(names.serves(f"{host}:8000"), host)

    def test_foreign(self) -> None:
        """
        All other names are refused, and everything that is no host.
        """
        names = HostNames(["host.example"])
        for host in (
            *FOREIGN,
            *("example.1a", "evil.example:80:80", "user@127.0.0.1", "[evil.example]", "[::1"),
            *("127.0.0.1 ", "127.0.0.1, evil.example", "127.0.0.1/", "\xff", "a..b", "x:y"),
        ):
            self.assertFalse(names.serves(host), host)

    def test_named(self) -> None:
        """
        A name that was given is served, in capitals and with a dot at its end as well.
        """
        names = HostNames(["host.example"])
        for host in ("host.example", "HOST.Example:8000", "host.example."):
            self.assertTrue(names.serves(host), host)

    def test_any(self) -> None:
        """
        The star stands for every name.
        """
        for host in (*FOREIGN, "\xff"):
            self.assertTrue(HostNames([ANY]).serves(host), host)


class NamesTests(SynchronousTestCase):
    """
    Tests for L{hostName} and L{machineNames}.
    """

    def test_hostName(self) -> None:
        """
        A name is read as browsers send it.
        """
        for text, name in (
            ("Echod.Example.", "echod.example"),
            ("b\xfccher.example", "xn--bcher-kva.example"),
            ("echod", "echod"),
            ("*", "*"),
        ):
            self.assertEqual(hostName(text), name)

    def test_badName(self) -> None:
        """
        An invalid name is an error with an example of a valid one.
        """
        for text in (
            *("", ".", "a..b", "http://a.example", "a.example:80", "a b", "*.example"),
            *("a" * 64, "\udcff", "a/b"),
        ):
            error = self.assertRaises(ValueError, hostName, text)
            self.assertIn("such as echod.example.com", str(error))

    def test_machineNames(self) -> None:
        """
        The names of the machine are its own name, its name in the local network, and its
        complete name.
        """
        found = machineNames("Box", lambda name: f"{name}.example.com")
        self.assertEqual(found, {"box", "box.local", "box.example.com"})
        self.assertEqual(machineNames("localhost"), {"localhost", "localhost.local"})

    def test_noCompleteName(self) -> None:
        """
        If the complete name is not found in time, the other two names are left.
        """

        def canonicalName(name: str) -> str:
            raise TimeoutError

        self.assertEqual(machineNames("A.b", canonicalName), {"a.b", "a.local"})
