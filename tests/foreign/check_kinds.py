"""
The fixture under tests of every kind.
"""

import socket

import pytest
import trio
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase

pytestmark = pytest.mark.echod("--greeting-text", "Hello")


def test_socket(echod):  # type: ignore[no-untyped-def]
    with socket.create_connection(echod.greeting) as client:
        assert client.makefile("rb").read() == b"Hello\r\n"


@pytest.mark.echod("--greeting-text", "Goodbye")
def test_conflict(echod):  # type: ignore[no-untyped-def]
    with socket.create_connection(echod.greeting) as client:
        assert client.makefile("rb").read() == b"Goodbye\r\n"


@pytest.mark.echod("--udp-rate", 1000, impair=["udp:duplicate=100%", "tcp:delay=1ms"])
def test_trio(echod):  # type: ignore[no-untyped-def]
    async def talk() -> None:
        with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as client:
            await client.sendto(b"once", echod.udp)
            assert [await client.recv(10), await client.recv(10)] == [b"once", b"once"]

    trio.run(talk)


class TwistedTests(TestCase):
    @pytest.fixture(autouse=True)
    def _echod(self, echod):  # type: ignore[no-untyped-def]
        self.echod = echod

    async def test_twisted(self) -> None:
        client = Protocol()
        endpoint = TCP4ClientEndpoint(reactor, *self.echod.tcp)
        await connectProtocol(endpoint, client)
        client.transport.loseConnection()  # type: ignore[union-attr]


@pytest.mark.echod(impair="drop=1")
def test_nonsense(echod):  # type: ignore[no-untyped-def]
    pass


@pytest.mark.echod(impare="drop=1%")
def test_typo(echod):  # type: ignore[no-untyped-def]
    pass


@pytest.mark.echod(impair=1)
def test_number(echod):  # type: ignore[no-untyped-def]
    pass
