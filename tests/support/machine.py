"""
A machine with a name and a network of its own: namespaces of Linux.
"""

from __future__ import annotations

from contextlib import ExitStack
from subprocess import DEVNULL, PIPE, STDOUT, Popen, run

from twisted.trial.unittest import SynchronousTestCase

from tests.support import ENVIRONMENT, lacking, needs, program, temporaryDirectory
from tests.support.daemon import PATIENCE

SETUP = (
    'mount --bind "$0" /etc/hosts && hostname box && ip link set lo up && '
    "ip link add inside type veth peer name outside && "
    "ip address add 192.0.2.1/24 dev inside && ip link set inside up && "
    'exec "$@"'
)
"""
The commands that set up a new machine, before it runs another command.
"""


def machine(test: SynchronousTestCase, hosts: str) -> list[str]:
    """
    Skip the test that is running where no machine can be made.

    @param hosts: The hosts file of the machine.

    @return: A command that runs the one which follows it on a machine with the name
        C{box} and the address 192.0.2.1.
    """
    needs("unshare", "nsenter", "ip", "hostname", "mount")
    alone = [program("unshare"), "--mount", "--uts", "--net"]
    tried = run([*alone, "true"], stderr=PIPE)
    if tried.returncode:
        lacking(f"the right to make namespaces ({tried.stderr.decode().strip()})")
    path = temporaryDirectory(test) / "hosts"
    path.write_text(hosts)
    return [*alone, "sh", "-c", SETUP, str(path)]


def onMachine(process: int, *command: str, typed: str = "") -> str:
    """
    Run a command on the machine of a process.

    @param typed: Its standard input.

    @return: The output.
    """
    return run(
        [program("nsenter"), f"--target={process}", "--mount", "--uts", "--net", *command],
        cwd="/",
        env=ENVIRONMENT,
        input=typed,
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        timeout=PATIENCE,
    ).stdout


def namespace(ends: ExitStack) -> Popen[bytes]:
    """
    @return: A process in a network namespace of its own, until the end of the stack.
    """
    command = [program("unshare"), "--net", "sh", "-c", "echo; exec sleep infinity"]
    process = Popen(command, stdout=PIPE, stderr=DEVNULL)
    ends.callback(process.wait)
    ends.callback(process.kill)
    assert process.stdout is not None
    ends.enter_context(process.stdout)
    if not process.stdout.readline():
        lacking("the right to make network namespaces")
    return process


def neighbour(test: SynchronousTestCase, process: int) -> int:
    """
    Connect another machine, 192.0.2.2, to the machine of a process.

    @return: A process on it.
    """
    ends = ExitStack()
    test.addCleanup(ends.close)
    other = namespace(ends)
    onMachine(process, "ip", "link", "set", "outside", "netns", str(other.pid))
    for command in ("ip address add 192.0.2.2/24 dev outside", "ip link set outside up"):
        onMachine(other.pid, *command.split())
    return other.pid
