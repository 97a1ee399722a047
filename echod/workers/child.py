"""
What C{python -c} runs in a worker, with C{PARENT REACTOR OPTION ...} behind it.

It is C{twistd -n echod} with the same options, on the sockets that its parent
hands over.  It tells the parent once a second how it is, and ends when nobody is
there to hear.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
)
from twisted.python.reflect import namedAny
from twisted.python.systemd import ListenFDs
from twisted.python.usage import UsageError
from zope.interface import provider

from echod.service.echoservice import EchoService
from echod.service.signals import handleInWorker
from echod.status.appendfile import AppendFile
from echod.status.monitor import Monitor
from echod.tap import SESSION_LOG, Finder, Options, makeService
from echod.tcp.factory import SessionFactory
from echod.workers.pipes import LOG, REPORTS, record
from echod.workers.socketpassing import AdoptingReactor

SIGHT = 0.5
"""
How often one that has a successor looks whether anybody is left, in seconds.
"""

SAID = ("echod.service",)
"""
Who has nothing to say that the parent has not said: what runs, and listens.
"""


class WorkerOptions(Options):
    """
    The options of the parent, as they are for a worker: what listens is there
    already.
    """

    ownsProcess = True

    def __init__(
        self, parent: int, descriptors: Mapping[str, int], reactor: Any = None
    ) -> None:
        """
        @param parent: The number of the parent's process.

        @param descriptors: What was handed over, by name.
        """
        super().__init__(reactor)
        self._parent = parent
        self._inherited = descriptors

    def opt_status(self, address: str) -> None:
        """
        That is for the parent to show.
        """

    def listener(self, name: str) -> tuple[Any, Finder]:
        """
        @return: What the server with a name listens on, and what finds for it
            the sockets that were handed over.
        """
        descriptor = self._inherited[name]
        with socket.socket(fileno=os.dup(descriptor)) as skt:
            found = descriptor, skt.family
        return AdoptingReactor(self.reactor, *found), lambda *_: found

    def newService(self, limits: str) -> EchoService:
        """
        @return: What is to have all services.
        """
        return WorkerService(self.reactor, self["drain-timeout"])

    def handleSignals(self, service: Any) -> None:
        """
        Handle the signals of a worker.
        """
        handleInWorker(self.reactor, service)

    def addObservers(self, service: Any) -> None:
        """
        Add what sees all of it.
        """
        if self[SESSION_LOG]:
            self.addSessionLog(service, self._inherited[SESSION_LOG])
        monitor = Monitor(self.reactor, service)
        monitor.setServiceParent(service.observers)
        os.set_blocking(REPORTS, False)
        reports = AppendFile("the parent", REPORTS)
        reporter = Reporter(self.reactor, monitor, reports, self._parent, service.end)
        reporter.setServiceParent(service.observers)


class WorkerService(EchoService):
    """
    What a worker serves, until it is told to end: by SIGTERM, however often that
    comes, as systemd and the parent may both send it; or by SIGHUP, when it has
    a successor.  SIGINT cuts what is left.
    """

    _ending = False

    def __init__(self, reactor: Any, drainTimeout: float) -> None:
        super().__init__(reactor)
        self._drainTimeout = drainTimeout

    def end(self) -> None:
        """
        Serve those who are there to their end, and end.
        """
        if not self._ending:
            self._ending = True
            self._reactor.stop()

    def retire(self) -> None:
        """
        Leave new peers to the successor, and serve those who are there as ever: as
        long as they may take to drain.  Then end.
        """
        if self._ending:
            return
        for service in self.listening:
            service.stopAccepting()
        self._depart(self._reactor.seconds() + self._drainTimeout)

    def _depart(self, deadline: float) -> None:
        if self._anybody() and self._reactor.seconds() < deadline:
            self._reactor.callLater(SIGHT, self._depart, deadline)
        else:
            self.end()

    def _anybody(self) -> bool:
        factories = [service.server for service in self.listening]
        return any(
            factory.sessions or factory.waiting
            for factory in factories
            if isinstance(factory, SessionFactory)
        )


class Reporter(Service):
    """
    Tells the parent what a monitor sees, and that this process lives.
    """

    def __init__(
        self,
        reactor: Any,
        monitor: Monitor,
        reports: AppendFile,
        parent: int,
        orphaned: Callable[[], object],
    ) -> None:
        """
        @param parent: The number of its process.

        @param orphaned: What to do when there is no parent any more.
        """
        self._reactor = reactor
        self._monitor = monitor
        self._reports = reports
        self._parent = parent
        self._orphaned = orphaned

    def startService(self) -> None:
        """
        Tell, whenever there is something new; first when the reactor runs, and
        signals are heard.
        """
        super().startService()
        self._monitor.listeners.add(self._tell)
        self._reactor.callWhenRunning(self._monitor.tell)

    def stopService(self) -> None:
        """
        Tell what came of it all.
        """
        super().stopService()
        # Unless it could not even start.
        if self._tell in self._monitor.listeners:
            self._monitor.tell()
            self._monitor.listeners.remove(self._tell)

    def _tell(self) -> None:
        self._reports.write(self._monitor.latest)
        if os.getppid() != self._parent:
            # Whoever has taken its place knows nothing of echo servers.
            self._orphaned()


@provider(ILogObserver)
def log(event: LogEvent) -> None:
    """
    Log for the parent to log.
    """
    os.write(LOG, record(event))


def main() -> None:
    """
    Run.
    """
    parent, reactorModule, *arguments = sys.argv[1:]
    # What is typed at the parent's terminal is for the parent.
    os.setpgid(0, 0)
    namedAny(f"{reactorModule}.install")()
    os.environ["LISTEN_PID"] = str(os.getpid())
    descriptors = ListenFDs.fromEnvironment().inheritedNamedDescriptors()
    quiet = LogLevelFilterPredicate()
    for namespace in SAID:
        quiet.setLogLevelForNamespace(namespace, LogLevel.warn)
    globalLogBeginner.beginLoggingTo([FilteringLogObserver(log, [quiet])])
    options = WorkerOptions(int(parent), descriptors)
    try:
        options.parseOptions(arguments)
    except UsageError as error:
        raise SystemExit(f"echod: {error}") from None
    service = makeService(options)
    service.privilegedStartService()
    service.startService()
    options.reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    options.reactor.run()
