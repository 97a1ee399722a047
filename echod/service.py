"""
Listening as a Twisted service: one for each address, and all of them together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.application.service import MultiService, Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.failure import Failure

from echod._version import __version__
from echod.display import addressName
from echod.loopguard import RESERVED


class Endpoint(Protocol):
    """
    What can be listened on: an
    L{IStreamServerEndpoint<twisted.internet.interfaces.IStreamServerEndpoint>}
    or a L{UDPServerEndpoint<echod.udp.UDPServerEndpoint>}.
    """

    def listen(self, server: Any, /) -> Deferred[IListeningPort]: ...


class Server(Protocol):
    """
    What is listened for: a factory, or a datagram protocol.
    """

    service: str


class CannotServe(SystemExit, Exception):
    """
    Something could not be listened on.  The log has said so; twistd and twist
    end with status 1 and without the traceback that any other exception gets.

    It is an C{Exception} as well because twistd tidies up (its PID file, its
    waiting parent) after those only.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = 1


class ListeningService(Service):
    """
    Listens while it runs.

    Unlike Twisted's C{StreamServerEndpointService} it can be started again, and
    an address that cannot be had is one line in the log and an end to the
    start.

    @ivar address: What to listen on, as the one who asked for it wrote it.

    @ivar port: What listens, or L{None}.
    """

    log = Logger()

    port: IListeningPort | None = None
    _listening: Deferred[None] | None = None
    _problem: CannotServe | None = None

    def __init__(self, address: str, endpoint: Endpoint, server: Server) -> None:
        self.address = address
        self.endpoint = endpoint
        self.server = server

    def privilegedStartService(self) -> None:
        """
        Listen; before twistd gives up its privileges, so that the port may be
        one of those below 1024.

        @raise CannotServe: if that fails at once.
        """
        super().privilegedStartService()
        self._problem = None
        self._listening = self.endpoint.listen(self.server).addCallbacks(
            self._listens, self._failed
        )
        if self._problem is not None:
            self._listening = None
            raise self._problem

    def startService(self) -> None:
        """
        Listen, unless L{privilegedStartService} has done so.

        @raise CannotServe: if that fails at once.
        """
        super().startService()
        if self._listening is None:
            self.privilegedStartService()

    def stopService(self) -> Deferred[None]:
        """
        Stop listening.

        @return: Fires when the address is free again.
        """
        super().stopService()
        listening, self._listening = self._listening, None
        if listening is None:
            return succeed(None)
        listening.cancel()
        return listening.addCallback(self._stopListening)

    def _listens(self, port: IListeningPort) -> None:
        self.port = port
        self.log.info(
            "{service} listens on {address}",
            service=self.server.service,
            address=addressName(port.getHost()),
        )

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._problem = CannotServe(
                f"{self.server.service} cannot listen on {self.address}: {_why(failure.value)}"
            )
            self.log.critical("{problem}", problem=self._problem)

    def _stopListening(self, _: None) -> Deferred[None] | None:
        port, self.port = self.port, None
        return None if port is None else port.stopListening()


def _why(error: BaseException | None) -> str:
    """
    @return: Why something could not be listened on, in the system's words.
    """
    hint = ""
    if isinstance(error, CannotListenError):
        reserved = isinstance(error.port, int) and error.port < RESERVED
        error = error.socketError
        if reserved and isinstance(error, PermissionError):
            hint = "; ports below 1024 are for root, or for CAP_NET_BIND_SERVICE"
    return (getattr(error, "strerror", None) or str(error)) + hint


class EchoService(MultiService):
    """
    All that one echod listens on: everything or nothing.
    """

    log = Logger()
    _started = False

    def __init__(self, reactorName: str) -> None:
        """
        @param reactorName: What it runs on, for the log.
        """
        super().__init__()
        self._reactorName = reactorName

    def privilegedStartService(self) -> None:
        """
        Listen on everything.

        @raise CannotServe: if that fails; nothing is listened on then.
        """
        self._startWith(super().privilegedStartService)

    def startService(self) -> None:
        """
        Listen on everything that is not listened on yet.

        @raise CannotServe: if that fails; nothing is listened on then.
        """
        self._startWith(super().startService)

    def stopService(self) -> Deferred[None]:
        """
        Stop listening on everything.

        @return: Fires when all addresses are free again.
        """
        self._started = False
        return super().stopService()  # type: ignore[no-any-return]

    def _startWith(self, start: Callable[[], None]) -> None:
        if not self._started:
            self._started = True
            self.log.info(
                "echod {version} on {reactor}", version=__version__, reactor=self._reactorName
            )
        try:
            start()
        except CannotServe:
            self.stopService()
            raise
