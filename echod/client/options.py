"""
The command line of C{echoc}.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from twisted.python import usage

from echod.client.commonoptions import ClientOptions
from echod.client.ping.options import PingOptions
from echod.client.watch.options import WatchOptions
from echod.net.commandline import CommandLine
from echod.net.format import quoted

GREETING_PORT = 9999


class TalkOptions(ClientOptions):
    """
    The options of the clients that talk.
    """

    opt_w = ClientOptions.opt_timeout


class GreetOptions(TalkOptions):
    """
    C{echoc greet}.
    """

    command = "greet"
    port = GREETING_PORT
    longdesc = "Connects, prints what the server sends, and ends."


class TCPOptions(TalkOptions):
    """
    C{echoc tcp}.
    """

    command = "tcp"
    longdesc = (
        "At a terminal, sends each line that you type, and shows the answer. 'bye' or Ctrl-D "
        "ends the conversation. In a pipe, sends standard input, and writes the answer to "
        "standard output, byte for byte. (echod ends a session at a line 'bye', unless it "
        "runs with --no-goodbye.)"
    )


class UDPOptions(TalkOptions):
    """
    C{echoc udp}.
    """

    command = "udp"
    streams = False
    patience = "3"
    longdesc = (
        "Like tcp, but by UDP. Sends each line as one datagram, and the next one when the "
        "answer has arrived."
    )


class Options(CommandLine):
    """
    C{echoc}.
    """

    program = "echoc"
    synopsis = "Usage: echoc greet|tcp|udp|ping|watch [options] [TARGET...]"

    longdesc = (
        "Clients for echo servers. 'echoc COMMAND --help' lists the options of a command."
    )

    argumentTitle = "Exit status"
    argumentHelp = {
        "0": "Everything came back.",
        "1": "Something did not come back.",
        "2": "The command line is wrong, or the name of the server is unknown.",
        "3": "Refused: nothing listens there.",
        "4": "Silent: the server is down, or a firewall drops the packets.",
        "5": "What came back is not what was sent.",
    }

    subCommands = [
        ("greet", None, GreetOptions, "Print the greeting of a server."),
        ("tcp", None, TCPOptions, "Talk to a TCP server, or send standard input."),
        ("udp", None, UDPOptions, "Talk to a UDP server, or send the lines of standard input."),
        ("ping", None, PingOptions, "Measure round trips and loss."),
        ("watch", None, WatchOptions, "Measure for ever, and serve metrics for Prometheus."),
    ]

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Parse the command line.

        @raise usage.UsageError: for a wrong command line.
        """
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            # Twisted names the wrong word, and no right one.
            word = str(error).removeprefix("Unknown command: ")
            if word == str(error):
                raise
            near = [*get_close_matches(word, self._commands(), 1), self.nearest(word)][0]
            commands = ", ".join(self._commands())
            hint = f"did you mean {near}?" if near else f"the commands are {commands}"
            raise usage.UsageError(f"unknown command {quoted(word)}: {hint}") from None

    def hint(self, option: str) -> str:
        """
        @return: Advice about an unknown option.  It may be one of a command.
        """
        word = option.lstrip("-")
        if word in self._commands():
            return f"did you mean 'echoc {word}'?"
        for command in self.commandsWith(option):
            return f"it goes after the command, as in 'echoc {command} {option}'"
        return super().hint(option)

    def postOptions(self) -> None:
        """
        Check that there is a subcommand.
        """
        if self.subCommand is None:
            raise usage.UsageError(f"give a command: {', '.join(self._commands())}")

    def _commands(self) -> list[str]:
        return [name for name, *_ in self.subCommands]


def parseCommandLine(arguments: list[str]) -> ClientOptions:
    """
    @return: The options of the subcommand.

    @raise usage.UsageError: for a wrong command line.
    """
    options = Options()
    options.parseOptions(arguments)
    parsed: ClientOptions = options.subOptions
    return parsed
