"""
Stream transports: interfaces and an error that Twisted has no names for.
"""

from twisted.internet.interfaces import (
    IConsumer,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
)
from zope.interface import Attribute


class ISessionTransport(ITCPTransport, IConsumer, IPushProducer):
    """
    A stream transport of one of Twisted's reactors.
    """

    disconnecting = Attribute("Whether the connection is about to close.")

    def abortConnection() -> None:
        """
        Close without sending the data in the buffer.
        """


class HandshakeFailed(Exception):
    """
    A TLS connection was lost because its handshake has failed.  The text is the reason.
    """


class IHalfCloseableTLS(ISSLTransport):
    """
    A TLS transport that can be half-closed as TCP can.  Twisted's own cannot.
    """
