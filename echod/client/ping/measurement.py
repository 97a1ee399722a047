"""
The measurement of one target, by datagrams or by TCP connections.
"""

from __future__ import annotations

from dataclasses import replace

from echod.client.connect import endpointOf, openPort
from echod.client.datagrams import ConnectedPort
from echod.client.ping.connections import CONNECT_TIMEOUT, CONNECTIONS, Connections
from echod.client.ping.pinger import Pinger
from echod.client.ping.probeoptions import ProbeOptions
from echod.client.ping.protocols import DatagramProbesProtocol
from echod.client.ping.result import Result
from echod.client.ping.stream import Stream
from echod.client.reactor import IClientReactor
from echod.client.target import Target


async def measure(
    reactor: IClientReactor, options: ProbeOptions, target: Target, pinger: Pinger
) -> Result:
    """
    Measure one target until the run of the pinger is over, and close everything.

    This prints nothing.  The observer of the pinger receives the events, and
    L{Pinger.result} returns the result so far.

    @raise Exception: if the target cannot be resolved or reached at all.
        C{echod.client.exitstatus.explain} returns the outcome for it.
    """
    by = _byStream if options["tcp"] else _byUDP
    return await by(reactor, options, target, pinger)


async def _byStream(
    reactor: IClientReactor, options: ProbeOptions, target: Target, pinger: Pinger
) -> Result:
    patience = CONNECT_TIMEOUT if options["anew"] else None
    endpoint = await endpointOf(reactor, options, target, pinger.openings.connected, patience)
    most = max(CONNECTIONS // len(options["targets"]), 1)
    stream = (
        Connections(endpoint, pinger, most)
        if options["anew"]
        else Stream(reactor, endpoint, pinger)
    )
    try:
        await stream.start()
        return await pinger.finished
    finally:
        stream.close()


async def _byUDP(
    reactor: IClientReactor, options: ProbeOptions, target: Target, pinger: Pinger
) -> Result:
    protocol = DatagramProbesProtocol(pinger)
    port = await openPort(reactor, options, target, protocol, options.discovery)
    search = pinger.result().search
    if search is not None:
        search.hint = port.payloadByKernel
    try:
        result = await pinger.finished
        return replace(result, pathMTU=_pathMTU(result, port))
    finally:
        await port.stopListening()


def _pathMTU(result: Result, port: ConnectedPort) -> int | None:
    if result.search is None:
        return port.pathMTU()
    largest = result.search.largest
    return None if largest is None else largest + port.headers
