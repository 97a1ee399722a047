"""
C{echoc ping}.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TextIO

from twisted.internet.defer import DeferredList
from twisted.internet.task import LoopingCall

from echod.client.exitstatus import INTERRUPTED, SOME, ClientError, Outcome
from echod.client.ping.options import PingOptions
from echod.client.ping.reports.live import Plot, Progress, isLong
from echod.client.ping.reports.output import BufferedPrinter, OutputFile
from echod.client.ping.reports.programreports import CSV, JSON, JSONLines
from echod.client.ping.reports.report import OneLine, Print, Quiet, Report, Summary, Text
from echod.client.ping.reports.table import Table
from echod.client.ping.targetrun import TargetRun
from echod.client.reactor import IClientReactor
from echod.client.run import Run
from echod.net.format import quoted


async def ping(run: Run, options: PingOptions) -> Outcome:
    """
    C{echoc ping}.
    """
    printer = BufferedPrinter(run)
    try:
        outcome = await _ping(run, options, printer)
    finally:
        await printer.finish()
    return printer.judge(outcome)


async def _ping(run: Run, options: PingOptions, printer: BufferedPrinter) -> Outcome:
    histogram = _histogram(options["histogram"])
    report = reporter(run, options, printer)
    targets = [TargetRun(run.reactor, options, target, report) for target in options["targets"]]

    def summaries() -> list[Summary]:
        return [each.summary() for each in targets]

    def interim() -> None:
        if any(each.result is None for each in targets):
            report.interim(summaries())

    def interrupt() -> None:
        for each in targets:
            each.interrupt()

    run.interrupt = interrupt
    run.handleQuit(interim)
    repeated = LoopingCall(interim)
    repeated.clock = run.reactor
    if options["every"]:
        repeated.start(options["every"], now=False)
    report.started(options.plan, options.protocol)
    try:
        await DeferredList([each.start() for each in targets])
        printer.keepAll()
        if any(each.outcome.status != INTERRUPTED for each in targets):
            report.finished(summaries())
    finally:
        report.stop()
        if repeated.running:
            repeated.stop()
    outcome = _whole(targets)
    if histogram is not None and not targets[0].failed:
        outcome = _writeHistogram(histogram, targets[0]) or outcome
    return printer.outcome or outcome


def _whole(targets: Sequence[TargetRun]) -> Outcome:
    """
    @return: The outcome of the run.  The highest status of a target is that of the run.
    """
    # The report contains the other messages.
    messages = [each.outcome.message for each in targets if each.failed]
    return Outcome(max(each.outcome.status for each in targets), "\n".join(messages))


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


def _writeHistogram(file: TextIO, target: TargetRun) -> Outcome | None:
    """
    @return: The outcome if the histogram cannot be written.
    """
    assert target.result is not None
    try:
        with file:
            print("rtt_us,count,cumulative_percent", file=file)
            for value, count, below in target.result.tracker.total.roundTrips.distribution():
                print(f"{value},{count},{100 * below:.6f}", file=file)
    except OSError as error:
        return _cannotWrite(file.name, error)
    return None


def _cannotWrite(path: str, error: OSError) -> Outcome:
    return Outcome(SOME, f"--histogram {quoted(path)}: {error.strerror}")


def reporter(
    run: Run,
    options: PingOptions,
    printer: BufferedPrinter,
    progress: Callable[[Print, IClientReactor, OutputFile], Report] = Progress,
) -> Report:
    """
    @param progress: The report for a long, quiet run at a terminal.

    @return: The report that the options ask for.
    """
    line, file = printer.line, OutputFile(printer, run.stdout)
    if options["json"]:
        return JSON(line)
    if options["json-lines"]:
        return JSONLines(line)
    if options["csv"]:
        return CSV(line)
    if options["plot"]:
        return Plot(line, run.reactor, file)
    if options["mtu"]:
        return OneLine(line)
    if len(options["targets"]) > 1:
        return Table(line)
    source = bool(options["source"])
    if not options["quiet"]:
        return Text(line, source=source, stamped=bool(options["time-of-day"]))
    if run.atTerminal() and isLong(options.plan):
        # No option asks for the progress bar: without rich, do without it.
        with contextlib.suppress(ClientError):
            return progress(line, run.reactor, file)
    return Quiet(line, source=source)
