"""
C{echoc greet}, C{echoc tcp} and C{echoc udp}: connect the protocols to the standard
descriptors or to the terminal.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from echod.client.commonoptions import ClientOptions
from echod.client.connect import connect, openPort
from echod.client.exitstatus import (
    ALL,
    IS_IT_ECHO,
    NO_ECHO,
    SILENT,
    SOME,
    WRONG,
    Outcome,
)
from echod.client.run import Printer, Run, cannotPrint, encode
from echod.client.talk.comparison import Comparison
from echod.client.talk.greet import GreetedProtocol
from echod.client.talk.lines import LineSplitter
from echod.client.talk.stdio import Input, Output
from echod.client.talk.tcp import CLOSED, ConversationProtocol
from echod.client.talk.terminal import RECEIVED, LineDisplay, Terminal
from echod.client.talk.udp import DatagramConversationProtocol
from echod.net.format import escaped

BYE = "bye"
"""
The line that ends a conversation.
"""


FIRST_TRIES = 3
"""
After how many lines without any answer to give up, if they come from a pipe.
"""


async def greet(run: Run, options: ClientOptions) -> Outcome:
    """
    C{echoc greet}.
    """
    printer = Printer(run)
    protocol = GreetedProtocol(run.reactor, options["timeout"], printer.write)
    try:
        await connect(run.reactor, options, options["target"], protocol)
        closed = await protocol.finished
    except CancelledError:
        protocol.abort()
        if printer.outcome is None:
            raise
        return printer.outcome
    if protocol.received:
        # Some servers greet, then listen: a connection that stays open is no error.
        return Outcome(ALL)
    if closed:
        return Outcome(SOME, f"{options['target']}: connected, and closed without a word")
    return Outcome(
        SILENT,
        f"{options['target']}: connected, but no word within {options['timeout']:g} s: is "
        "this a greeting server? does it expect a PROXY header or TLS?",
    )


async def tcp(run: Run, options: ClientOptions) -> Outcome:
    """
    C{echoc tcp}.
    """
    return await (_tcpAtTerminal if run.atTerminal() else _tcpInPipe)(run, options)


async def udp(run: Run, options: ClientOptions) -> Outcome:
    """
    C{echoc udp}.
    """
    return await (_udpAtTerminal if run.atTerminal() else _udpInPipe)(run, options)


async def _tcpInPipe(run: Run, options: ClientOptions) -> Outcome:
    """
    Send standard input, and write the answer to standard output.
    """
    output = Output(run.reactor, run.stdout)
    protocol = ConversationProtocol(run.reactor, options["timeout"], output)
    source = Input(run.reactor, run.stdin, protocol.send, protocol.finishSending)

    def outputFailed(failure: Failure) -> Outcome:
        protocol.abort()
        return cannotPrint(failure.value)

    output.finished.addErrback(outputFailed)
    try:
        await connect(run.reactor, options, options["target"], protocol)
        protocol.sendFrom(source)
        outcome = judge(await protocol.finished, protocol)
    except Exception:
        protocol.abort()
        output.abort()
        raise
    finally:
        source.stopProducing()
    output.loseConnection()
    return (await output.finished) or outcome


async def _tcpAtTerminal(run: Run, options: ClientOptions) -> Outcome:
    terminal = Terminal(run.reactor, (run.stdin, run.stdout))
    display = LineDisplay(run.reactor, terminal.show)
    protocol = ConversationProtocol(run.reactor, options["timeout"], display)
    await connect(run.reactor, options, options["target"], protocol)
    try:
        _converse(terminal, protocol, b"\n")
        return judge(await protocol.finished, protocol)
    finally:
        protocol.abort()
        display.flush()
        terminal.close()


def judge(end: str, protocol: ConversationProtocol) -> Outcome:
    """
    @param end: How the connection ended, in words.

    @return: The outcome of a conversation.
    """
    comparison = protocol.comparison
    counts = f"{comparison.sent} bytes sent, {comparison.received} received"
    afterGoodbye = comparison.cutByGoodbye() if end == CLOSED else None
    if comparison.wrong:
        question = "" if comparison.difference else f": {IS_IT_ECHO}"
        differs = f"what came back differs at {_byte(comparison)}{question}"
        return Outcome(WRONG, f"{counts}; {differs}")
    if not comparison.outstanding or afterGoodbye == 0:
        if protocol.sentAll and end == CLOSED:
            return Outcome(ALL)
        return Outcome(SOME, f"{counts}; {end}")
    if afterGoodbye:
        return Outcome(
            SOME,
            f"{counts}; the server ended the session at the line {BYE!r}, {_byte(comparison)}, "
            f"and {afterGoodbye} bytes after it did not come back (unlike with --no-goodbye)",
        )
    if not comparison.received:
        return Outcome(SOME, f"{NO_ECHO} ({counts}; {end})")
    return Outcome(SOME, f"{counts}; the first that is missing is {_byte(comparison)}; {end}")


def _byte(comparison: Comparison) -> str:
    """
    @return: The place of the first difference, counted from 1 as cmp(1) does.
    """
    place = comparison.difference
    return f"byte {(comparison.received if place is None else place) + 1}"


def _converse(
    terminal: Terminal,
    protocol: ConversationProtocol | DatagramConversationProtocol,
    lineEnd: bytes,
) -> None:
    """
    Send each line that is typed, up to C{bye} or Ctrl-D.
    """

    def typed(line: str) -> None:
        protocol.send(encode(line) + lineEnd)
        if line == BYE:
            finish()

    def finish() -> None:
        terminal.close()
        protocol.finishSending()

    terminal.open(typed, finish)


async def _udpInPipe(run: Run, options: ClientOptions) -> Outcome:
    """
    Send each line of standard input as a datagram, and print each datagram that comes
    back as a line.
    """
    printer = Printer(run)

    def lost(datagram: bytes) -> None:
        if protocol.answers.lost == protocol.answers.sent == FIRST_TRIES:
            protocol.end()

    protocol = DatagramConversationProtocol(
        run.reactor,
        options["timeout"],
        lambda datagram: printer.write(datagram + b"\n"),
        lost,
    )
    lines = LineSplitter(protocol.send, protocol.end)

    def finish() -> None:
        lines.end()
        protocol.finishSending()

    source = Input(run.reactor, run.stdin, lines.read, finish)
    try:
        port = await openPort(run.reactor, options, options["target"], protocol)
        try:
            protocol.sendFrom(source)
            answers = await protocol.finished
        finally:
            source.stopProducing()
            protocol.end()
            await port.stopListening()
    except CancelledError:
        # The run may also be cancelled while the port is being closed.
        if printer.outcome is None:
            raise
    return printer.outcome or answers.outcome(options["timeout"])


async def _udpAtTerminal(run: Run, options: ClientOptions) -> Outcome:
    terminal = Terminal(run.reactor, (run.stdin, run.stdout))
    protocol = DatagramConversationProtocol(
        run.reactor,
        options["timeout"],
        lambda datagram: terminal.show(RECEIVED + escaped(datagram)),
        lambda datagram: terminal.show(
            f"[!] No answer within {options['timeout']:g} s: {escaped(datagram)}"
        ),
    )
    port = await openPort(run.reactor, options, options["target"], protocol)
    try:
        _converse(terminal, protocol, b"")
        answers = await protocol.finished
    finally:
        terminal.close()
        protocol.end()
        await port.stopListening()
    return answers.outcome(options["timeout"])
