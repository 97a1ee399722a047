"""
The completion for fish.
"""

from __future__ import annotations

from collections.abc import Iterator

from completions.model import FILE, Program, summary
from echod.net.helptext import Option

HOSTS = "(__fish_print_hostnames)"


def script(program: Program) -> str:
    """
    @return: The content of the file.
    """
    return "\n".join(_lines(program)) + "\n"


def _lines(program: Program) -> Iterator[str]:
    name = program.name
    yield f"# fish completion for {name}; python -m completions writes it."
    yield f"complete -c {name} -f"
    first = " -n __fish_use_subcommand" if program.commands else ""
    for option in program.options:
        yield f"complete -c {name}{first}{_option(option)}"
    for command in program.commands:
        yield f"complete -c {name}{first} -a {command.name} -d {_quoted(command.about)}"
        after = f" -n '__fish_seen_subcommand_from {command.name}'"
        yield f"complete -c {name}{after} -a {_quoted(HOSTS)}"
        for option in command.options:
            yield f"complete -c {name}{after}{_option(option)}"


def _option(option: Option) -> str:
    flags = "".join(
        f" -l {flag[2:]}" if flag.startswith("--") else f" -s {flag[1:]}"
        for flag in option.flags
    )
    value = ""
    if option.argument == FILE:
        value = " -r -F"
    elif option.argument:
        value = " -x" + (f" -a {_quoted(' '.join(option.choices))}" if option.choices else "")
    return f"{flags}{value} -d {_quoted(summary(option.text))}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
