"""
C{echoc greet}, C{echoc tcp} and C{echoc udp}: connect the protocols to the standard
descriptors or to the terminal.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from echod.client.commonoptions import ClientOptions
from echod.client.connect import connect, openPort
from echod.client.exitstatus import ALL, SOME, Outcome, explain
from echod.client.run import Printer, Run, cannotPrint, encode
from echod.client.talk.greet import GreetedProtocol
from echod.client.talk.stdio import Input, Output
from echod.client.talk.tcp import ConversationProtocol, Exchanged
from echod.client.talk.terminal import RECEIVED, LineDisplay, Terminal
from echod.client.talk.udp import DatagramConversationProtocol, LineSplitter
from echod.net.format import escaped

BYE = "bye"
"""
The line that ends a conversation.
"""


async def greet(run: Run, options: ClientOptions) -> Outcome:
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
    Send standard input, and write what comes back to standard output.
    """
    output = Output(run.reactor, run.stdout)
    protocol = ConversationProtocol(run.reactor, options["timeout"], output)
    source = Input(run.reactor, run.stdin, protocol.send, protocol.finishSending)

    def outputFailed(failure: Failure) -> Outcome:
        protocol.abort()
        return cannotPrint(failure.value)

    output.finished.addErrback(outputFailed)
    try:
        await connect(run, options, protocol)
        protocol.sendFrom(source)
        outcome = _closed(await protocol.finished)
    except CancelledError:
        protocol.abort()
        source.stopProducing()
        output.abort()
        raise
    except Exception as error:
        outcome = explain(error, options["target"])
    source.stopProducing()
    output.loseConnection()
    return (await output.finished) or outcome


async def _tcpAtTerminal(run: Run, options: ClientOptions) -> Outcome:
    terminal = Terminal(run.reactor, (run.stdin, run.stdout))
    display = LineDisplay(run.reactor, terminal.show)
    protocol = ConversationProtocol(run.reactor, options["timeout"], display)
    await connect(run, options, protocol)
    try:
        _converse(terminal, protocol, b"\n")
        return _closed(await protocol.finished)
    finally:
        protocol.abort()
        display.flush()
        terminal.close()


def _closed(exchanged: Exchanged) -> Outcome:
    """
    @return: The outcome of a connection that the server has closed.
    """
    if exchanged.finished:
        return Outcome(ALL)
    return Outcome(
        SOME,
        f"the server has ended the conversation ({exchanged.sent} bytes sent, "
        f"{exchanged.received} received)",
    )


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
    protocol = DatagramConversationProtocol(
        run.reactor, options["timeout"], lambda datagram: printer.write(datagram + b"\n")
    )
    lines = LineSplitter(protocol.send, protocol.end)

    def finish() -> None:
        lines.end()
        protocol.finishSending()

    source = Input(run.reactor, run.stdin, lines.read, finish)
    try:
        port = await openPort(run, options, protocol)
        try:
            protocol.sendFrom(source)
            await protocol.finished
        finally:
            source.stopProducing()
            protocol.end()
            await port.stopListening()
    except CancelledError:
        # The run may also be cancelled while the port is being closed.
        if printer.outcome is None:
            raise
    return printer.outcome or Outcome(ALL)


async def _udpAtTerminal(run: Run, options: ClientOptions) -> Outcome:
    terminal = Terminal(run.reactor, (run.stdin, run.stdout))
    protocol = DatagramConversationProtocol(
        run.reactor,
        options["timeout"],
        lambda datagram: terminal.show(RECEIVED + escaped(datagram)),
    )
    port = await openPort(run, options, protocol)
    try:
        _converse(terminal, protocol, b"")
        await protocol.finished
    finally:
        terminal.close()
        protocol.end()
        await port.stopListening()
    return Outcome(ALL)
