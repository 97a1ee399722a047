"""
C{echoc watch}.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from types import ModuleType

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import CancelledError, Deferred, gatherResults, maybeDeferred

from echod.client.connect import endpointOf
from echod.client.endpoints import resolve
from echod.client.exitstatus import ALL, USAGE, ClientError, Outcome
from echod.client.ping.measurement import measure
from echod.client.reactor import IClientReactor
from echod.client.run import Printer, Run
from echod.client.target import Address, Description, Target
from echod.client.watch.options import WatchOptions
from echod.client.watch.prober import LookUp, Prober, startAll
from echod.client.watch.results import Results
from echod.net.format import hostPort

MISSING = "needs the status extra: pip install 'txechod[status]'"


async def watch(
    run: Run,
    options: WatchOptions,
    importing: Callable[[str], ModuleType] = import_module,
) -> Outcome:
    """
    C{echoc watch}.

    @param importing: Imports a module.
    """
    try:
        metrics = importing("echod.client.watch.metrics")
        httpserver = importing("echod.client.watch.httpserver")
    except ImportError:
        raise ClientError(Outcome(USAGE, MISSING)) from None
    targets = options["targets"]
    for target in targets:
        if isinstance(target, Description):
            # A wrong description is an error at the start, not a target that is down.
            await endpointOf(run.reactor, options, target)
    results = [Results(target, options.protocolOf(target)) for target in targets]
    site = httpserver.WatchSite(metrics.registryFor(results), results)
    ports = httpserver.listen(run.reactor, options.place, site)
    stopped: Deferred[None] = Deferred()
    run.interrupt = stopped.cancel
    host = ports[0].getHost()
    printer = Printer(run)
    printer.line(f"metrics: http://{hostPort(host.host, host.port)}/metrics")
    probers = [
        Prober(
            run.reactor,
            options.plan,
            each,
            partial(measure, run.reactor, options, target),
            lookUpOf(run.reactor, options, target),
        )
        for target, each in zip(targets, results, strict=True)
    ]
    startAll(probers, options.plan.interval)
    with suppress(CancelledError):
        await stopped
    for prober in probers:
        prober.stop()
    await gatherResults([maybeDeferred(port.stopListening) for port in ports])
    return printer.outcome or Outcome(ALL)


def lookUpOf(reactor: IClientReactor, options: WatchOptions, target: Target) -> LookUp | None:
    """
    @return: Finds the addresses of a target; L{None} if it has no name.
    """
    if (
        not isinstance(target, Address)
        or isIPAddress(target.host)
        or isIPv6Address(target.host)
    ):
        return None
    return partial(resolve, reactor, target, options.family)
