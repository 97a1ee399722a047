"""
The words that a shell can complete: commands, options, and the values of options.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from echod.client.options import Options as ClientOptions
from echod.config.options import Options as ServerOptions
from echod.net.commandline import CommandLine
from echod.net.helptext import Option

TOP = ""
"""
The name of the command of a program without commands.
"""

FILE = "FILE"
"""
The argument that is completed to the name of a file.
"""

_SENTENCE = re.compile(r"(?<=[^.]{2}[.)]) (?=[A-Z0-9'(])|; ")


@dataclass(frozen=True)
class Command:
    """
    A command, or a program without commands.

    @ivar targets: True if its arguments are hosts.
    """

    name: str
    about: str
    options: tuple[Option, ...]
    targets: bool


@dataclass(frozen=True)
class Program:
    """
    A program.

    @ivar options: Its own options, which go before the command.
    """

    name: str
    options: tuple[Option, ...]
    commands: tuple[Command, ...]


def optionsOf(parser: CommandLine) -> tuple[Option, ...]:
    """
    @return: The options of a parser, in the order of its help.
    """
    return tuple(option for section in parser.sections().values() for option in section)


def programs() -> list[Program]:
    """
    @return: Both programs.
    """
    # Twisted declares no type for the items of this list.
    subCommands: Any = ClientOptions.subCommands
    commands = [
        Command(name, summary(about), optionsOf(kind()), targets=True)
        for name, _, kind, about in subCommands
    ]
    return [
        Program("echoc", optionsOf(ClientOptions()), tuple(commands)),
        Program("echod", optionsOf(ServerOptions()), ()),
    ]


def summary(text: str) -> str:
    """
    @return: The first sentence of a description, without its period.
    """
    return _SENTENCE.split(text)[0].rstrip(".")
