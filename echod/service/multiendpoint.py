"""
One server on several addresses, with the same port.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator, Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from zope.interface import implementer

from echod.net.addresses import LOOPBACK6
from echod.net.format import hostPort
from echod.service.explain import errorNumber, explain
from echod.service.interfaces import Endpoint

_log = Logger(namespace="echod.service")

ATTEMPTS = 16
"""
How many free ports to try, if other programs use the port on one of the addresses.
The first one is nearly always free.
"""

UNAVAILABLE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""
The errors for an address that this machine does not have.
"""


EXHAUSTED = (errno.EMFILE, errno.ENFILE)
"""
The errors for which the address is not to blame.
"""


@implementer(IListeningPort)
class MultiPort:
    """
    Several listening ports as one.
    """

    def __init__(self, ports: Sequence[Any]) -> None:
        self.ports = ports

    def startListening(self) -> None:
        """
        Do nothing: all of them listen already.
        """

    def stopListening(self) -> Deferred[Any]:
        """
        @return: Fires when none of them listens any more.
        """
        return gatherResults([maybeDeferred(port.stopListening) for port in self.ports])

    def getHost(self) -> Any:
        """
        @return: The address of the first one.
        """
        return self.ports[0].getHost()


class MultiEndpoint:
    """
    Listens on all addresses of a list that this machine has.
    """

    def __init__(
        self,
        port: int,
        endpoints: Sequence[tuple[str, Callable[[int], Endpoint]]],
        required: str | None = None,
    ) -> None:
        """
        @param port: The port of all addresses; 0 for any port that is free on all of
            them.

        @param endpoints: The literal addresses, each with a function that takes a port
            and makes the endpoint.

        @param required: The only address that must be listened on.  Without it, all
            addresses must that this machine has.
        """
        self._port = port
        self._endpoints = endpoints
        self._required = required

    def listen(self, server: Any) -> Deferred[IListeningPort]:
        """
        @return: Fires with a L{MultiPort}, or fails with
            L{CannotListenError<twisted.internet.error.CannotListenError>}.
        """
        return self._listen(server, ATTEMPTS)

    @inlineCallbacks
    def _listen(self, server: Any, attempts: int) -> Generator[Any, Any, IListeningPort]:
        ports: list[Any] = []
        omitted: list[tuple[str, CannotListenError]] = []
        port = self._port
        for host, endpoint in self._endpoints:
            try:
                ports.append((yield endpoint(port).listen(server)))
                port = ports[0].getHost().port
            except CannotListenError as error:
                chosen = bool(ports) and self._port == 0
                again = chosen and attempts > 1 and errorNumber(error) == errno.EADDRINUSE
                if not again and self._isOptional(host, error):
                    omitted.append((host, error))
                    continue
                MultiPort(ports).stopListening()
                if not again:
                    raise
                other: IListeningPort = yield self._listen(server, attempts - 1)
                return other
        if not ports:
            raise omitted[-1][1]
        _report(server, port, omitted)
        return MultiPort(ports)

    def _isOptional(self, host: str, error: CannotListenError) -> bool:
        if self._required is None:
            return errorNumber(error) in UNAVAILABLE
        return host != self._required and errorNumber(error) not in EXHAUSTED


def _report(server: Any, port: int, omitted: Sequence[tuple[str, CannotListenError]]) -> None:
    for host, error in omitted:
        # Many machines have no IPv6.
        if host != LOOPBACK6 or errorNumber(error) not in UNAVAILABLE:
            _log.warn(
                "{service} does not listen on {address}: {why}",
                service=server.service,
                address=hostPort(host, port),
                why=explain(error),
            )
