"""
The session log and the status page that a L{Config} asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from socket import gethostname

from echod.config.build import Bound
from echod.config.config import Config
from echod.config.words import proxyNote
from echod.net.httphosts import HostNames, machineNames
from echod.net.reactor import Reactor
from echod.service.echoservice import EchoService
from echod.service.listening import ListeningService
from echod.status.monitor import Monitor
from echod.status.sessionlog import SessionLog


def addSessionLog(
    config: Config, reactor: Reactor, service: EchoService, descriptor: int | None = None
) -> SessionLog | None:
    """
    Add the session log, if the config asks for one.

    @param descriptor: The file, if it is open already.
    """
    if config.sessionLog is None:
        return None
    log = SessionLog(reactor, config.sessionLog, service, descriptor=descriptor)
    log.setServiceParent(service.observers)
    service.onReopen.append(log.reopen)
    return log


def addStatus(
    config: Config,
    reactor: Reactor,
    service: EchoService,
    listenOn: Sequence[Bound],
    monitor: Monitor,
) -> None:
    """
    Add the HTTP servers of the status page.

    @param listenOn: Their endpoints.

    @param monitor: The state and the metrics that they show.
    """
    # It needs packages that may be missing.
    from echod.status.httpserver import StatusSite

    monitor.setServiceParent(service.observers)
    listenedOn = {address.host for address in config.status if address.host}
    names = HostNames({*machineNames(gethostname()), *listenedOn, *config.statusNames})
    for address, endpoint in listenOn:
        site = StatusSite(reactor, monitor, names, service.room.page)
        note = proxyNote(config, address.text)
        listening = ListeningService(address.text, endpoint, site, "status", note)
        listening.setServiceParent(service.observers)
