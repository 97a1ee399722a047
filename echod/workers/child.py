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
from functools import partial
from typing import Any

from twisted.application.service import Service
from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
)
from twisted.python.reflect import namedAny
from twisted.python.systemd import ListenFDs
from twisted.python.usage import UsageError

from echod.config.addresses import Address, Finder
from echod.config.build import addSessionLog, build, processRoom, serverEndpoints
from echod.config.config import Config
from echod.config.hosts import serviceName
from echod.config.options import SESSION_LOG, Options
from echod.config.reactor import processReactor
from echod.limits.descriptors import ProcessRoom
from echod.net.appendfile import AppendFile
from echod.service.echoservice import EchoService
from echod.service.logstream import LogStream
from echod.service.signals import handleInWorker
from echod.status.monitor import Monitor
from echod.tcp.factory import SessionFactory
from echod.workers.pipes import LOG, REPORTS, record
from echod.workers.socketpassing import AdoptingReactor

SIGHT = 0.5
"""
How often one that has a successor looks whether anybody is left, in seconds.
"""

LOGGED_BY_PARENT = "echod.service"
"""
The namespace whose information the parent logs: what runs, and listens.
"""


def makeWorker(
    config: Config, reactor: Any, parent: int, descriptors: Mapping[str, int]
) -> WorkerService:
    """
    Make the service of a worker, on the sockets that it has inherited.

    @param parent: The number of the parent's process.

    @param descriptors: What the worker has inherited, by name.
    """
    endpoints = serverEndpoints(
        config, partial(listenOn, reactor, descriptors), partial(inheritedHosts, descriptors)
    )
    service = WorkerService(reactor, config.drainTimeout, processRoom(config, reactor))
    build(config, reactor, endpoints, service)
    addSessionLog(config, reactor, service, descriptors.get(SESSION_LOG))
    monitor = Monitor(reactor, service)
    monitor.setServiceParent(service.observers)
    os.set_blocking(REPORTS, False)
    reports = AppendFile("the parent", REPORTS)
    reporter = Reporter(reactor, monitor, reports, parent, service.end)
    reporter.setServiceParent(service.observers)
    return service


def listenOn(reactor: Any, descriptors: Mapping[str, int], name: str) -> tuple[Any, Finder]:
    """
    Have one service listen on the socket that was inherited for it.
    """
    descriptor = descriptors[name]
    with socket.socket(fileno=os.dup(descriptor)) as skt:
        found = descriptor, skt.family
    return AdoptingReactor(reactor, *found), lambda *_: found


def inheritedHosts(
    descriptors: Mapping[str, int], service: str, address: Address
) -> dict[str, str]:
    """
    @return: The sockets that were inherited for one service, each with its literal
        address.  The parent has looked up the names.
    """
    hosts = {}
    for name, descriptor in descriptors.items():
        if serviceName(name) == service:
            with socket.socket(fileno=os.dup(descriptor)) as skt:
                hosts[name] = skt.getsockname()[0]
    return hosts


class WorkerService(EchoService):
    """
    What a worker serves, until it is told to end: by SIGTERM, however often that
    comes, as systemd and the parent may both send it; or by SIGHUP, when it has
    a successor.  SIGINT cuts what is left.
    """

    _ending = False

    def __init__(
        self, reactor: Any, drainTimeout: float, room: ProcessRoom | None = None
    ) -> None:
        super().__init__(reactor, room)
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


def parentLog(descriptor: int = LOG) -> FileLogObserver:
    """
    Make the observer that logs for the parent to log.  It never blocks: the parent may be
    stopped.
    """
    os.set_blocking(descriptor, False)
    stream: Any = LogStream(AppendFile("the parent", descriptor))
    return FileLogObserver(stream, record)


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
    quiet.setLogLevelForNamespace(LOGGED_BY_PARENT, LogLevel.warn)
    globalLogBeginner.beginLoggingTo([FilteringLogObserver(parentLog(), [quiet])])
    options = Options()
    try:
        options.parseOptions(arguments)
        reactor = processReactor(ownsProcess=True)
        service = makeWorker(options.config, reactor, int(parent), descriptors)
    except UsageError as error:
        raise SystemExit(f"echod: {error}") from None
    reactor.callWhenRunning(handleInWorker, reactor, service)
    service.privilegedStartService()
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
