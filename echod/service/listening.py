"""
A Twisted service that listens for one server.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IListeningPort, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.log import callWithContext

from echod.net.format import addressName
from echod.net.sockets import isReadable
from echod.service.explain import explain, portInUse
from echod.service.interfaces import Endpoint, Server
from echod.service.multiendpoint import MultiPort

_log = Logger(namespace="echod.service")

LAST_READS = 64
"""
How often a port is read before it is closed.  One read takes up to a hundred
connections, or one batch of datagrams.
"""

STOPPED = "stopped"
STARTING = "starting"
LISTENING = "listening"
FAILED = "failed"
DRAINING = "draining"

AnyServer = TypeVar("AnyServer", bound=Server, covariant=True)


class CannotServe(SystemExit, Exception):
    """
    echod cannot listen on one of its addresses.  This is in the log already.  twistd
    and twist exit with status 1, without the traceback of other exceptions.

    It is also an C{Exception}, because twistd cleans up (its PID file, its waiting
    parent process) only after these.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = 1


class ListeningService(Service, Generic[AnyServer]):
    """
    Listens while it runs.

    Unlike Twisted's C{StreamServerEndpointService} it can be started again.  If it
    cannot listen, it logs one line and the start fails.

    @ivar address: The address as the user wrote it.

    @ivar option: The command line option that gave the address; empty in a program
        that embeds echod.

    @ivar inUse: The port, if the latest failure is that another process uses it; else 0.

    @ivar place: The address as the log and the status page show it, with the real
        port; the first one if there are several.

    @ivar port: The listening port, or L{None}.

    @ivar state: L{STOPPED}, L{STARTING}, L{LISTENING}, L{FAILED} or L{DRAINING}.
    """

    port: IListeningPort | None = None
    state = STOPPED
    inUse = 0
    _listening: Deferred[None] | None = None
    _ending: Deferred[None] | None = None
    _problem: CannotServe | None = None
    _left = False

    def __init__(
        self,
        address: str,
        endpoint: Endpoint,
        server: AnyServer,
        option: str = "",
        note: str = "",
    ) -> None:
        """
        @param note: More words of the log about the address, after its name.
        """
        self.address = self.place = address
        self.note = note
        self.endpoint = endpoint
        self.server = server
        self.option = option

    def privilegedStartService(self) -> None:
        """
        Listen before twistd gives up its privileges, so that ports below 1024 are
        possible.

        @raise CannotServe: if this fails at once.
        """
        super().privilegedStartService()
        if self._ending is None:
            self._listen()

    def startService(self) -> None:
        """
        Listen, unless L{privilegedStartService} has done so.  While an earlier stop is
        not complete, wait for its end.

        @raise CannotServe: if this fails at once.
        """
        super().startService()
        if self._listening is None and self._ending is None:
            self._listen()

    def stopService(self) -> Deferred[None]:
        """
        Stop listening at once, and drain the open sessions.

        @return: Fires when the address is free and no session is open.
        """
        super().stopService()
        if self._listening is not None:
            listening, self._listening = self._listening, None
            listening.cancel()
            listening.addCallback(self._stopListening)
            self.state = DRAINING
            ending: Deferred[Any] = gatherResults([listening, self.server.drain()])
            self._ending = ending
            ending.addCallback(self._ended)
        stopped: Deferred[None] = Deferred()
        if self._ending is None:
            stopped.callback(None)
        else:
            self._ending.addCallback(stopped.callback)
        return stopped

    def stopAccepting(self) -> None:
        """
        Take no new peers: another process takes them, on the same socket.
        """
        self._left = True
        for port in _parts(self.port):
            port.stopReading()

    def _listen(self) -> None:
        self._left = False
        self._problem = None
        self.state = STARTING
        # Suppress Twisted's own message: ours says more.
        listening = callWithContext({"log_format": ""}, self.endpoint.listen, self.server)
        listening.addCallback(_checked)
        self._listening = listening.addCallbacks(self._listens, self._failed)
        if self._problem is not None:
            self._listening = None
            raise self._problem

    def _ended(self, _: object) -> None:
        self._ending = None
        self.state = STOPPED
        if self.running:
            # The service was started again meanwhile.  A problem is in the log.
            with suppress(CannotServe):
                self._listen()

    def _listens(self, port: IListeningPort) -> None:
        self.port = port
        places = [addressName(part.getHost()) for part in _parts(port)]
        self.place = places[0]
        self.state = LISTENING
        _log.info(
            "{service} listens on {addresses}",
            service=self.server.service,
            addresses=", ".join(places),
        )
        if self.note:
            _log.info(
                "{service} on {address} {note}",
                service=self.server.service,
                address=self.place,
                note=self.note,
            )

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self.state = FAILED
            self.inUse = portInUse(failure.value)
            self._problem = CannotServe(
                f"{self.server.service} cannot listen on {self.address}: "
                + explain(failure.value)
            )
            _log.critical("{problem}", problem=self._problem)

    def _stopListening(self, _: object) -> Deferred[None] | None:
        port: Any = self.port
        self.port = None
        if port is None:
            return None
        if not self._left:
            for part in _parts(port):
                _readLast(part)
        return port.stopListening()  # type: ignore[no-any-return]


def _parts(port: Any) -> Sequence[Any]:
    return port.ports if isinstance(port, MultiPort) else [port]


def _readLast(port: Any) -> None:
    """
    Take the connections and datagrams that have arrived already.
    """
    if IReadDescriptor.providedBy(port):
        for _ in range(LAST_READS):
            if not isReadable(port):
                break
            port.doRead()


def _checked(port: object) -> IListeningPort:
    """
    @raise TypeError: if an endpoint returns an object that cannot stop listening.
        Twisted's C{stdio:} is such an endpoint.
    """
    if not IListeningPort.providedBy(port):
        raise TypeError("its endpoint does not listen")
    return port
