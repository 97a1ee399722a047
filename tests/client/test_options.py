"""
Tests for L{echod.client.options}, L{echod.client.target}, L{echod.client.endpoints} and
L{echod.client.exitstatus}.
"""

from __future__ import annotations

import errno
import socket
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, NoReturn

from twisted.internet import defer, error
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
)
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from echod.client.connect import endpointOf
from echod.client.endpoints import resolve, streamEndpoint
from echod.client.exitstatus import ClientError, Outcome, explain, refused
from echod.client.options import (
    GreetOptions,
    Options,
    TCPOptions,
    UDPOptions,
    parseCommandLine,
)
from echod.client.ping.options import PingOptions
from echod.client.ping.plan import Limits, Plan
from echod.client.sockets import SocketOptions
from echod.client.target import Address, Description, Family, parseTarget
from echod.client.watch.options import WatchOptions
from echod.net.extras import needed
from tests.support import NO_NUMBERS, temporaryDirectory


class TargetTests(SynchronousTestCase):
    """
    Tests for L{echod.client.target}.
    """

    def test_addresses(self) -> None:
        """
        A target is a host, a host and a port, or a port of this machine.  Without a port, it
        has the default.
        """
        for text, host, port in (
            ("example.org", "example.org", 7),
            ("example.org:8080", "example.org", 8080),
            ("192.0.2.1", "192.0.2.1", 7),
            ("192.0.2.1:8080", "192.0.2.1", 8080),
            ("[2001:db8::1]:8080", "2001:db8::1", 8080),
            ("[2001:db8::1]", "2001:db8::1", 7),
            ("2001:db8::1", "2001:db8::1", 7),
            ("fe80::1%eth0", "fe80::1%eth0", 7),
            ("8080", "127.0.0.1", 8080),
        ):
            self.assertEqual(parseTarget(text, 7), Address(host, port), text)
        self.assertEqual(str(parseTarget("::1", 7)), "[::1]:7")

    def test_descriptions(self) -> None:
        """
        Anything else with a colon is an endpoint description.
        """
        for text in ("tls:example.org:8443", "unix:/run/echod.sock", "tcp:host:7:timeout=3"):
            target = parseTarget(text, 7)
            self.assertIsInstance(target, Description)
            self.assertEqual(target, text)

    def test_neither(self) -> None:
        """
        Other texts are refused.  The message says which targets are right.
        """
        for text, why in (
            ("", "neither HOST"),
            ("a b", "neither HOST"),
            ("/run/echod.sock", "neither HOST"),
            ("host:0", "ports are 1 to 65535"),
            ("host:65536", "ports are 1 to 65535"),
            ("0", "ports are 1 to 65535"),
            ("[nonsense]:7", "'nonsense' is not an IPv6 address"),
            ("a..b", "'a..b' is not a host name"),
            ("\udcff:7", r"'\udcff' is not a host name"),
        ):
            problem = self.assertRaises(ValueError, parseTarget, text, 7)
            self.assertIn(why, str(problem), text)

    def test_streamEndpoint(self) -> None:
        """
        All addresses of a name are tried.  An address is not looked up.  A description is
        parsed by Twisted.
        """
        reactor: Any = MemoryReactorClock()
        for host, kind in (
            ("host", HostnameEndpoint),
            ("192.0.2.1", TCP4ClientEndpoint),
            ("fe80::1%eth0", TCP6ClientEndpoint),
        ):
            self.assertIsInstance(streamEndpoint(reactor, Address(host, 7), 3), kind)
        unix = streamEndpoint(reactor, Description("unix:/run/echod.sock"), 3)
        self.assertIsInstance(unix, UNIXClientEndpoint)
        problem = self.assertRaises(
            ValueError, streamEndpoint, reactor, Description("what:ever"), 3
        )
        self.assertIn("Unknown endpoint type: 'what'", str(problem))

    def test_withoutTLS(self) -> None:
        """
        Without pyOpenSSL, one line says what is missing.
        """
        for missing in (
            ImportError("No module named 'OpenSSL'"),
            NameError("name 'optionsForClientTLS' is not defined"),
        ):

            def parse(*_: object, missing: Exception = missing) -> NoReturn:
                raise missing

            problem = self.assertRaises(
                ValueError, streamEndpoint, None, Description("tls:a:1"), 3, parse
            )
            self.assertEqual(str(problem), needed("tls"))

    def reactor(self, *addresses: Any) -> Any:
        """
        @return: A reactor that finds these addresses for every name.
        """

        class Resolver:
            nameResolver: Any

            def resolveHostName(self, receiver: Any, *_: object, **options: str) -> None:
                receiver.resolutionBegan(None)
                for address in addresses:
                    receiver.addressResolved(address)
                receiver.resolutionComplete()

        reactor: Any = Resolver()
        reactor.nameResolver = reactor
        directlyProvides(reactor, IReactorPluggableNameResolver)
        return reactor

    def resolved(self, addresses: list[Any], family: Family | None) -> Any:
        """
        @return: The target of a name with these addresses.
        """
        reactor = self.reactor(*addresses)
        return Deferred.fromCoroutine(resolve(reactor, Address("host", 7), family))

    def test_resolve(self) -> None:
        """
        The IPv4 addresses of a host come first, unless the options ask for IPv6.
        """
        four, six = IPv4Address("UDP", "192.0.2.1", 7), IPv6Address("UDP", "2001:db8::1", 7)
        for addresses, family, host in (
            ([six, four], None, "192.0.2.1"),
            ([six], None, "2001:db8::1"),
            ([four, six], IPv6Address, "2001:db8::1"),
            ([six, four], IPv4Address, "192.0.2.1"),
        ):
            first, *_ = self.successResultOf(self.resolved(addresses, family))
            self.assertEqual(first, Address(host, 7))
        none: tuple[tuple[list[Any], Family | None, str], ...] = (
            ([four], IPv6Address, "host has no IPv6 address"),
            ([six], IPv4Address, "host has no IPv4 address"),
            ([], None, "host has no address"),
        )
        for addresses, family, words in none:
            failure = self.failureResultOf(self.resolved(addresses, family), DNSLookupError)
            self.assertIn(words, str(failure.value))

    def test_family(self) -> None:
        """
        A stream uses one family only if the options ask for it.
        """
        reactor = self.reactor(IPv6Address("TCP", "::1", 7), IPv4Address("TCP", "127.0.0.1", 7))
        for arguments, kind in (
            ([], HostnameEndpoint),
            (["-4"], TCP4ClientEndpoint),
            (["-6"], TCP6ClientEndpoint),
        ):
            options = parseCommandLine(["tcp", *arguments, "host:7"])
            endpoint = endpointOf(reactor, options, options["target"])
            found = self.successResultOf(Deferred.fromCoroutine(endpoint))
            self.assertIsInstance(found, kind)


class OptionsTests(SynchronousTestCase):
    """
    Tests for L{Options}.
    """

    def plan(self, *arguments: str) -> Plan:
        """
        @return: The plan of C{echoc ping} for these arguments.
        """
        options = parseCommandLine(["ping", *arguments])
        assert isinstance(options, PingOptions)
        return options.plan

    def test_defaults(self) -> None:
        """
        Without a target, it is this machine and the port of the article.
        """
        for name, port in (("greet", 9999), ("tcp", 8080), ("udp", 8080), ("ping", 8080)):
            options = parseCommandLine([name])
            self.assertEqual(options.command, name)
            self.assertEqual(options["target"], Address("127.0.0.1", port))
            options = parseCommandLine([name, "-6"])
            self.assertEqual(options["target"], Address("::1", port))

    def test_anyOrder(self) -> None:
        """
        Options may come before the target and after it.
        """
        one = parseCommandLine(
            ["ping", "-q", "-c3", "host", "-i", "0.5", "--json", "--timeout=2"]
        )
        other = parseCommandLine(
            ["ping", "--count", "3", "-qi.5", "--json", "-W2", "--", "host"]
        )
        self.assertEqual(dict(one), dict(other))
        assert isinstance(one, PingOptions)
        self.assertEqual(one.plan, Plan(3, 0.5, (64,), 2.0, persistent=True))

    def test_plan(self) -> None:
        """
        The options of C{echoc ping} make a plan.
        """
        self.assertEqual(self.plan(), Plan(None, 1.0, (64,), 1.0))
        self.assertEqual(self.plan("-i", "0.000050").interval, 0.000050)
        self.assertEqual(self.plan("-w", "5", "-W", "2"), Plan(timeout=2.0, deadline=5.0))
        self.assertEqual(self.plan("--percentiles", "5,99.99").percentiles, (5, 99.99))
        self.assertEqual(self.plan("--rate", "1000").interval, 0.001)
        self.assertEqual(self.plan("--flood").interval, 0)
        self.assertEqual(self.plan("-s", "64-1472:64").sizes, tuple(range(64, 1473, 64)))
        self.assertEqual(self.plan("-s", "64-1472:64").count, 23)
        self.assertEqual(
            self.plan("-s", "1-3", "-c", "9"), Plan(9, 1.0, (1, 2, 3), 1.0, persistent=True)
        )
        self.assertEqual(
            self.plan("--for", "5m", "-s", "1-3"),
            Plan(sizes=(1, 2, 3), sending=300, persistent=True),
        )
        for arguments, probes in (
            ("--for 1.1 -i 0.1", 11),
            ("--for 1.11 -i 0.1", 12),
            ("--for 50ms -i 1", 1),
            ("--for 1h -c 7", 7),
            ("--for 3 -c 7", 3),
            ("--for 3 --flood", None),
        ):
            self.assertEqual(self.plan(*arguments.split()).probes, probes, arguments)

    def test_limits(self) -> None:
        """
        The limits for the result are a percentage and a duration.
        """
        for arguments, limits in (
            ("", Limits()),
            ("--max-loss 0 --max-rtt 50ms", Limits(0, 0.05)),
            ("--max-loss 2.5%", Limits(2.5)),
        ):
            options = parseCommandLine(["ping", *arguments.split()])
            assert isinstance(options, PingOptions)
            self.assertEqual(options.limits, limits)
        self.assertEqual(parseCommandLine(["ping", "--tcp", "unix:/x"])["target"], "unix:/x")

    def test_mistakes(self) -> None:
        """
        A wrong argument is refused in one line, which names it.
        """
        for arguments, why in (
            ([], "give a command: greet, tcp, udp, ping, watch"),
            (["pong"], "unknown command pong: did you mean ping?"),
            (["greeting"], "unknown command greeting: did you mean greet?"),
            (["xyz"], "unknown command xyz: the commands are greet, tcp, udp, ping, watch"),
            (["help"], "unknown command help: did you mean --help?"),
            (["--count", "3", "ping"], "it goes after the command, as in 'echoc ping --count'"),
            (["--tcp", "8080"], "unknown option --tcp: did you mean 'echoc tcp'?"),
            (["--versoin"], "unknown option --versoin: did you mean --version?"),
            (["ping", "--wxyz"], "unknown option --wxyz: --help lists the options"),
            (["ping", "--intervall=1"], "unknown option --intervall: did you mean --interval?"),
            (["tcp", "--count", "3"], "unknown option --count: only 'echoc ping' has it"),
            (["udp", "a", "-c3"], "unknown option -c: only 'echoc ping' has it"),
            (["tcp", "a", "--ipv4=1"], "option --ipv4 must not have an argument"),
            (["tcp", "a", "b"], "one TARGET only; b is too much"),
            (["tcp", "a", "1", "2"], "one TARGET only; 1 is too much"),
            (["ping", "a", "b c"], "'b c': neither HOST"),
            (["ping", "--plot", "a", "b"], "--plot is for one target"),
            (["ping", "--histogram", "x", "a", "b"], "--histogram is for one target"),
            (["ping", "-6", "::1", "127.0.0.1"], "--ipv6 does not go with 127.0.0.1"),
            (["ping", "a", "65536"], "a:65536: 65536 is not a port"),
            (["ping", "host:99999"], "host:99999: 99999 is not a port"),
            (["ping", "unix:/x"], "unix:/x: datagrams go to HOST"),
            (["udp", "unix:/x"], "unix:/x: datagrams go to HOST"),
            (["ping", "-6", "127.0.0.1"], "--ipv6 does not go with 127.0.0.1"),
            (["ping", "-4", "::1"], "--ipv4 does not go with ::1"),
            (["ping", "-I", "192.0.2.1", "::1"], "--source does not go with ::1"),
            (["ping", "-I", "::1", "127.0.0.1"], "--source does not go with 127.0.0.1"),
            (["ping", "-4", "-6"], "--ipv4 does not go with --ipv6"),
            (["ping", "-I", ""], "give an address (192.0.2.1) or an interface (eth0)"),
            (["ping", "-I", "x" * 65], "give an address (192.0.2.1) or an interface (eth0)"),
            (["ping", "-Q", "EEF"], "--tos EEF: give a DSCP name (EF, AF41, CS6) or a number"),
            (["ping", "-Q", "256"], "--tos 256: give a DSCP name"),
            (["ping", "-Q", "0x100"], "--tos 0x100: give a DSCP name"),
            (["ping", "-t", "0"], "--ttl 0: give a number from 1 to 255"),
            (["tcp", "-4", "unix:/x"], "--ipv4 does not go with an endpoint description"),
            (["tcp", "-6", "unix:/x"], "--ipv6 does not go with an endpoint description"),
            (
                ["ping", "-i", "x"],
                "--interval x: a duration is written as 600 (seconds), 50ms, ",
            ),
            (
                ["ping", "-i", "0"],
                "--interval 0: a duration is written as 600 (seconds), 50ms, ",
            ),
            (
                ["ping", "-i", "-1"],
                "--interval -1: a duration is written as 600 (seconds), 50ms, ",
            ),
            (
                ["ping", "-i", "nan"],
                "--interval nan: a duration is written as 600 (seconds), 50ms, ",
            ),
            (
                ["ping", "-w", "0"],
                "--deadline 0: a duration is written as 600 (seconds), 50ms, ",
            ),
            (
                ["ping", "--every", "x"],
                "--every x: a duration is written as 600 (seconds), 50ms, ",
            ),
            (
                ["ping", "--percentiles", "0"],
                "--percentiles 0: give numbers from",
            ),
            (["ping", "--percentiles", "5,101"], "--percentiles 5,101: give numbers from"),
            (["ping", "--percentiles", ""], "give numbers from 0.0001 to 100"),
            (["ping", "--for", "0"], "--for 0: a duration is"),
            (["ping", "--max-loss", "101"], "--max-loss 101: give a percentage from 0 to 100"),
            (["ping", "--max-loss", "%"], "--max-loss %: give a percentage from 0 to 100"),
            (["ping", "--max-rtt", "x"], "--max-rtt x: a duration is"),
            (["ping", "--mtu", "--for", "1"], "--mtu does not go with --for"),
            (["ping", "--csv", "--json"], "--json does not go with --csv"),
            (
                ["ping", "-W", "inf"],
                "--timeout inf: a duration is written as 600 (seconds), 50ms, ",
            ),
            (["ping", "--rate", "0"], "--rate 0: give a number of probes a second"),
            (["ping", "-c", "0"], "--count 0: give a number from 1"),
            (["ping", "-c", "1.5"], "--count 1.5: give a number from 1"),
            (["ping", "-s", "x"], "--size x: give bytes, 0 to 65507, or a sweep"),
            (["ping", "-s", "65508"], "--size 65508: give bytes"),
            (["ping", "-s", "1.5"], "--size 1.5: give bytes"),
            (["ping", "-s", "64KiB"], "--size 64KiB: give bytes"),
            (["ping", "-s", "9-1"], "--size 9-1: give bytes"),
            (["ping", "-s", "1-9:0"], "--size 1-9:0: give bytes"),
            (["ping", "--mtu", "--tcp"], "--mtu does not go with --tcp"),
            (["ping", "--mtu", "-s", "64"], "--mtu does not go with --size"),
            (["ping", "--tcp", "--udp"], "--tcp does not go with --udp"),
            (["ping", "--flood", "-i", "1"], "--interval does not go with --flood"),
            (["ping", "--json", "--plot"], "--json does not go with --plot"),
            (["ping", "--tcp", "--df"], "--df is for datagrams"),
            (["ping", "--anew"], "--anew is for connections"),
            (["ping", "--tcp", "-s", "0"], "--size 0: a stream cannot carry nothing"),
        ):
            problem = self.assertRaises(UsageError, parseCommandLine, arguments)
            self.assertIn(why, str(problem), arguments)
            self.assertNotIn("\n", str(problem))

    def test_withoutParent(self) -> None:
        """
        The options of a command can be parsed alone; then no other command is known.
        """
        error = self.assertRaises(UsageError, TCPOptions().parseOptions, ["--count=3"])
        self.assertEqual(str(error), "unknown option --count: --help lists the options")

    def test_hostAndPort(self) -> None:
        """
        Host and port may be two words, as for nc.
        """
        for words, target in (
            (["example.org", "7"], Address("example.org", 7)),
            (["::1", "7"], Address("::1", 7)),
            (["192.0.2.1", "7"], Address("192.0.2.1", 7)),
        ):
            self.assertEqual(parseCommandLine(["tcp", *words])["target"], target)

    def test_several(self) -> None:
        """
        C{ping} takes several targets.  Only two words, a host without a port and a number,
        are one target.
        """
        for words, targets in (
            ("a b c", "a:8080 b:8080 c:8080"),
            ("a a", "a:8080 a:8080"),
            ("a 7", "a:7"),
            ("::1 7", "[::1]:7"),
            ("[::1] 7", "[::1]:7"),
            ("a:1 7", "a:1 127.0.0.1:7"),
            ("7 8", "127.0.0.1:7 127.0.0.1:8"),
            ("a b 7", "a:8080 b:8080 127.0.0.1:7"),
            ("", "127.0.0.1:8080"),
        ):
            options = parseCommandLine(["ping", *words.split()])
            self.assertEqual(" ".join(map(str, options["targets"])), targets)
        options = parseCommandLine(["ping", "--tcp", "unix:/x", "7"])
        self.assertEqual(options["targets"], ["unix:/x", Address("127.0.0.1", 7)])

    def test_protocol(self) -> None:
        """
        The protocol of a UNIX socket is UNIX, not TCP.
        """
        for words, protocol in (
            ("7", "UDP"),
            ("--tcp 7", "TCP"),
            ("--tcp unix:/x", "UNIX"),
            ("--tcp unix:/x 7 unix:/y", "TCP and UNIX"),
        ):
            options = parseCommandLine(["ping", *words.split()])
            assert isinstance(options, PingOptions)
            self.assertEqual(options.protocol, protocol)

    def test_sockets(self) -> None:
        """
        Source, type of service and time to live are options of the sockets.
        """
        for arguments, options in (
            ([], SocketOptions()),
            (["-I", "eth0", "-Q", "EF", "-t", "3"], SocketOptions("eth0", 184, 3)),
            (["-I", "::1", "-Q", "af41"], SocketOptions("::1", 136)),
            (["-I", "\udcff"], SocketOptions("\udcff")),
            (["-Q", "CS6"], SocketOptions("", 192)),
            (["-Q", "LE"], SocketOptions("", 4)),
            (["-Q", "0x10"], SocketOptions("", 16)),
            (["-Q", "255"], SocketOptions("", 255)),
        ):
            self.assertEqual(parseCommandLine(["udp", *arguments]).socketOptions, options)
        for source, address in (("eth0", ""), ("192.0.2.1", "192.0.2.1"), ("", "")):
            self.assertEqual(SocketOptions(source).address, address)

    def test_noSuchInterface(self) -> None:
        """
        An interface that does not exist is an error of the system, whatever its name.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as skt:
            for source in ("nosuchinterface", "\udcff"):
                self.assertRaises(OSError, SocketOptions(source).apply, skt)

    def test_badNumbers(self) -> None:
        """
        In each option, a text that is not a number is refused in one line.
        """
        for number in NO_NUMBERS:
            for option in ("--count", "--interval", "--rate", "--size", "--timeout"):
                said = str(
                    self.assertRaises(
                        UsageError, parseCommandLine, ["ping", f"{option}={number}"]
                    )
                )
                self.assertRegex(said, f"^{option} .*: (give|a duration is written as) ")
                self.assertLess(len(said), 300)
            for target in (f"[::1]:{number}", f"tcp:host:{number}"):
                said = str(
                    self.assertRaises(UsageError, parseCommandLine, ["tcp", "--", target])
                )
                self.assertLess(len(said), 400)
        self.assertRaises(UsageError, parseCommandLine, ["tcp", "\N{ARABIC-INDIC DIGIT FIVE}"])

    def test_numbers(self) -> None:
        """
        A number may have a point, and need not have digits on both sides of it.
        """
        for text, number in ((".5", 0.5), ("5.", 5), ("0.30000000000000004", 0.1 + 0.2)):
            self.assertEqual(self.plan("-i", text).interval, number)

    def test_help(self) -> None:
        """
        The help describes each command, has each option in a group, and explains the exit
        status.
        """
        printed = StringIO()
        with redirect_stdout(printed):
            for arguments in (["-h"], ["ping", "-h"]):
                self.assertRaises(SystemExit, parseCommandLine, arguments)
        for usage in (
            "greet|tcp|udp|ping|watch [options] [TARGET...]",
            "ping [options] [TARGET...]",
        ):
            self.assertIn(f"Usage: echoc {usage}\n", printed.getvalue())
        self.assertIn("\nExit status:\n  0   ", Options().getUsage())
        for kind in (GreetOptions, TCPOptions, UDPOptions, PingOptions, WatchOptions):
            others = kind().sections()["Other options"]
            self.assertEqual([each.flags[-1] for each in others], ["--help", "--version"])
            said = " ".join(kind().getUsage().split())
            self.assertIn("TARGET HOST, HOST:PORT", said)
            self.assertEqual("endpoint description" in said, kind().streams)

    def test_version(self) -> None:
        """
        C{--version} prints one line.
        """
        said = StringIO()
        with redirect_stdout(said):
            self.assertRaises(SystemExit, parseCommandLine, ["--version"])
            self.assertRaises(SystemExit, parseCommandLine, ["ping", "--version"])
        self.assertRegex(said.getvalue(), r"^(echoc [0-9.]+\n){2}$")


class OutcomeTests(SynchronousTestCase):
    """
    Tests for L{explain}.
    """

    def test_unixSocket(self) -> None:
        """
        For a UNIX socket that cannot be used, the message says what is at its path.
        """
        directory = temporaryDirectory(self)
        (directory / "file").touch()
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(directory / "left"))
        for text, words in (
            (f"unix:{directory}/none", f"there is no socket at {directory}/none: look"),
            (f"unix:path={directory}/none", f"there is no socket at {directory}/none: look"),
            (f"unix:{directory}/a\\:b", f"there is no socket at {directory}/a:b: look"),
            (f"unix:{directory}/file", f"{directory}/file is not a socket: look"),
            (f"unix:{directory}", f"{directory} is not a socket: look"),
            (
                f"unix:{directory}/file/x",
                f"{directory}/file/x cannot be used (Not",
            ),
            (f"unix:{directory}/left:timeout=3", f"nobody listens at {directory}/left: look"),
            ("unix:timeout=3", "unix:timeout=3 refused: the machine is up"),
            ("tls:a:7", "tls:a:7 refused: the machine is up"),
        ):
            outcome = refused(Description(text))
            self.assertEqual(outcome.status, 3)
            message = outcome.message.removeprefix(f"{text}: ")
            self.assertTrue(message.startswith(words), message)

    def test_statuses(self) -> None:
        """
        Each failure has its status and a message that names the target.
        """
        for problem, status, words in (
            (ClientError(Outcome(5, "it is wrong")), 5, "it is wrong"),
            (DNSLookupError("x"), 2, "it: the name cannot be resolved (x): look"),
            (error.UnknownHostError(), 2, "it: the name cannot be resolved"),
            (error.ConnectionRefusedError(), 3, "it refused"),
            (ConnectionRefusedError(errno.ECONNREFUSED, ""), 3, "it refused"),
            (error.ConnectError(errno.ENOENT, "no such file"), 3, "it refused"),
            (error.ConnectError(FileNotFoundError(errno.ENOENT, "")), 3, "it refused"),
            (error.TCPTimedOutError(), 4, "it: no answer to connecting: dropped"),
            (defer.TimeoutError(3, ""), 4, "it: no answer"),
            (
                error.NoRouteError(errno.ENETUNREACH, ""),
                4,
                "it is unreachable (Network is unreachable): look at",
            ),
            (
                OSError(errno.EHOSTUNREACH, "host prohibited, says 192.0.2.1"),
                4,
                "it is unreachable (host prohibited, says 192.0.2.1): look at",
            ),
            (OSError(errno.EHOSTUNREACH, ""), 4, "it is unreachable"),
            (error.ConnectBindError(errno.EMFILE, "x"), 1, "it: Too many open files"),
            (OSError(errno.EHOSTDOWN, ""), 4, "it is unreachable"),
            (error.ConnectBindError(errno.ENODEV, ""), 2, "--source: No such device: give"),
            (
                error.CannotListenError("", 0, OSError(errno.EADDRNOTAVAIL, "")),
                2,
                "--source: Cannot assign requested address: give",
            ),
            (error.ConnectBindError(errno.EMFILE, "too many"), 1, "it: "),
            (error.ConnectionLost(), 1, "it: the connection was lost"),
            (ConnectionResetError(errno.ECONNRESET, ""), 1, "it: the connection was lost"),
            (OSError(errno.EACCES, "Permission denied"), 1, "it: Permission denied"),
            (error.ConnectionDone(), 1, "it: the server has closed the connection"),
            (Exception([("SSL routines", "", "bad")]), 1, "it: TLS failed (bad"),
            (ValueError("what"), 1, "it: what"),
            (ValueError(), 1, "it: ValueError"),
        ):
            outcome = explain(problem, "it")
            self.assertEqual(outcome.status, status, repr(problem))
            self.assertTrue(outcome.message.startswith(words), outcome.message)
