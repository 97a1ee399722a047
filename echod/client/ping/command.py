"""
C{echoc ping}.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TextIO

from twisted.internet.defer import CancelledError
from twisted.internet.task import LoopingCall

from echod.client.exitstatus import ALL, SOME, ClientError, Outcome, explain
from echod.client.ping.live import Plot, Progress, isLong
from echod.client.ping.measurement import measure
from echod.client.ping.mtu import MTUPinger
from echod.client.ping.options import PingOptions
from echod.client.ping.pinger import Pinger, Result
from echod.client.ping.report import CSV, JSON, JSONLines, OneLine, Print, Quiet, Text
from echod.client.ping.summary import summary
from echod.client.ping.verdict import verdict
from echod.client.reactor import IClientReactor
from echod.client.run import Printer, Run
from echod.net.format import quoted


async def ping(run: Run, options: PingOptions) -> Outcome:
    """
    C{echoc ping}.
    """
    printer = Printer(run)
    target, plan = options["target"], options.plan
    histogram = _histogram(options["histogram"])
    report = reporter(run, options, printer.line)
    kind = MTUPinger if options["mtu"] else Pinger
    pinger = kind(run.reactor, plan, report.observe)

    def interim() -> None:
        if not pinger.finished.called:
            report.interim(summary(pinger.result(), Outcome(ALL), target))

    def interrupt() -> None:
        if pinger.started:
            pinger.interrupt()
        else:
            run.cancel()

    run.interrupt = interrupt
    run.handleQuit(interim)
    repeated = LoopingCall(interim)
    repeated.clock = run.reactor
    if options["every"]:
        repeated.start(options["every"], now=False)
    report.started(target, plan, "TCP" if options["tcp"] else "UDP")
    try:
        result = await measure(run.reactor, options, target, pinger)
        outcome = verdict(result, target)
        report.finished(summary(result, outcome, target))
        # The report contains the message.
        outcome = Outcome(outcome.status)
        if histogram is not None:
            outcome = _writeHistogram(histogram, result) or outcome
    except CancelledError:
        if printer.outcome is None:
            raise
    except Exception as error:
        pinger.end()
        outcome = explain(error, target)
        report.failed(summary(await pinger.finished, outcome, target))
    finally:
        pinger.end()
        report.stop()
        if repeated.running:
            repeated.stop()
    return printer.outcome or outcome


def _histogram(path: str) -> TextIO | None:
    """
    @return: The file for the histogram, open before the run, which may be long.
    """
    if not path:
        return None
    try:
        return open(path, "w", encoding="ascii")
    except OSError as error:
        raise ClientError(_cannotWrite(path, error)) from None


def _writeHistogram(file: TextIO, result: Result) -> Outcome | None:
    """
    @return: The outcome if the histogram cannot be written.
    """
    try:
        with file:
            print("rtt_us,count,cumulative_percent", file=file)
            for value, count, below in result.tracker.total.roundTrips.distribution():
                print(f"{value},{count},{100 * below:.6f}", file=file)
    except OSError as error:
        return _cannotWrite(file.name, error)
    return None


def _cannotWrite(path: str, error: OSError) -> Outcome:
    return Outcome(SOME, f"--histogram {quoted(path)}: {error.strerror}")


def reporter(
    run: Run,
    options: PingOptions,
    line: Print,
    progress: Callable[[Print, IClientReactor], Quiet] = Progress,
) -> Quiet:
    """
    @param line: Prints a line.

    @param progress: The report for a long, quiet run at a terminal.

    @return: The report that the options ask for.
    """
    if options["json"]:
        return JSON(line)
    if options["json-lines"]:
        return JSONLines(line)
    if options["csv"]:
        return CSV(line)
    if options["plot"]:
        return Plot(line, run.reactor)
    if options["mtu"]:
        return OneLine(line)
    if not options["quiet"]:
        return Text(line, bool(options["time-of-day"]))
    if run.atTerminal() and isLong(options.plan):
        # No option asks for the progress bar: without rich, do without it.
        with contextlib.suppress(ClientError):
            return progress(line, run.reactor)
    return Quiet(line)
