"""
Connect a protocol to the target that the options name.
"""

from __future__ import annotations

from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol

from echod.client.commonoptions import ClientOptions
from echod.client.datagrams import ConnectedPort, DatagramClient
from echod.client.exitstatus import USAGE, ClientError, Outcome
from echod.client.run import Run
from echod.client.target import resolve, streamEndpoint, streamEndpoint6


async def endpointOf(run: Run, options: ClientOptions) -> IStreamClientEndpoint:
    """
    @return: The stream endpoint of the target.

    @raise ClientError: if its description is wrong.
    """
    target, patience = options["target"], options["timeout"]
    if options["ipv6"]:
        return await streamEndpoint6(run.reactor, target, patience)
    try:
        return streamEndpoint(run.reactor, target, patience)
    except ValueError as error:
        raise ClientError(Outcome(USAGE, f"{target}: {error}")) from None


async def connect(run: Run, options: ClientOptions, protocol: Protocol) -> None:
    """
    Connect a protocol to the target by a stream.
    """
    await connectProtocol(await endpointOf(run, options), protocol)


async def openPort(
    run: Run, options: ClientOptions, protocol: DatagramClient, unfragmented: bool = False
) -> ConnectedPort:
    """
    Connect a protocol to the target by datagrams.

    @param unfragmented: Whether datagrams must not be fragmented.
    """
    address = await resolve(run.reactor, options["target"], options["ipv6"])
    port = ConnectedPort(address, protocol, run.reactor, unfragmented)
    port.startListening()
    return port
