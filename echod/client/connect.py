"""
Connect a protocol to the target that the options name.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol

from echod.client.commonoptions import ClientOptions
from echod.client.datagrams import ConnectedPort, DatagramClient
from echod.client.endpoints import resolve, streamEndpoint, streamEndpointOf
from echod.client.exitstatus import USAGE, ClientError, Outcome
from echod.client.run import Run
from echod.client.sockets import OptionsReactor


async def endpointOf(run: Run, options: ClientOptions) -> IStreamClientEndpoint:
    """
    @return: The stream endpoint of the target.

    @raise ClientError: if its description is wrong.
    """
    reactor: Any = OptionsReactor(run.reactor, options.socketOptions)
    target, patience = options["target"], options["timeout"]
    if options.family is not None:
        return await streamEndpointOf(reactor, target, patience, options.family)
    try:
        return streamEndpoint(reactor, target, patience)
    except ValueError as error:
        raise ClientError(Outcome(USAGE, f"{target}: {error}")) from None


async def connect(run: Run, options: ClientOptions, protocol: Protocol) -> None:
    """
    Connect a protocol to the target by a stream.
    """
    await connectProtocol(await endpointOf(run, options), protocol)


async def openPort(
    run: Run, options: ClientOptions, protocol: DatagramClient, discovery: int | None = None
) -> ConnectedPort:
    """
    Connect a protocol to the target by datagrams.

    @param discovery: Which datagrams may be fragmented, as for L{ConnectedPort}.
    """
    address = await resolve(run.reactor, options["target"], options.family)
    port = ConnectedPort(address, protocol, run.reactor, discovery, options.socketOptions)
    port.startListening()
    return port
