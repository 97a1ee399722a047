"""
A Twisted service that listens on one address.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.log import callWithContext

from echod.net.addresses import LOOPBACK
from echod.net.format import addressName
from echod.net.sockets import isReadable
from echod.net.statistics import (
    DatagramServerStatistics,
    ServedSession,
    SessionServerStatistics,
    Traffic,
)
from echod.udp.guard import RESERVED

_log = Logger(namespace="echod.service")

LAST_LOOKS = 64
"""
How often a port is looked at before it is closed: at each look it takes up to a
hundred connections, or a batch of datagrams.
"""

STOPPED = "stopped"
STARTING = "starting"
LISTENING = "listening"
FAILED = "failed"
DRAINING = "draining"


class Endpoint(Protocol):
    """
    What can be listened on: an
    L{IStreamServerEndpoint<twisted.internet.interfaces.IStreamServerEndpoint>}
    or a L{UDPServerEndpoint<echod.udp.endpoint.UDPServerEndpoint>}.
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

    def abort(self) -> None: ...


class EchoServer(Server, Protocol):
    """
    One of echod's own servers: the status page and the session log ask it.

    @ivar onEnd: Called with each session that has ended.
    """

    onEnd: Callable[[ServedSession], None] | None

    @property
    def sessions(self) -> Collection[ServedSession]: ...

    def statistics(self) -> SessionServerStatistics | DatagramServerStatistics: ...

    def taken(self) -> Mapping[str | None, Traffic]:
        """
        @return: The datagrams since the last call, by source; L{None} stands for all
            sources that are not counted one by one.
        """


AnyServer = TypeVar("AnyServer", bound=Server, covariant=True)


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


class ListeningService(Service, Generic[AnyServer]):
    """
    Listens while it runs.

    Unlike Twisted's C{StreamServerEndpointService} it can be started again, and
    an address that cannot be had is one line in the log and an end to the
    start.

    @ivar address: What to listen on, as the one who asked for it wrote it.

    @ivar option: The name of the command line option that gave the address; empty in
        a program of one's own.

    @ivar place: What is listened on, as people write it: with the real port from
        when it is known.

    @ivar port: What listens, or L{None}.

    @ivar state: L{STOPPED}, L{STARTING}, L{LISTENING}, L{FAILED} or L{DRAINING}.
    """

    port: IListeningPort | None = None
    state = STOPPED
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
        @param note: What else the log says about the address, after its name.
        """
        self.address = self.place = address
        self.note = note
        self.endpoint = endpoint
        self.server = server
        self.option = option

    def privilegedStartService(self) -> None:
        """
        Listen; before twistd gives up its privileges, so that the port may be
        one of those below 1024.

        @raise CannotServe: if that fails at once.
        """
        super().privilegedStartService()
        if self._ending is None:
            self._listen()

    def startService(self) -> None:
        """
        Listen, unless L{privilegedStartService} has done so; or when an earlier
        stop is over.

        @raise CannotServe: if that fails at once.
        """
        super().startService()
        if self._listening is None and self._ending is None:
            self._listen()

    def stopService(self) -> Deferred[None]:
        """
        Stop listening at once, and serve those who are there to their end.

        @return: Fires when the address is free again and nobody is there.
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
        Take nobody new: somebody else does, on the same socket.
        """
        self._left = True
        self.port.stopReading()  # type: ignore[union-attr]

    def _listen(self) -> None:
        self._left = False
        self._problem = None
        self.state = STARTING
        # What Twisted has to say about it says less than what we have.
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
            # It was started again meanwhile.  What cannot be listened on is in
            # the log.
            with suppress(CannotServe):
                self._listen()

    def _listens(self, port: IListeningPort) -> None:
        self.port = port
        self.place = addressName(port.getHost())
        self.state = LISTENING
        _log.info(
            "{service} listens on {address}", service=self.server.service, address=self.place
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
            why = _why(failure.value, self.address, self.option)
            self._problem = CannotServe(
                f"{self.server.service} cannot listen on {self.address}: {why}"
            )
            _log.critical("{problem}", problem=self._problem)

    def _stopListening(self, _: object) -> Deferred[None] | None:
        port: Any = self.port
        self.port = None
        if port is None:
            return None
        if IReadDescriptor.providedBy(port) and not self._left:
            # Who has come, but was not looked at yet, has come.
            for _ in range(LAST_LOOKS):
                if not isReadable(port):
                    break
                port.doRead()
        return port.stopListening()  # type: ignore[no-any-return]


def _checked(port: object) -> IListeningPort:
    """
    @raise TypeError: if an endpoint returns something that cannot stop listening.
        Twisted's C{stdio:} is such an endpoint.
    """
    if not IListeningPort.providedBy(port):
        raise TypeError("its endpoint is not one that listens")
    return port


def _why(error: BaseException | None, address: str, option: str) -> str:
    """
    Explain why an address cannot be listened on, in the system's words, and what helps.
    """
    hint = ""
    if isinstance(error, CannotListenError):
        port, error = error.port, error.socketError
        if isinstance(port, int):
            if isinstance(error, PermissionError) and port < RESERVED:
                hint = "; ports below 1024 are for root, or for CAP_NET_BIND_SERVICE"
            elif isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                hint = "; ss -lntup shows the process that uses it"
                hint += _anotherPort(address, port, option)
    return (getattr(error, "strerror", None) or str(error)) + hint


def _anotherPort(address: str, port: int, option: str) -> str:
    """
    Show how to choose another port for the same address on the command line.
    """
    before, used, after = address.rpartition(f":{port}")
    if not option or not used:
        return ""
    # The neighbour: it is a port for each port there is, the last one too.
    another = f"{before}:{port ^ 1}{after}".removeprefix(f"{LOOPBACK}:")
    return f"; choose another port, such as --{option} {shlex.quote(another)}"
