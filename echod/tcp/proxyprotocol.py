"""
The PROXY protocol, versions 1 and 2: a proxy tells who its peer is, in a header
in front of everything else (U{https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt}).

Headers are read by Twisted's parsers, but not by Twisted's wrapper, which makes
the session before it knows for whom, needs the beginning of the header in one
segment, waits for it for ever and keeps half-closes to itself.  Here the session
is made when the header is there; from then on it has the connection to itself,
and no message passes through this module.

Whoever can connect can say who he is: let nobody but the proxy.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IReactorTime,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.haproxy._exceptions import InvalidProxyHeader
from twisted.protocols.haproxy._v1parser import V1Parser
from twisted.protocols.haproxy._v2parser import V2Parser
from twisted.protocols.policies import WrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.limits.capacity import NO_ROOM, Capacity
from echod.limits.refusals import Refusals
from echod.net.addresses import MAX_PORT
from echod.net.format import addressName
from echod.net.quantities import wholeNumber
from echod.net.sockets import unread
from echod.tcp.deadlines import Deadlines
from echod.tcp.factory import SessionFactory

HEADER_TIMEOUT = 3.0
"""
How long a header may take, in seconds: as long as the protocol's text
recommends, so that one lost packet is forgiven.
"""

V1_SIGNATURE = b"PROXY "
V1_LIMIT = 107
"""
The longest header of version 1, by definition.
"""

V2_FIXED = 16
"""
How much of a header of version 2 says how long it is.
"""

V2_LIMIT = 4096
"""
The longest header of version 2 that is taken, as by nginx.  Addresses need no
more than 232 bytes, the rest is for extensions.
"""

MALFORMED = "malformed PROXY header"
MISSING = "no PROXY header"
LATE = "no PROXY header in time"


def headerSize(data: bytes) -> int | None:
    """
    @param data: What has come so far: at least one byte.

    @return: How much of it is the header; L{None} if there is more to come.

    @raise ValueError: if it is no header, or one that is too long.
    """
    if V2Parser.PREFIX.startswith(data[: len(V2Parser.PREFIX)]):
        size, limit = V2_FIXED, V2_LIMIT
        if len(data) >= size:
            size += int.from_bytes(data[V2_FIXED - 2 : V2_FIXED], "big")
    elif V1_SIGNATURE.startswith(data[: len(V1_SIGNATURE)]):
        end = data.find(V1Parser.NEWLINE)
        size, limit = (len(data) if end < 0 else end + 1) + 1, V1_LIMIT
    else:
        raise ValueError("no header")
    if size > limit:
        raise ValueError("too long")
    return size if size <= len(data) else None


def sourceAddress(header: bytes) -> IAddress | None:
    """
    @param header: A whole header.

    @return: Whom the proxy speaks for; L{None} if for itself (C{LOCAL}, as in
        its health checks), or for somebody whom it does not name.

    @raise ValueError: if it is malformed.
    """
    parse = _parseV2 if header.startswith(V2Parser.PREFIX) else _parseV1
    try:
        information = parse(header)
    except InvalidProxyHeader:
        raise ValueError("malformed") from None
    _checked(information.destination)
    return _checked(information.source)


def _parseV1(header: bytes) -> Any:
    line = header[: -len(V1Parser.NEWLINE)]
    fields = line.split(b" ")
    if fields[1:2] != [V1Parser.UNKNOWN_PROTO]:
        if len(fields) != 6:
            raise InvalidProxyHeader
        for port in fields[4:]:
            wholeNumber(port.decode("latin-1"), 0, MAX_PORT)
    # Twisted's parser wants one more field after UNKNOWN; after those that it
    # needs it does not care.
    return V1Parser.parse(line + b" ")


def _parseV2(header: bytes) -> Any:
    return V2Parser.parse(header)


def _checked(address: Any) -> IAddress | None:
    """
    @return: The address in its usual form: Twisted's parsers take any text for
        one.

    @raise ValueError: if it is none.
    """
    if isinstance(address, (IPv4Address, IPv6Address)):
        family = "IPv4Address" if isinstance(address, IPv4Address) else "IPv6Address"
        host = getattr(ipaddress, family)(address.host)
        if "%" in address.host:
            raise ValueError("malformed")
        return type(address)("TCP", str(host), address.port)
    return address  # type: ignore[no-any-return]


@implementer(IHalfCloseableProtocol)
class ProxyProtocol(Protocol):
    """
    A connection whose header has not come yet.
    """

    factory: ProxyFactory
    transport: Any
    _received = b""

    def connectionMade(self) -> None:
        """
        Wait for the header.
        """
        self.factory.waiting.add(self)
        self.factory.capacity.taken += 1
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
            peer = sourceAddress(self._received[:size])
        except ValueError:
            self.refuse(MALFORMED)
        else:
            self._handOver(peer, self._received[size:])

    def readConnectionLost(self) -> None:
        """
        The header will not come any more.
        """
        self.refuse(MISSING)

    def writeConnectionLost(self) -> None:
        """
        This side is never closed alone.
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The peer has gone before it said anything, as port scanners and health
        checks do; or it was refused.
        """
        self._waitNoMore()
        self.factory.settled()

    def refuse(self, reason: str) -> None:
        """
        Close, and count.
        """
        self.abort()
        self.factory._refuse(reason, self.transport.getPeer())

    def drain(self) -> None:
        """
        Close, unless something has come of what is waited for.
        """
        if not unread(self.transport):
            self.abort()

    def late(self) -> None:
        """
        The header has not come in time.
        """
        self.refuse(LATE)

    def abort(self) -> None:
        """
        Close.
        """
        self._waitNoMore()
        self.factory.settled()
        self.transport.loseConnection()

    def _waitNoMore(self) -> None:
        if self in self.factory.waiting:
            self.factory.waiting.remove(self)
            self.factory.capacity.taken -= 1
        self.factory.headers.discard(self)

    def _handOver(self, peer: IAddress | None, data: bytes) -> None:
        """
        Give the connection to a session.

        @param peer: For the session's factory, which may refuse it.

        @param data: What came behind the header.
        """
        self._waitNoMore()
        transport = self.transport
        session = self.factory.wrapped.buildProtocol(peer or transport.getPeer())
        if session is None:
            self.abort()
            return
        # As Twisted does to put TLS on a connection.
        transport.protocol = session
        session.makeConnection(transport)
        self.factory.settled()
        if data:
            session.dataReceived(data)


class ProxyFactory(Factory):
    """
    Has a header in front of what another factory's protocols receive.  The
    address that the header names is the one that this factory's
    C{buildProtocol} gets; the transport's own address is still the proxy's.

    It has to be the outermost: TLS, for one, starts behind the header.

    @ivar wrapped: The other factory.

    @ivar refusals: The connections that were refused.

    @ivar capacity: Room for connections, which they take as well.

    @ivar waiting: Those whose header has not come yet.

    @ivar settled: What to do when one of them has become a session, or has gone.

    @ivar headers: One timer for all of them.
    """

    noisy = False
    protocol = ProxyProtocol  # type: ignore[assignment]

    def __init__(self, reactor: IReactorTime, wrapped: Factory) -> None:
        self.reactor = reactor
        self.wrapped = wrapped
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
        @return: What waits for the header, if there is room for it.
        """
        if self.capacity.full:
            self._refuse(NO_ROOM, addr)
            return None
        return super().buildProtocol(addr)

    def doStart(self) -> None:
        """
        A port starts to listen.
        """
        super().doStart()
        self.wrapped.doStart()

    def doStop(self) -> None:
        """
        A port has stopped to listen.
        """
        self.wrapped.doStop()
        super().doStop()

    def startFactory(self) -> None:
        """
        Listening starts, perhaps again.
        """
        self.headers.start()
        self.refusals.start()

    def stopFactory(self) -> None:
        """
        Nobody new is served: nor are those of whom nothing has come yet.
        """
        for connection in list(self.waiting):
            connection.drain()
        self.headers.stop()
        self.refusals.stop()

    def logPrefix(self) -> str:
        """
        How Twisted names it in its own messages: by what it leads to.
        """
        return str(self.wrapped.logPrefix())

    def _refuse(self, reason: str, address: IAddress | None) -> None:
        self.refusals.add(reason, addressName(address))
