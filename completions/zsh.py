"""
The completion for zsh.

Twisted can complete for zsh as well, but starts the program at each key; these files need no
Python.
"""

from __future__ import annotations

from completions.model import FILE, Command, Program, summary
from echod.net.helptext import Option

WITH_COMMANDS = """\
_{program}() {{
    local context state state_descr line
    typeset -A opt_args
    _arguments -C -s \\
{options} \\
        '1:command:->command' \\
        '*::argument:->argument'
    case $state in
        command)
            local -a commands=(
{commands}
            )
            _describe command commands
            ;;
        argument)
            case $words[1] in
{cases}
            esac
            ;;
    esac
}}
"""

WITHOUT_COMMANDS = """\
_{program}() {{
    _arguments -s \\
{options}
}}
"""


def script(program: Program) -> str:
    """
    @return: The content of the file.
    """
    form = WITH_COMMANDS if program.commands else WITHOUT_COMMANDS
    body = form.format(
        program=program.name,
        options=_arguments(program.options, 8),
        commands="\n".join(
            f"                {_quoted(f'{each.name}:{each.about}')}"
            for each in program.commands
        ),
        cases="\n".join(_case(each) for each in program.commands),
    )
    head = (
        f"#compdef {program.name}\n# {program.name}: python -m completions writes this file.\n"
    )
    # The function is called at the first completion, or defined if the file is sourced.
    tail = (
        f'\nif [ "$funcstack[1]" = _{program.name} ]; then\n    _{program.name} "$@"\n'
        f"else\n    compdef _{program.name} {program.name}\nfi\n"
    )
    return f"{head}\n{body}{tail}"


def _case(command: Command) -> str:
    return (
        f"                {command.name})\n"
        "                    _arguments -s \\\n"
        f"{_arguments(command.options, 24)} \\\n"
        "                        '*:TARGET:_hosts'\n"
        "                    ;;"
    )


def _arguments(options: tuple[Option, ...], indent: int) -> str:
    return " \\\n".join(" " * indent + _argument(option) for option in options)


def _argument(option: Option) -> str:
    long = option.flags[-1]
    about = summary(option.text).replace("[", r"\[").replace("]", r"\]").replace(":", r"\:")
    value = f":{option.argument}:{_value(option)}" if option.argument else ""
    # "=" allows --option value and --option=value; "+" allows -ovalue and -o value.
    flags = [
        f"{flag}{('=' if flag == long else '+') if value else ''}" for flag in option.flags
    ]
    if option.repeats:
        return _quoted(f"*{flags[-1]}[{about}]{value}")
    excluded = " ".join(option.flags)
    spread = f"{{{','.join(flags)}}}" if len(flags) > 1 else flags[0]
    return f"'({excluded})'{spread}{_quoted(f'[{about}]{value}')}"


def _value(option: Option) -> str:
    if option.argument == FILE:
        return "_files"
    if not option.choices:
        return " "
    # An item of a list has a value of its own after it.
    nospace = "compadd -S ''" if option.choices[0].endswith("=") else ""
    words = " ".join(option.choices)
    return f"{{{nospace} {words}}}" if nospace else f"({words})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"
