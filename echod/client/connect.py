"""
Connect a protocol to a target.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol

from echod.client.commonoptions import ClientOptions
from echod.client.datagrams import ConnectedPort, DatagramClient
from echod.client.endpoints import resolve, streamEndpoint
from echod.client.exitstatus import USAGE, ClientError, Outcome
from echod.client.reactor import IClientReactor
from echod.client.sockets import OptionsReactor
from echod.client.target import Address, Target


async def endpointOf(
    reactor: IClientReactor,
    options: ClientOptions,
    target: Target,
    connected: Callable[[int], object] = lambda nanoseconds: None,
    patience: float | None = None,
) -> IStreamClientEndpoint:
    """
    @param connected: Called with the time that connecting took, when a TCP connection is
        made.

    @param patience: How long connecting may take, in seconds; by default as long as an
        answer.

    @return: The stream endpoint of the target.

    @raise ClientError: if its description is wrong.
    """
    withOptions: Any = OptionsReactor(reactor, options.socketOptions, connected)
    if patience is None:
        patience = options["timeout"]
    if options.family is not None and isinstance(target, Address):
        target, *_ = await resolve(reactor, target, options.family)
    try:
        return streamEndpoint(withOptions, target, patience)
    except ValueError as error:
        raise ClientError(Outcome(USAGE, f"{target}: {error}")) from None


async def connect(
    reactor: IClientReactor, options: ClientOptions, target: Target, protocol: Protocol
) -> None:
    """
    Connect a protocol to the target by a stream.
    """
    await connectProtocol(await endpointOf(reactor, options, target), protocol)


async def openPort(
    reactor: IClientReactor,
    options: ClientOptions,
    target: Target,
    protocol: DatagramClient,
    discovery: int | None = None,
) -> ConnectedPort:
    """
    Connect a protocol to the target by datagrams.

    @param discovery: Which datagrams may be fragmented, as for L{ConnectedPort}.
    """
    assert isinstance(target, Address)
    address, *_ = await resolve(reactor, target, options.family)
    port = ConnectedPort(address, protocol, reactor, discovery, options.socketOptions)
    port.startListening()
    return port
