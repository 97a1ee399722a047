"""
One stream for all probes, which is opened again when it is lost or refused.
"""

from __future__ import annotations

import errno
import os
from functools import partial
from typing import NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.python.failure import Failure

from echod.client.exitstatus import errorNumber, isTimeout, isTransient
from echod.client.ping.pinger import Pinger
from echod.client.ping.protocols import StreamProbesProtocol

SHORTEST_PAUSE = 0.01
"""
The shortest time between two attempts to connect, in seconds.  Without it, a run without
pauses between the probes would only try to connect.
"""


class Stream:
    """
    Keeps a stream open for the probes of a L{Pinger}.

    There are at most two attempts to connect in each interval between two probes.
    """

    _connecting: Deferred[StreamProbesProtocol] | None = None
    _retry: IDelayedCall | None = None
    _attempted = 0.0
    _closed = False

    def __init__(
        self, reactor: IReactorTime, endpoint: IStreamClientEndpoint, pinger: Pinger
    ) -> None:
        self._reactor = reactor
        self._endpoint = endpoint
        self._pinger = pinger
        self._protocol = StreamProbesProtocol(pinger)
        pinger.reopen = self._reopen

    async def start(self) -> None:
        """
        Connect, and start sending.

        @raise Exception: if this fails, and the plan of the run is not persistent.
        """
        try:
            await self._connect()
        except Exception as error:
            if not (self._pinger.plan.persistent and isTransient(error)):
                raise
            self._reopen(Failure(error))

    def close(self) -> None:
        """
        Close the connection, and connect no more.
        """
        self._closed = True
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
        self._protocol.close()

    def _connect(self) -> Deferred[StreamProbesProtocol]:
        self._attempted = self._reactor.seconds()
        self._protocol = StreamProbesProtocol(self._pinger)
        connecting: Deferred[StreamProbesProtocol]
        connecting = connectProtocol(self._endpoint, self._protocol)
        return connecting

    def _reopen(self, reason: Failure) -> None:
        """
        Connect later.  Until then, the probes are refused, or lost if nothing came back at
        the last attempt.
        """
        assert reason.value is not None
        number = errorNumber(reason.value) or errno.ECONNREFUSED
        self._pinger.start(_vanish if isTimeout(reason.value) else partial(_refuse, number))
        # The next probe shall find the connection open.
        pause = max(self._pinger.plan.interval / 2, SHORTEST_PAUSE)
        left = self._attempted + pause - self._reactor.seconds()
        self._retry = self._reactor.callLater(max(left, 0), self._connectAgain)

    def _connectAgain(self) -> None:
        self._connecting = self._connect()
        self._connecting.addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        if not self._closed:
            self._reopen(failure)


def _refuse(number: int, probe: bytes) -> NoReturn:
    raise OSError(number, os.strerror(number))


def _vanish(probe: bytes) -> None:
    """
    Do nothing: nothing would come back.
    """
