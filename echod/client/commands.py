"""
The four clients: from the command line to the protocols, the standard descriptors
and the terminal.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import connectProtocol
from twisted.python.failure import Failure

from echod.client.datagrams import ConnectedPort
from echod.client.exitstatus import ALL, CLOSED_PIPE, SOME, USAGE, Ended, Outcome, explained
from echod.client.ping.connections import Connections
from echod.client.ping.live import Plot, Progress, isLong
from echod.client.ping.pinger import (
    DatagramProbesProtocol,
    Pinger,
    Result,
    StreamProbesProtocol,
)
from echod.client.ping.report import JSON, JSONLines, Quiet, Text
from echod.client.ping.summary import summary
from echod.client.ping.verdict import verdict
from echod.client.talk.greet import GreetedProtocol
from echod.client.talk.stdio import Input, Output
from echod.client.talk.tcp import ConversationProtocol, Exchanged
from echod.client.talk.terminal import HEARD, Terminal, Words
from echod.client.talk.udp import DatagramConversationProtocol, Lines
from echod.client.target import resolve, streamEndpoint, streamEndpoint6
from echod.net.format import escaped

BYE = "bye"
"""
The word that ends a conversation.
"""


class Run(Protocol):
    """
    What a client runs in.

    @ivar stdin: The descriptor of standard input.

    @ivar stdout: That of standard output.
    """

    reactor: Any
    stdin: int
    stdout: int
    interrupt: Callable[[], object]

    def cancel(self) -> None: ...


class Printer:
    """
    Prints lines on standard output, and ends the run when nobody reads them.

    @ivar outcome: What it ended with, if it did.
    """

    def __init__(self, run: Run) -> None:
        self.outcome: Outcome | None = None
        self._run = run

    def line(self, text: str) -> None:
        """
        Print a line.
        """
        self.write(encoded(text) + b"\n")

    def write(self, data: bytes) -> None:
        """
        Print some bytes.
        """
        try:
            while data and not self.outcome:
                data = data[os.write(self._run.stdout, data) :]
        except OSError as error:
            self.outcome = cannotPrint(error)
            # Not from inside of what is to end.
            self._run.reactor.callLater(0, self._run.cancel)


def cannotPrint(error: BaseException | None) -> Outcome:
    """
    @return: That standard output takes no more.
    """
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return Outcome(SOME, f"standard output: {error.strerror}")
    return Outcome(CLOSED_PIPE)


async def endpointOf(run: Run, options: Any) -> Any:
    """
    @return: Where the target is, for a stream.
    """
    target, patience = options["target"], options["timeout"]
    if options["ipv6"]:
        return await streamEndpoint6(run.reactor, target, patience)
    try:
        return streamEndpoint(run.reactor, target, patience)
    except ValueError as error:
        raise Ended(Outcome(USAGE, f"{target}: {error}")) from None


async def connect(run: Run, options: Any, protocol: Any) -> None:
    """
    Connect a protocol to the target, by a stream.
    """
    await connectProtocol(await endpointOf(run, options), protocol)


async def openPort(run: Run, options: Any, protocol: Any, whole: bool = False) -> ConnectedPort:
    """
    Connect a protocol to the target, by datagrams.
    """
    address = await resolve(run.reactor, options["target"], options["ipv6"])
    port = ConnectedPort(address, protocol, run.reactor, whole)
    port.startListening()
    return port


async def greet(run: Run, options: Any) -> Outcome:
    """
    C{echoc greet}.
    """
    printer = Printer(run)
    protocol = GreetedProtocol(run.reactor, options["timeout"], printer.write)
    try:
        await connect(run, options, protocol)
        await protocol.finished
    except CancelledError:
        protocol.abort()
        if printer.outcome is None:
            raise
    return printer.outcome or Outcome(ALL)


def atTerminal(run: Run) -> bool:
    """
    @return: Whether there is a person at both ends.
    """
    return os.isatty(run.stdin) and os.isatty(run.stdout)


async def tcp(run: Run, options: Any) -> Outcome:
    """
    C{echoc tcp}.
    """
    return await (tcpAtTerminal if atTerminal(run) else tcpInPipe)(run, options)


async def tcpInPipe(run: Run, options: Any) -> Outcome:
    """
    Standard input goes out, what comes back goes to standard output.
    """
    output = Output(run.reactor, run.stdout)
    protocol = ConversationProtocol(run.reactor, options["timeout"], output)
    source = Input(run.reactor, run.stdin, protocol.say, protocol.saidAll)

    def stopped(failure: Failure) -> Outcome:
        protocol.abort()
        return cannotPrint(failure.value)

    output.finished.addErrback(stopped)
    try:
        await connect(run, options, protocol)
        protocol.sayFrom(source)
        outcome = closed(await protocol.finished)
    except CancelledError:
        protocol.abort()
        source.stopProducing()
        output.abort()
        raise
    except Exception as error:
        outcome = explained(error, options["target"])
    source.stopProducing()
    output.loseConnection()
    return (await output.finished) or outcome


def closed(exchanged: Exchanged) -> Outcome:
    """
    @return: What it means that the server has closed.
    """
    if exchanged.finished:
        return Outcome(ALL)
    return Outcome(
        SOME,
        f"the server has ended the conversation ({exchanged.sent} bytes sent, "
        f"{exchanged.received} received)",
    )


def converse(
    terminal: Terminal,
    protocol: ConversationProtocol | DatagramConversationProtocol,
    lineEnd: bytes,
) -> None:
    """
    Say what is typed, up to the goodbye.
    """

    def say(line: str) -> None:
        protocol.say(encoded(line) + lineEnd)
        if line == BYE:
            leave()

    def leave() -> None:
        terminal.close()
        protocol.saidAll()

    terminal.open(say, leave)


async def tcpAtTerminal(run: Run, options: Any) -> Outcome:
    """
    A conversation.
    """
    terminal = Terminal(run.reactor, (run.stdin, run.stdout))
    words = Words(run.reactor, terminal.show)
    protocol = ConversationProtocol(run.reactor, options["timeout"], words)
    await connect(run, options, protocol)
    try:
        converse(terminal, protocol, b"\n")
        return closed(await protocol.finished)
    finally:
        protocol.abort()
        words.flush()
        terminal.close()


async def udp(run: Run, options: Any) -> Outcome:
    """
    C{echoc udp}.
    """
    return await (udpAtTerminal if atTerminal(run) else udpInPipe)(run, options)


async def udpInPipe(run: Run, options: Any) -> Outcome:
    """
    Each line of standard input goes out, each datagram that comes back is a line of
    standard output.
    """
    printer = Printer(run)
    protocol = DatagramConversationProtocol(
        run.reactor, options["timeout"], lambda datagram: printer.write(datagram + b"\n")
    )
    lines = Lines(protocol.say, protocol.end)

    def saidAll() -> None:
        lines.end()
        protocol.saidAll()

    source = Input(run.reactor, run.stdin, lines.read, saidAll)
    try:
        port = await openPort(run, options, protocol)
        try:
            protocol.sayFrom(source)
            await protocol.finished
        finally:
            source.stopProducing()
            protocol.end()
            await port.stopListening()
    except CancelledError:
        # It may also come while the port is being closed.
        if printer.outcome is None:
            raise
    return printer.outcome or Outcome(ALL)


async def udpAtTerminal(run: Run, options: Any) -> Outcome:
    """
    A conversation.
    """
    terminal = Terminal(run.reactor, (run.stdin, run.stdout))
    protocol = DatagramConversationProtocol(
        run.reactor,
        options["timeout"],
        lambda datagram: terminal.show(HEARD + escaped(datagram)),
    )
    port = await openPort(run, options, protocol)
    try:
        converse(terminal, protocol, b"")
        await protocol.finished
    finally:
        terminal.close()
        protocol.end()
        await port.stopListening()
    return Outcome(ALL)


def encoded(line: str) -> bytes:
    """
    @return: What was typed, or given as an argument, byte for byte.
    """
    return line.encode("utf-8", "surrogateescape")


async def ping(run: Run, options: Any) -> Outcome:
    """
    C{echoc ping}.
    """
    printer = Printer(run)
    target, plan = options["target"], options.plan
    report = reporter(run, options, printer.line)
    pinger = Pinger(run.reactor, plan, report.happened)
    report.started(target, plan, "TCP" if options["tcp"] else "UDP")
    try:
        result = await wayToPing(options)(run, options, pinger)
        outcome = verdict(result, target)
        report.finished(summary(result, outcome, target))
        # The report has said the rest.
        outcome = Outcome(outcome.status)
    except CancelledError:
        if printer.outcome is None:
            raise
    except Exception as error:
        pinger.end()
        outcome = explained(error, target)
        report.failed(summary(await pinger.finished, outcome, target))
    finally:
        pinger.end()
        report.stop()
    return printer.outcome or outcome


def wayToPing(options: Any) -> Callable[[Run, Any, Pinger], Awaitable[Result]]:
    """
    @return: How the probes get there.
    """
    if not options["tcp"]:
        return pingByUDP
    return pingAnew if options["anew"] else pingByTCP


async def pingAnew(run: Run, options: Any, pinger: Pinger) -> Result:
    """
    Measure over a connection for each probe.
    """
    connections = Connections(run.reactor, await endpointOf(run, options), pinger)
    connections.start()
    run.interrupt = pinger.interrupt
    try:
        return await pinger.finished
    finally:
        connections.close()


async def pingByTCP(run: Run, options: Any, pinger: Pinger) -> Result:
    """
    Measure over a stream.
    """
    protocol = StreamProbesProtocol(pinger)
    await connect(run, options, protocol)
    run.interrupt = pinger.interrupt
    try:
        return await pinger.finished
    finally:
        protocol.close()


async def pingByUDP(run: Run, options: Any, pinger: Pinger) -> Result:
    """
    Measure in datagrams.
    """
    protocol = DatagramProbesProtocol(pinger)
    port = await openPort(run, options, protocol, bool(options["df"]))
    run.interrupt = pinger.interrupt
    try:
        result = await pinger.finished
        return replace(result, pathMTU=port.pathMTU())
    finally:
        await port.stopListening()


def reporter(run: Run, options: Any, line: Callable[[str], object]) -> Quiet:
    """
    @return: What prints as the options say.
    """
    if options["json"]:
        return JSON(line)
    if options["json-lines"]:
        return JSONLines(line)
    if options["plot"]:
        return Plot(line, run.reactor)
    if not options["quiet"]:
        return Text(line)
    if atTerminal(run) and isLong(options.plan):
        # Nobody asked for the bar: without rich there is none.
        with contextlib.suppress(Ended):
            return Progress(line, run.reactor)
    return Quiet(line)


COMMANDS = {"greet": greet, "tcp": tcp, "udp": udp, "ping": ping}
