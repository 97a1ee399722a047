"""
Listening as a Twisted service: one for each address, and all of them together.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection
from typing import Any, Protocol, TypeVar

from twisted.application.service import MultiService, Service
from twisted.internet.defer import CancelledError, Deferred, gatherResults, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.failure import Failure

from echod._version import __version__
from echod.display import addressName
from echod.guard import RESERVED

_T = TypeVar("_T")


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

    @property
    def sessions(self) -> Collection[object]: ...

    def drain(self) -> Deferred[None]: ...

    def cut(self) -> None: ...


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
        Stop listening at once, and serve those who are there to their end.

        @return: Fires when the address is free again and nobody is there.
        """
        super().stopService()
        listening, self._listening = self._listening, None
        if listening is None:
            return succeed(None)
        listening.cancel()
        listening.addCallback(self._stopListening)
        return gatherResults([listening, self.server.drain()]).addCallback(lambda _: None)

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

    def __init__(self, reactor: Any) -> None:
        """
        @param reactor: What it runs on.
        """
        super().__init__()
        self._reactor = reactor

    @property
    def listening(self) -> list[ListeningService]:
        """
        Those of its services which listen.
        """
        return [service for service in self if isinstance(service, ListeningService)]

    @property
    def ready(self) -> bool:
        """
        Whether all of them do so now.
        """
        return all(service.port is not None for service in self.listening)

    @property
    def sessions(self) -> int:
        """
        How many sessions there are.
        """
        return sum(len(service.server.sessions) for service in self.listening)

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
        Stop listening on everything, and serve those who are there to their
        end.  A signal that asks for the end once more gets it at once.

        @return: Fires when all addresses are free again and nobody is there.
        """
        self._started = False
        restore = self._onSignal(self.cut)
        stopped: Deferred[None] = super().stopService()
        return stopped.addBoth(restore)

    def cut(self) -> None:
        """
        End all sessions now.
        """
        for service in self.listening:
            service.server.cut()

    def _onSignal(self, act: Callable[[], None]) -> Callable[[_T], _T]:
        """
        Have the signals which end the reactor do something else, for as long as
        it is about to end.  Where they do not end it, they are none of ours.

        @return: Restores it.
        """
        endings = {
            signal.SIGINT: getattr(self._reactor, "sigInt", None),
            signal.SIGTERM: getattr(self._reactor, "sigTerm", None),
        }
        ours = {
            number: ending
            for number, ending in endings.items()
            if ending is not None and signal.getsignal(number) == ending
        }
        for number in ours:
            signal.signal(number, lambda *_: self._reactor.callFromThread(act))

        def restore(result: _T) -> _T:
            for number, ending in ours.items():
                signal.signal(number, ending)
            return result

        return restore

    def _startWith(self, start: Callable[[], None]) -> None:
        if not self._started:
            self._started = True
            self.log.info(
                "echod {version} on {reactor}",
                version=__version__,
                reactor=type(self._reactor).__name__,
            )
        try:
            start()
        except CannotServe:
            self.stopService()
            raise
