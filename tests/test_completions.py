"""
Tests for the completions of the shells.
"""

from __future__ import annotations

from subprocess import run

from twisted.trial.unittest import SynchronousTestCase

from completions.__main__ import DIRECTORY, files
from completions.model import programs, summary
from echod.client.options import parseCommandLine
from echod.client.values import DSCP_NAMES
from tests.support import CHECKOUT, program
from tests.support.config import options

PATIENCE = 30.0
"""
How long a shell may take, in seconds: much longer than it takes.
"""

BASH = """
source completions/bash/$2
COMP_WORDS=($1)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_$2
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""
Prints the completions of a command line for the program of a name.
"""

ZSH = """
zmodload zsh/zpty
zpty shell zsh -f -i
# The terminal echoes what is typed, so END must not be in it.
zpty -w shell "PROMPT= fpath=($PWD/completions/zsh \\$fpath); autoload -Uz compinit;\\
compinit -D -u; $2() { print -r -- 'BEG''IN:'\\$*':EN''D' }"
zpty -w -n shell "$1"$'\\t\\n'
zpty -r shell answer '*BEGIN:*:END*'
answer=${answer##*BEGIN:}
print -r -- "$2 ${answer%%:END*}"
"""
"""
Types a command line and Tab in an interactive zsh, and prints the command line that results.
"""

FISH = "source completions/fish/$argv[2].fish; complete -C $argv[1]"

COMPLETED = (
    ("echoc pi", "ping"),
    ("echoc --vers", "--version"),
    ("echoc ping --histo", "--histogram"),
    ("echoc ping --tos CS7", "CS7"),
    ("echoc greet -Q AF4", "AF41 AF42 AF43"),
    ("echoc ping --percentiles 5", "50,90,99,99.9"),
    ("echoc ping --histogram setup.c", "setup.cfg"),
    ("echod --greeting-t", "--greeting-text"),
    ("echod --tcp 8080 --ud", "--udp --udp-rate"),
    ("echod --workers a", "auto"),
    ("echod --session-log setup.c", "setup.cfg"),
    ("echod --impair du", "duplicate="),
)
"""
Command lines, and the words that complete the last word.
"""


class FilesTests(SynchronousTestCase):
    """
    Tests for the files.
    """

    def test_current(self) -> None:
        """
        The files are those that C{python -m completions} writes, and there are no others.
        """
        made = dict(files())
        for path, content in made.items():
            self.assertEqual(path.read_text(), content, f"{path}: run python -m completions")
        present = {path for path in DIRECTORY.glob("*/*") if path.parent.name != "__pycache__"}
        self.assertEqual(present, set(made))

    def test_installed(self) -> None:
        """
        The files are installed where the shells look for them.
        """
        configuration = (CHECKOUT / "setup.cfg").read_text()
        for directory in (
            "share/bash-completion/completions =\n",
            "share/fish/vendor_completions.d =\n",
            "share/zsh/site-functions =\n",
        ):
            self.assertIn(directory, configuration)
        for path, _ in files():
            self.assertIn(f"    {path.relative_to(CHECKOUT)}\n", configuration)

    def test_everyOption(self) -> None:
        """
        Each shell completes each option.
        """
        for made in programs():
            name = made.name
            bash, zsh, fish = (
                (DIRECTORY / each).read_text()
                for each in (f"bash/{name}", f"zsh/_{name}", f"fish/{name}.fish")
            )
            for some in (made.options, *(command.options for command in made.commands)):
                for option in some:
                    for flag in option.flags:
                        self.assertIn(flag, bash)
                        self.assertIn(flag, zsh)
                    self.assertIn(f" -l {option.flags[-1][2:]} ", fish)

    def test_choices(self) -> None:
        """
        The words that are offered are right.
        """
        for name in DSCP_NAMES:
            parseCommandLine(["ping", "--tos", name])
        parseCommandLine(["ping", "--percentiles", "50,90,99,99.9"])
        options("--session-lines=all", "--workers=1", "--impair=delay=1ms")

    def test_summary(self) -> None:
        """
        The summary of an option is the first sentence of its description.
        """
        for text, first in (
            ("Do it. Then stop.", "Do it"),
            ("Send NUMBER probes; without it, send.", "Send NUMBER probes"),
            (
                "Serve peers in NETWORK (192.0.2.0/24). Again.",
                "Serve peers in NETWORK (192.0.2.0/24)",
            ),
        ):
            self.assertEqual(summary(text), first)


class ShellTests(SynchronousTestCase):
    """
    Tests with the shells themselves.
    """

    def shell(self, *command: str) -> str:
        """
        @return: The output of a shell.
        """
        done = run(
            [program(command[0]), *command[1:]],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_bash(self) -> None:
        """
        bash completes commands, options, and their values.
        """
        for line, words in COMPLETED:
            said = self.shell("bash", "-c", BASH, "bash", line, line.split()[0])
            self.assertEqual(" ".join(said.split()), words)

    def test_bashEqualsSign(self) -> None:
        """
        bash completes a value after an equals sign, which is a word of its own there.
        """
        for line, words in (("echoc ping --tos = CS7", "CS7"), ("echod --workers =", "auto")):
            said = self.shell("bash", "-c", BASH, "bash", line, line.split()[0])
            self.assertEqual(" ".join(said.split()), words)

    def test_bashRegisters(self) -> None:
        """
        The file tells bash which function completes the program.
        """
        for name in ("echoc", "echod"):
            said = self.shell(
                "bash", "-c", f"source completions/bash/{name}; complete -p {name}"
            )
            self.assertEqual(said, f"complete -F _{name} {name}\n")

    def test_fish(self) -> None:
        """
        fish completes commands, options, and their values.
        """
        for line, words in COMPLETED:
            said = self.shell("fish", "-N", "-c", FISH, line, line.split()[0])
            self.assertEqual(" ".join(each.split("\t")[0] for each in said.splitlines()), words)

    def test_zsh(self) -> None:
        """
        zsh completes commands, options, and their values.
        """
        for line, words in COMPLETED:
            if " " not in words:
                said = self.shell("zsh", "-f", "-c", ZSH, "zsh", line, line.split()[0])
                self.assertEqual(said.split(), [*line.split()[:-1], words])
