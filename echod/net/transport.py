"""
Interfaces of stream transports that Twisted implements but does not name.
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
        Close without sending what is left in the buffer.
        """


class IHalfCloseableTLS(ISSLTransport):
    """
    A TLS transport that can be half-closed as TCP can.  Twisted's own cannot.
    """
