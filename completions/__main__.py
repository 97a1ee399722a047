"""
Write the files of the completions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from completions import bash, fish, zsh
from completions.model import programs

DIRECTORY = Path(__file__).parent


def files() -> Iterator[tuple[Path, str]]:
    """
    @return: The path and the content of each file.
    """
    for program in programs():
        name = program.name
        yield DIRECTORY / "bash" / name, bash.script(program)
        yield DIRECTORY / "zsh" / f"_{name}", zsh.script(program)
        yield DIRECTORY / "fish" / f"{name}.fish", fish.script(program)


def main() -> None:
    """
    Write all files.
    """
    for path, content in files():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)


if __name__ == "__main__":
    main()
