"""
Tests for L{echod.status.snapshot}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.impair.spec import ConnectionImpairments, DatagramImpairments
from echod.impair.tcp import ImpairedEchoFactory
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.limits.networks import DENIED
from echod.service.interfaces import EchoServer
from echod.service.listening import ListeningService
from echod.status.snapshot import (
    SHOWN_SESSIONS,
    Listening,
    serviceState,
    sessionStates,
    unready,
    withKeys,
)
from echod.tcp.echo import EchoFactory
from echod.tcp.proxyprotocol import NOT_A_PROXY
from echod.tcp.session import HANDSHAKE_FAILED
from echod.udp.echo import UDPEchoProtocol
from tests.support import PEER, UNTIMED, clock, connect
from tests.support.service import Endpoint


class SnapshotTests(SynchronousTestCase):
    """
    Tests for L{serviceState} and L{sessionStates}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.factory = EchoFactory(self.clock, limits=UNTIMED)
        self.service = self.serve(self.factory)

    def serve(self, server: EchoServer) -> Listening:
        """
        @return: A service that listens.
        """
        service = ListeningService("127.0.0.1:0", Endpoint(), server)
        service.startService()
        return service

    def test_keys(self) -> None:
        """
        Reasons become keys that C{jq} takes without quotes.
        """
        for reason in (DENIED, NOT_A_PROXY, HANDSHAKE_FAILED):
            self.factory.refusals.add(reason, "192.0.2.1:40000")
        self.assertEqual(
            withKeys(serviceState(self.service))["refused"],
            {"denied_address": 1, "address_not_in_proxy_from": 1, "TLS_handshake_failed": 1},
        )

    def test_sessions(self) -> None:
        """
        The state of a service with sessions has the counters of open and of ended
        sessions.
        """
        (first, transport), (second, _) = connect(self.factory), connect(self.factory)
        first.dataReceived(b"hello")
        second.dataReceived(b"b")
        self.factory.refusals.add(DENIED, "192.0.2.1:40000")
        self.clock.advance(0.05)
        transport.connectionDone()
        self.assertEqual(
            serviceState(self.service),
            {
                "service": "TCP echo",
                "address": "127.0.0.1:40000",
                "state": "listening",
                "kind": "sessions",
                "received_bytes": 6,
                "returned_bytes": 5,
                "refused": {DENIED: 1},
                "impairments": None,
                "impaired": {},
                "open": 1,
                "max_connections": 0,
                "accepted": 2,
                "ended": {"closed by peer": 1},
                "duration_buckets": [0, 1, 0, 0, 0, 0, 0, 0, 0],
                "duration_sum_s": 0.05,
            },
        )

    def test_datagrams(self) -> None:
        """
        The state of a service of datagrams has the counters of answered and of refused
        datagrams.
        """
        server = UDPEchoProtocol(self.clock)
        server.received, server.answered = 12, 2
        server.refuse("reason", ("192.0.2.1", 7), 4)
        self.assertEqual(
            serviceState(self.serve(server)),
            {
                "service": "UDP echo",
                "address": "127.0.0.1:40000",
                "state": "listening",
                "kind": "datagrams",
                "received_bytes": 12,
                "returned_bytes": 8,
                "refused": {"reason": 1},
                "impairments": None,
                "impaired": {},
                "received": 3,
                "answered": 2,
            },
        )

    def test_impaired(self) -> None:
        """
        The state of an impaired service has its impairments and their counters.
        """
        sessions = ImpairedEchoFactory(
            self.clock, impairments=ConnectionImpairments.parse("refuse=100%,seed=7")
        )
        datagrams = ImpairedUDPEchoProtocol(
            self.clock, impairments=DatagramImpairments.parse("drop=100%,seed=8")
        )
        sessions.buildProtocol(PEER)
        datagrams.datagramReceived(b"lost", ("192.0.2.1", 40000))
        servers: list[tuple[EchoServer, str, dict[str, int]]] = [
            (sessions, "refuse=100%,seed=7", {"refuse": 1}),
            (datagrams, "drop=100%,seed=8", {"drop": 1}),
        ]
        for server, impairments, impaired in servers:
            state = serviceState(self.serve(server))
            self.assertEqual((state["impairments"], state["impaired"]), (impairments, impaired))

    def test_unready(self) -> None:
        """
        A service that does not listen is a reason, with its state.
        """
        other = ListeningService("127.0.0.1:7", Endpoint(), UDPEchoProtocol(self.clock))
        connect(self.factory)
        self.assertEqual(unready([self.service]), [])
        self.service.stopService()
        self.assertEqual(
            unready([self.service, other]),
            ["TCP echo on 127.0.0.1:40000 is draining", "UDP echo on 127.0.0.1:7 is stopped"],
        )

    def test_busiestAndNewest(self) -> None:
        """
        The busiest and the newest sessions are shown, up to a limit.
        """
        for size in range(1, SHOWN_SESSIONS + 11):
            session, _ = connect(self.factory)
            session.dataReceived(b"x" * size)
            self.clock.advance(1)
        shown = sessionStates([self.service], lambda session: -session.received, 1000)
        self.assertEqual(shown["open"], SHOWN_SESSIONS + 10)
        self.assertEqual(len(shown["busiest"]), SHOWN_SESSIONS)
        self.assertEqual(len(shown["newest"]), SHOWN_SESSIONS)
        row = {"service": "TCP echo", "address": "127.0.0.1:40000", "peer": "192.0.2.1:40000"}
        self.assertEqual(
            shown["busiest"][1],
            {
                **row,
                "since_unix_s": 1001,
                "received_bytes": 2,
                "returned_bytes": 2,
                "received_bytes_per_s": -2,
            },
        )
        self.assertEqual(shown["newest"][0]["since_unix_s"], 1000 + SHOWN_SESSIONS + 9)

    def test_sameRate(self) -> None:
        """
        If sessions have the same rate, the one that has received more counts as busier.
        """
        # So many that the order of a set is not the right one by chance.
        for size in range(1, 21):
            connect(self.factory)[0].dataReceived(b"x" * size)
        busiest = sessionStates([self.service], lambda _: 7, 0)["busiest"]
        self.assertEqual([row["received_bytes"] for row in busiest], [*range(20, 0, -1)])

    def test_onlySessions(self) -> None:
        """
        A service of datagrams has no sessions.
        """
        shown = sessionStates([self.serve(UDPEchoProtocol(self.clock))], lambda _: 0, 0)
        self.assertEqual(shown, {"open": 0, "busiest": [], "newest": []})
