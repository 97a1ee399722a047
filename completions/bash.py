"""
The completion for bash.  It needs no function of the package bash-completion.
"""

from __future__ import annotations

from collections.abc import Iterator

from completions.model import FILE, TOP, Command, Program
from echod.net.helptext import Option

SCRIPT = """\
# bash completion for {program}; python -m completions writes it.

_{program}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command='' index
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${{COMP_WORDS[index]}} in
            {names})
                command=${{COMP_WORDS[index]}}
                break
                ;;
        esac
    done
    # bash splits --option=value into three words.
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $previous == '=' ]]; then
        previous=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    COMPREPLY=()
    case $command:$previous in
{values}
    esac
    case $command:$current in
{words}
    esac
}}

complete -F _{program} {program}
"""


def script(program: Program) -> str:
    """
    @return: The content of the file.
    """
    commands = program.commands
    top = Command(TOP, "", program.options, targets=False)
    values = [line for each in (top, *commands) for line in _values(each)]
    words = [line for each in commands for line in _words(each)]
    # Options go before the command, and there is nothing else.
    first = " ".join([*(each.name for each in commands), *_flags(top)])
    return SCRIPT.format(
        program=program.name,
        names="|".join(each.name for each in commands) or "''",
        values="\n".join(values),
        words="\n".join([*words, *_case("*", _compgen(f"-W '{first}'"))]),
    )


def _flags(command: Command) -> list[str]:
    return [flag for option in command.options for flag in option.flags]


def _values(command: Command) -> Iterator[str]:
    patterns: dict[tuple[str, ...], list[str]] = {}
    for option in command.options:
        if option.argument:
            some = patterns.setdefault(tuple(_value(option)), [])
            some += [f"{command.name}:{flag}" for flag in option.flags]
    for lines, some in patterns.items():
        yield from _case("|".join(some), *lines, "return")


def _value(option: Option) -> list[str]:
    if option.argument == FILE:
        return ["compopt -o filenames 2>/dev/null", _compgen("-f")]
    if not option.choices:
        return []
    # An item of a list has a value of its own after it.
    nospace = ["compopt -o nospace 2>/dev/null"] if option.choices[0].endswith("=") else []
    return [*nospace, _compgen(f"-W '{' '.join(option.choices)}'")]


def _words(command: Command) -> Iterator[str]:
    flags = " ".join(_flags(command))
    yield from _case(f"{command.name}:-*", _compgen(f"-W '{flags}'"))
    yield from _case(f"{command.name}:*", _compgen("-A hostname"))


def _compgen(arguments: str) -> str:
    return f'mapfile -t COMPREPLY < <(compgen {arguments} -- "$current")'


def _case(pattern: str, *lines: str) -> list[str]:
    return [f"        {pattern})", *(f"            {line}" for line in (*lines, ";;"))]
