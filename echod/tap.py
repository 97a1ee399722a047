"""
The options of C{twistd echod}, and the service that is made from them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from twisted.python import usage

from echod.config import options
from echod.config.build import Bound, build, endpoints, processRoom, serverEndpoints
from echod.config.freeports import withFreePorts
from echod.config.hosts import Hosts, hostsByName
from echod.config.log import Log
from echod.config.monitoring import addSessionLog, addStatus
from echod.config.reactor import processReactor
from echod.net.unixsockets import ReplacingReactor
from echod.service.echoservice import EchoService
from echod.service.inherited import inherited
from echod.service.sdnotify import notifier
from echod.service.signals import Signals
from echod.status.monitor import Monitor
from echod.tcp.listeningsocket import ListeningReactor
from echod.workers.aggregatemonitor import AggregateMonitor
from echod.workers.parent import Parent, checkWorkers
from echod.workers.service import WorkersService


class Options(options.Options):
    """
    The options of C{twistd echod} and C{twist echod}.
    """

    workers: Parent | None = None
    """
    Listens for the workers; L{None} without workers.
    """

    servers: dict[str, list[Bound]]
    status: list[Bound]

    def __init__(self, reactor: Any = None, hosts: Hosts | None = None) -> None:
        """
        @param reactor: The reactor to listen on; the installed one unless given.

        @param hosts: Returns the addresses of a port alone and of a host name; by the
            names of the system unless given.
        """
        super().__init__()
        self._reactor = reactor
        self._hosts = hosts or hostsByName()

    @property
    def ownsProcess(self) -> bool:
        """
        True if echod is the whole program: under twistd and twist.
        """
        return self.parent is not None

    @property
    def reactor(self) -> Any:
        """
        The reactor.  It is chosen when it is first used.
        """
        if self._reactor is None:
            self._reactor = processReactor(self.ownsProcess)
        return self._reactor

    def postOptions(self) -> None:
        """
        Make the endpoints now, so that an invalid one is a usage error.
        """
        super().postOptions()
        config = self.config
        listen = self._listen
        if config.workers > 1:
            self.workers = Parent(config, self.reactor, self.arguments)
            listen = self.workers.listen
        self.servers = serverEndpoints(config, listen, self._hosts)
        self.status = endpoints(
            "status", config.status, self._listen, self._hosts, config.proxies
        )
        if config.workers > 1:
            try:
                checkWorkers(config, self.reactor, self.parent and self.parent.get("chroot"))
            except ValueError as error:
                raise usage.UsageError(f"--workers {config.workers}: {error}") from None

    def _listen(self, name: str) -> Any:
        return ReplacingReactor(ListeningReactor(self.reactor)), inherited


def makeService(config: Options, environ: Mapping[str, str] = os.environ) -> EchoService:
    """
    Make the service that a command line asks for.  In another program, it does not handle
    signals and does not notify systemd: the program does that.

    @param config: The options, after C{parseOptions}.

    @param environ: The environment, in which systemd sets the socket for notifications.
    """
    reactor, workers = config.reactor, config.workers

    room = processRoom(
        config.config,
        reactor,
        pages=len(config.status),
        workers=config.config.workers if workers else 0,
    )
    service = workers.newService(room) if workers else EchoService(reactor, room)
    build(config.config, reactor, config.servers, service)
    manager = notifier(reactor, service, environ) if config.ownsProcess else None
    if manager is not None:
        manager.setServiceParent(service)
    log = addSessionLog(config.config, reactor, service)
    if workers:
        workers.log = log
    if config.status:
        kind: Any = AggregateMonitor if isinstance(service, WorkersService) else Monitor
        addStatus(config.config, reactor, service, config.status, kind(reactor, service))
    if config.parent is not None:
        service.withFreePorts = partial(withFreePorts, config, service)
        logging = Log(config.parent)
        service.installLog = logging.install
        service.onReopen.append(logging.reopen)
        reactor.callWhenRunning(Signals(reactor, service).install)
    return service
