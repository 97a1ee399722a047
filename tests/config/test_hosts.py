"""
Tests for L{echod.config.hosts}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.config.addresses import Address, streamAddress
from echod.config.hosts import Hosts, hostsByName, serviceName
from tests.support import logged


class HostsTests(SynchronousTestCase):
    """
    Tests for L{hostsByName}.
    """

    alone = streamAddress("8080")

    def setUp(self) -> None:
        self.lookups: list[str] = []

    def hosts(self, **names: list[str]) -> Hosts:
        """
        @return: The hosts of a machine which is called C{box}, and which knows these
            names.
        """

        def lookUp(name: str) -> list[str]:
            self.lookups.append(name)
            if name not in names:
                raise OSError("does not resolve (for a test)")
            return names[name]

        return hostsByName(lookUp, lambda: "box")

    def test_thisMachine(self) -> None:
        """
        A port alone means 127.0.0.1, ::1 and the addresses of the machine's own name, each
        once.
        """
        for own, expected in (
            (["127.0.1.1"], ["127.0.1.1"]),
            (["192.0.2.1", "2001:db8::1"], ["192.0.2.1", "2001:db8::1"]),
            (["::1"], []),
            (["::1", "127.0.0.1", "127.0.1.1"], ["127.0.1.1"]),
            ([], []),
        ):
            hosts = self.hosts(box=own)("tcp0", self.alone)
            self.assertEqual(list(hosts.values()), ["127.0.0.1", "::1", *expected])

    def test_linkLocal(self) -> None:
        """
        A link-local address is no address of the machine's name: it needs an interface.
        """
        hosts = self.hosts(box=["fe80::1%eth0", "127.0.1.1"])("tcp0", self.alone)
        self.assertEqual(list(hosts.values()), ["127.0.0.1", "::1", "127.0.1.1"])

    def test_ownNameUnknown(self) -> None:
        """
        If the machine's own name does not resolve, the others are left, and the log says
        so once.
        """
        hosts = self.hosts()
        with logged() as lines:
            found = [list(hosts(service, self.alone).values()) for service in ("tcp0", "udp0")]
        self.assertEqual(found, [["127.0.0.1", "::1"]] * 2)
        self.assertEqual(
            lines, ["box, the name of this machine, does not resolve (for a test)"]
        )

    def test_name(self) -> None:
        """
        A host name means all its addresses.
        """
        hosts = self.hosts(localhost=["::1", "127.0.0.1"])
        for address in ("localhost:8080", "haproxy:localhost:8080"):
            found = hosts("tcp0", streamAddress(address))
            self.assertEqual(found, {"tcp0": "::1", "tcp0.1": "127.0.0.1"})

    def test_badName(self) -> None:
        """
        A name that does not resolve, or that stands for no single machine, is an error.
        """
        hosts = self.hosts(zero=[])
        for name, problem in (
            ("nowhere", "nowhere does not resolve (for a test)"),
            ("zero", "zero stands for no single machine"),
        ):
            error = self.assertRaises(ValueError, hosts, "tcp0", Address("", name, isName=True))
            self.assertEqual(str(error), problem)

    def test_once(self) -> None:
        """
        Each name is looked up once, however many servers there are.
        """
        hosts = self.hosts(box=["127.0.1.1"], localhost=["127.0.0.1"])
        for service in ("greeting0", "tcp0", "udp0"):
            hosts(service, self.alone)
            hosts(service, streamAddress("localhost:0"))
        self.assertEqual(self.lookups, ["box", "localhost"])

    def test_names(self) -> None:
        """
        The name of each socket tells its service.
        """
        found = self.hosts(box=["127.0.1.1"])("udp1", self.alone)
        self.assertEqual(list(found), ["udp1", "udp1.1", "udp1.2"])
        self.assertEqual({serviceName(name) for name in found}, {"udp1"})
