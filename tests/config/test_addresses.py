"""
Tests for L{echod.config.addresses}, and for the servers that its addresses get.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.config.addresses import Address, datagramAddress, streamAddress, streamEndpoint
from echod.net.extras import needed
from echod.service.inherited import inherited
from echod.tap import Options, makeService
from echod.tcp.thismachine import ThisMachineFactory
from echod.udp.thismachine import ThisMachineGuard
from tests.support.workers import ProcessReactor

READERS = (streamAddress, datagramAddress)


class AddressTests(SynchronousTestCase):
    """
    Tests for L{streamAddress} and L{datagramAddress}.
    """

    def test_portAlone(self) -> None:
        """
        A port alone means this machine; an address with a port does not.
        """
        for read in READERS:
            self.assertEqual(
                read("80"), Address("127.0.0.1:80", "127.0.0.1", 80, thisMachine=True)
            )
            self.assertEqual(read("127.0.0.1:80"), Address("127.0.0.1:80", "127.0.0.1", 80))

    def test_name(self) -> None:
        """
        A host name with a port is read without looking it up.
        """
        for read in READERS:
            for host in ("localhost", "box-1.example", "7up", "no_such_host.invalid"):
                self.assertEqual(
                    read(f"{host}:80"), Address(f"{host}:80", host, 80, isName=True)
                )
        self.assertEqual(
            streamAddress("haproxy:localhost:80"),
            Address("haproxy:localhost:80", "localhost", 80, isName=True),
        )

    def test_kind(self) -> None:
        """
        The kind of an endpoint description is no host name.
        """
        for kind in ("tcp", "TCP6", "ssl", "unix", "stdio"):
            self.assertIsNone(streamAddress(f"{kind}:80").host)
            self.assertRaises(ValueError, datagramAddress, f"{kind}:80")

    def test_badPort(self) -> None:
        """
        A port beyond the last one is an error behind a name, too.
        """
        for read in READERS:
            error = self.assertRaises(ValueError, read, "localhost:65536")
            self.assertEqual(str(error), "65536 is not a port; ports are 0 to 65535")

    def test_noHost(self) -> None:
        """
        A colon without a host is an error that says what is missing.
        """
        error = self.assertRaises(ValueError, streamAddress, ":80")
        self.assertIn("no address before the colon", str(error))
        self.assertRaises(ValueError, datagramAddress, ":80")


class EndpointTests(SynchronousTestCase):
    """
    Tests for L{streamEndpoint}.
    """

    def test_missingPackage(self) -> None:
        """
        If a description needs a package that is not installed, the message says how to
        install it.
        """

        def parse(reactor: object, description: str) -> None:
            raise ImportError("No module named OpenSSL")

        error = self.assertRaises(
            ValueError, streamEndpoint, Address("x:0"), None, inherited, parse=parse
        )
        self.assertEqual(str(error), needed("tls"))


class SeveralAddressesTests(SynchronousTestCase):
    """
    The servers of an address that stands for several.
    """

    def options(self, *arguments: str) -> Options:
        """
        @return: The options of a command line, on a machine whose name is 127.0.1.1 and
            192.0.2.1.
        """

        def hosts(service: str, address: Address) -> dict[str, str]:
            names = {service: "127.0.0.1", f"{service}.1": "127.0.1.1"}
            return {**names, f"{service}.2": "192.0.2.1"}

        options = Options(ProcessReactor(), hosts)
        options.parseOptions(arguments)
        return options

    def test_restricted(self) -> None:
        """
        Peers on other machines are refused only on an address that they can reach.
        """
        options = self.options("--tcp=80", "--status=localhost:81")
        makeService(options).startService()
        ports: Any = options.reactor.tcpServers
        self.assertEqual(
            [
                (port, host, type(factory) is ThisMachineFactory)
                for port, factory, _, host in ports
            ],
            [
                *((80, "127.0.0.1", False), (80, "127.0.1.1", False), (80, "192.0.2.1", True)),
                *((81, "127.0.0.1", False), (81, "127.0.1.1", False), (81, "192.0.2.1", False)),
            ],
        )

    def test_oneServer(self) -> None:
        """
        All addresses have one server.
        """
        options = self.options("--tcp=80")
        (service,) = makeService(options).listening
        service.startService()
        factories = [factory for _, factory, *_ in options.reactor.tcpServers]
        self.assertEqual(factories[:2], [service.server] * 2)

    def test_guard(self) -> None:
        """
        A UDP server on a port alone refuses sources on other machines; others do not.
        """
        options = self.options("--udp=80", "--udp=0.0.0.0:81", "--udp=localhost:82")
        servers: list[Any] = [service.server for service in makeService(options).listening]
        kinds = [isinstance(server.guard, ThisMachineGuard) for server in servers]
        self.assertEqual(kinds, [True, False, False])
