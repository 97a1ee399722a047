"""
The program of a worker.  Its arguments are the parent's process id, the module of the
reactor, and the options of echod.

A worker serves like C{twistd -n echod} with the same options, on the sockets that it
inherits.  Once a second it sends a report to the parent.  It ends when the parent has died.
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
from echod.config.build import build, processRoom, serverEndpoints
from echod.config.config import SESSION_LOG, Config
from echod.config.hosts import serviceName
from echod.config.monitoring import addSessionLog
from echod.config.options import Options
from echod.config.reactor import processReactor
from echod.limits.descriptors import ProcessRoom
from echod.net.appendfile import AppendFile
from echod.net.reactor import Reactor
from echod.service.echoservice import EchoService
from echod.service.logstream import LogStream
from echod.service.signals import handleInWorker
from echod.status.monitor import Monitor
from echod.tcp.factory import SessionFactory
from echod.workers.adopting import AdoptingReactor
from echod.workers.pipes import LOG, REPORTS, record

SIGHT = 0.5
"""
A worker with a successor checks whether a session is left at this interval, in seconds.
"""

LOGGED_BY_PARENT = "echod.service"
"""
The parent logs the information of this namespace: the version, and the addresses.
"""


def makeWorker(
    config: Config, reactor: Reactor, parent: int, descriptors: Mapping[str, int]
) -> WorkerService:
    """
    Make the service of a worker, on the sockets that it has inherited.

    @param parent: The process id of the parent.

    @param descriptors: The inherited descriptors, by name.
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
    Have a service listen on the socket that was inherited for it.
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
    The service of a worker.  It ends on SIGTERM, or on SIGHUP when it has a successor.
    More than one SIGTERM changes nothing: systemd and the parent may both send it.
    """

    _ending = False

    def __init__(
        self, reactor: Reactor, drainTimeout: float, room: ProcessRoom | None = None
    ) -> None:
        super().__init__(reactor, room)
        self._drainTimeout = drainTimeout

    def end(self) -> None:
        """
        Drain the sessions, and end.
        """
        if not self._ending:
            self._ending = True
            self._reactor.stop()

    def retire(self) -> None:
        """
        Leave new peers to the successor, and serve the present sessions for the drain
        timeout.  Then end.
        """
        if self._ending:
            return
        for service in self.listening:
            service.stopAccepting()
        self._depart(self._reactor.seconds() + self._drainTimeout)

    def _depart(self, deadline: float) -> None:
        if self._hasSessions() and self._reactor.seconds() < deadline:
            self._reactor.callLater(SIGHT, self._depart, deadline)
        else:
            self.end()

    def _hasSessions(self) -> bool:
        factories = [service.server for service in self.listening]
        return any(
            factory.sessions or factory.waiting
            for factory in factories
            if isinstance(factory, SessionFactory)
        )


class Reporter(Service):
    """
    Sends reports to the parent.
    """

    def __init__(
        self,
        reactor: Reactor,
        monitor: Monitor,
        reports: AppendFile,
        parent: int,
        orphaned: Callable[[], object],
    ) -> None:
        """
        @param reports: The pipe to the parent.

        @param parent: The process id of the parent.

        @param orphaned: Called when the parent has died.
        """
        self._reactor = reactor
        self._monitor = monitor
        self._reports = reports
        self._parent = parent
        self._orphaned = orphaned

    def startService(self) -> None:
        """
        Report whenever the monitor has new data.  The first report is sent when the
        reactor runs: then signals are handled.
        """
        super().startService()
        self._monitor.listeners.add(self._tell)
        self._reactor.callWhenRunning(self._monitor.tell)

    def stopService(self) -> None:
        """
        Send the last report.
        """
        super().stopService()
        # It did not start if an address could not be listened on.
        if self._tell in self._monitor.listeners:
            self._monitor.tell()
            self._monitor.listeners.remove(self._tell)

    def _tell(self) -> None:
        self._reports.write(self._monitor.report)
        if os.getppid() != self._parent:
            # The parent is dead: another process has adopted this one.
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
    Run a worker.
    """
    parent, reactorModule, *arguments = sys.argv[1:]
    # Ctrl-C at the parent's terminal is for the parent alone.
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
