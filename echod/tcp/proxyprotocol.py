"""
Services behind a proxy: each connection starts with a PROXY header.

Twisted's wrapper makes the session before it knows the peer, needs the beginning of the
header in one segment, waits for it without a limit, and hides half-closes.  Here the
session is made when the header is complete.  From then on it is the transport's only
protocol, and no message passes through this module.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.policies import WrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.limits.capacity import NO_ROOM, Capacity
from echod.limits.networks import Networks
from echod.limits.refusals import Refusals
from echod.net.format import addressName
from echod.net.sockets import unread
from echod.tcp.deadlines import Deadlines
from echod.tcp.factory import SessionFactory
from echod.tcp.proxyheader import EXPECTED, Header, headerSize, parse
from echod.tcp.proxypeer import sessionAddress

HEADER_TIMEOUT = 3.0
"""
How long a header may take, in seconds: the protocol's text recommends this, so that one
lost packet is forgiven.
"""

LATE = f"{EXPECTED} within {HEADER_TIMEOUT:g} s"
NOT_A_PROXY = "address not in --proxy-from"


@implementer(IHalfCloseableProtocol)
class ProxyProtocol(Protocol):
    """
    A connection that waits for its header.
    """

    factory: ProxyFactory
    transport: Any
    _received = b""

    def connectionMade(self) -> None:
        """
        Wait for the header.
        """
        self.factory.waiting.add(self)
        self.factory.capacity.take(1)
        self.factory.headers.add(self)

    def dataReceived(self, data: bytes) -> None:
        """
        Collect the header.
        """
        if self not in self.factory.waiting:
            return
        self._received += data
        try:
            size = headerSize(self._received)
            if size is None:
                return
            header = parse(self._received[:size])
        except ValueError as reason:
            self.refuse(str(reason))
        else:
            self._handOver(header, self._received[size:])

    def readConnectionLost(self) -> None:
        """
        Refuse the peer: its stream has ended before the end of the header.
        """
        self.refuse(EXPECTED)

    def writeConnectionLost(self) -> None:
        """
        Do nothing: this side is never closed alone.
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Forget the connection.  If it was still waiting, this is no refusal: port scanners
        and health checks connect and close.
        """
        self._waitNoMore()
        # The drain of the service may wait for this connection alone.
        self.factory.settled()

    def refuse(self, reason: str) -> None:
        """
        Close the connection, and count it as refused.
        """
        self.abort()
        self.factory.refuse(reason, self.transport.getPeer())

    def drain(self) -> None:
        """
        Close the connection, unless bytes have arrived that were not read yet.
        """
        if not unread(self.transport):
            self.abort()

    def late(self) -> None:
        """
        Refuse the peer: its header has not come in time.
        """
        self.refuse(LATE)

    def abort(self) -> None:
        """
        Close the connection.
        """
        self._waitNoMore()
        self.factory.settled()
        self.transport.loseConnection()

    def _waitNoMore(self) -> None:
        if self in self.factory.waiting:
            self.factory.waiting.remove(self)
            self.factory.capacity.take(-1)
        self.factory.headers.discard(self)

    def _handOver(self, header: Header, data: bytes) -> None:
        """
        Make the session the transport's protocol, unless the session's factory refuses it.

        @param data: The bytes after the header.
        """
        self._waitNoMore()
        factory, transport = self.factory, self.transport
        trusted = factory.proxies is not None
        address = sessionAddress(header, transport.getPeer(), trusted)
        session: Any = factory.wrapped.buildProtocol(address)
        if session is None:
            self.abort()
            return
        # As Twisted does to put TLS on a connection.
        transport.protocol = session
        session.makeConnection(transport)
        factory.settled()
        if data:
            session.dataReceived(data)


class ProxyFactory(Factory):
    """
    Reads a PROXY header, and passes on the data after it to the protocols of another factory.

    The other factory's C{buildProtocol} gets the address that the header names.  The
    transport's own address is still the proxy's.

    It must be the outermost factory: TLS, for example, starts after the header.

    @ivar wrapped: The other factory.

    @ivar proxies: The addresses that may send headers; L{None} for all.  Everybody who may
        send one can claim any address.  On a UNIX socket the file's permissions decide.

    @ivar refusals: The connections that were refused.

    @ivar capacity: The room that waiting connections take, as sessions do.

    @ivar waiting: The connections that wait for their header.

    @ivar settled: Called when a connection waits no longer.

    @ivar headers: One timer for all waiting connections.
    """

    noisy = False
    protocol = ProxyProtocol  # type: ignore[assignment]

    def __init__(
        self, reactor: IReactorTime, wrapped: Factory, proxies: Networks | None = None
    ) -> None:
        self.reactor = reactor
        self.wrapped = wrapped
        self.proxies = proxies
        self.headers = Deadlines(reactor, HEADER_TIMEOUT, ProxyProtocol.late)
        served: Any = wrapped
        while isinstance(served, WrappingFactory):
            served = served.wrappedFactory
        if isinstance(served, SessionFactory):
            self.refusals, self.capacity = served.refusals, served.limits.capacity
            self.waiting, self.settled = served.waiting, served.settled
        else:
            self.refusals, self.capacity = Refusals(reactor, self.logPrefix()), Capacity()
            self.waiting, self.settled = set(), lambda: None

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        @return: A protocol that waits for the header; L{None} if the connection is refused.
        """
        host = getattr(addr, "host", None)
        if host is not None and self.proxies is not None and not self.proxies.serves(host):
            self.refuse(NOT_A_PROXY, addr)
            return None
        if self.capacity.full:
            self.refuse(NO_ROOM, addr)
            return None
        return super().buildProtocol(addr)

    def refuse(self, reason: str, address: IAddress | None) -> None:
        """
        Count and log a refusal.
        """
        self.refusals.add(reason, addressName(address))

    def doStart(self) -> None:
        """
        Count a port that starts to listen, here and in the other factory.
        """
        super().doStart()
        self.wrapped.doStart()

    def doStop(self) -> None:
        """
        Count a port that has stopped listening, here and in the other factory.
        """
        self.wrapped.doStop()
        super().doStop()

    def startFactory(self) -> None:
        """
        Start the timers: the first port listens.
        """
        self.headers.start()
        self.refusals.start()

    def stopFactory(self) -> None:
        """
        Close the connections that have sent nothing yet: no port listens any more.
        """
        for connection in list(self.waiting):
            connection.drain()
        self.headers.stop()
        self.refusals.stop()

    def logPrefix(self) -> str:
        """
        @return: The other factory's name in Twisted's log messages.
        """
        return str(self.wrapped.logPrefix())
