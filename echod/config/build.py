"""
The services that a L{Config} asks for.

A process without workers, the parent of workers, and each worker build their services
here.  They listen on different sockets: each passes its own L{Listen} function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any

from twisted.internet.selectreactor import SelectReactor
from twisted.python import usage

from echod.config.addresses import Address, Finder, datagramEndpoint, streamEndpoint
from echod.config.config import SERVERS, Config
from echod.config.hosts import Hosts
from echod.config.words import limitsInWords, proxyNote
from echod.impair.tcp import ImpairedEchoFactory, ImpairedGreetingFactory
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.limits.capacity import Capacity, Limits
from echod.limits.descriptors import FD_SETSIZE, ProcessRoom
from echod.limits.networks import Networks
from echod.limits.ratelimit import RateLimit
from echod.net.addresses import LOOPBACK
from echod.net.format import quoted
from echod.net.reactor import Reactor
from echod.service.echoservice import EchoService
from echod.service.interfaces import Endpoint, Server
from echod.service.listening import ListeningService
from echod.service.multiendpoint import MultiEndpoint
from echod.tcp.echo import EchoFactory
from echod.tcp.greeting import GreetingFactory
from echod.udp.echo import UDPEchoProtocol
from echod.udp.guard import DatagramGuard
from echod.udp.sourcestatistics import SourceStatistics
from echod.udp.thismachine import ThisMachineGuard

Listen = Callable[[str], tuple[Any, Finder]]
"""
Takes the name of one service (C{tcp0}, C{tcp1}, C{udp0}, …); returns the reactor that it
listens on, and the function that finds inherited sockets for it.
"""

Bound = tuple[Address, Endpoint]
"""
An address and its endpoint.
"""


def endpoints(
    option: str,
    addresses: Sequence[Address],
    listen: Listen,
    hosts: Hosts,
    proxies: Networks | None = None,
) -> list[Bound]:
    """
    Make the endpoints of the addresses of one option.

    @param hosts: Returns the addresses of a port alone and of a host name.

    @param proxies: The addresses that may send PROXY headers; L{None} for all.

    @raise usage.UsageError: if one cannot be made.
    """
    kind = datagramEndpoint if option == "udp" else partial(streamEndpoint, proxies=proxies)
    made = []
    for number, address in enumerate(addresses):
        try:
            made.append((address, _endpoint(f"{option}{number}", address, kind, listen, hosts)))
        except ValueError as error:
            raise usage.UsageError(f"--{option} {quoted(address.text)}: {error}") from None
    return made


def _endpoint(
    service: str,
    address: Address,
    kind: Callable[[Address, Any, Finder], Endpoint],
    listen: Listen,
    hosts: Hosts,
) -> Endpoint:
    if not (address.thisMachine or address.isName):
        return kind(address, *listen(service))

    def at(host: str, reactor: Any, find: Finder, port: int) -> Endpoint:
        return kind(replace(address, host=host, port=port), reactor, find)

    return MultiEndpoint(
        address.port,
        [
            (host, partial(at, host, *listen(name)))
            for name, host in hosts(service, address).items()
        ],
        required=LOOPBACK if address.thisMachine else None,
    )


def serverEndpoints(config: Config, listen: Listen, hosts: Hosts) -> dict[str, list[Bound]]:
    """
    Make the endpoints of all servers.

    @raise usage.UsageError: if one cannot be made.
    """
    return {
        server: endpoints(server, config.servers[server], listen, hosts, config.proxies)
        for server in SERVERS
    }


def processRoom(
    config: Config, reactor: Reactor, *, pages: int = 0, workers: int = 0
) -> ProcessRoom:
    """
    Make the room for the connections of this process.

    @param pages: The number of status pages that it serves.

    @param workers: The number of workers that it starts.
    """
    return ProcessRoom(
        FD_SETSIZE if isinstance(reactor, SelectReactor) else inf,
        pages=pages,
        workers=workers,
        needed=bool(workers or config.servers["tcp"] or config.servers["greeting"]),
    )


def build(
    config: Config,
    reactor: Reactor,
    listenOn: Mapping[str, list[Bound]],
    service: EchoService,
) -> None:
    """
    Add the services of all servers to one service.

    @param listenOn: The endpoints of each server, from L{serverEndpoints}.
    """
    service.limits = partial(limitsInWords, config, service.room)
    for name, make in _servers(config, reactor, service.room.connections).items():
        for address, endpoint in listenOn[name]:
            note = proxyNote(config, address.text)
            listening = ListeningService(address.text, endpoint, make(address), name, note)
            listening.setServiceParent(service)


def _servers(
    config: Config, reactor: Reactor, shared: Capacity
) -> dict[str, Callable[[Address], Server]]:
    networks = Networks(config.allowed, config.denied)
    guard = DatagramGuard(
        networks,
        RateLimit(config.udpRate) if config.udpRate else None,
        answerReservedPorts=config.answerReservedPorts,
    )
    greetingFactory = _kind(config, "greeting", GreetingFactory, ImpairedGreetingFactory)
    echoFactory = _kind(config, "tcp", EchoFactory, ImpairedEchoFactory)
    datagramEcho = _kind(config, "udp", UDPEchoProtocol, ImpairedUDPEchoProtocol)

    def limits() -> Limits:
        most = config.connectionsOfProcess
        return Limits(
            capacity=Capacity(most, shared) if most else shared,
            maxPerSource=config.maxPerSource,
            connectRate=RateLimit(config.connectRate) if config.connectRate else None,
            idleTimeout=config.idleTimeout,
            drainTimeout=config.drainTimeout,
            networks=networks,
            sessionLines=config.sessionLines / config.workers,
        )

    return {
        "greeting": lambda _: greetingFactory(
            reactor, config.greeting, limits=limits(), showMessages=config.showMessages
        ),
        "tcp": lambda _: echoFactory(
            reactor,
            goodbye=config.goodbye,
            limits=limits(),
            showMessages=config.showMessages,
        ),
        "udp": lambda address: datagramEcho(
            reactor,
            ThisMachineGuard(guard) if address.thisMachine else guard,
            showMessages=config.showMessages,
            # Counting by source is slower: no batches.
            sources=SourceStatistics() if config.sessionLog else None,
        ),
    }


def _kind(
    config: Config,
    server: str,
    plain: Callable[..., Server],
    impaired: Callable[..., Server],
) -> Callable[..., Server]:
    if server not in config.impairments:
        return plain
    return partial(impaired, impairments=config.impairments[server])
