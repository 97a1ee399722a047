"""
Does C{echoc ping} report what a C program that does the same reports?  Both measure
the same echo in C, by turns.

Not among the tests: what else the machine does counts for more than what either does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, Popen, check_output, run
from tempfile import TemporaryDirectory

from tests.client.test_main import ECHOC, freePort
from tests.support import CHECKOUT, ENVIRONMENT

ROUNDS = 7

PROBES = 2000

INTERVAL = 1000
"""
Between two probes, in microseconds.
"""

MOST = 15.0
"""
By how much the medians may differ, in microseconds.
"""


def compiled(name: str, directory: str) -> str:
    """
    @return: One of the programs in C{benchmarks}.
    """
    program = str(Path(directory) / name)
    run(["cc", "-O2", "-o", program, str(CHECKOUT / "benchmarks" / f"{name}.c")], check=True)
    return program


def main() -> int:
    """
    @return: 0 if they agree.
    """
    port = str(freePort())
    with TemporaryDirectory() as directory:
        ping = compiled("ping", directory)
        server = Popen([compiled("peer", directory), "recvfrom", port], stdout=DEVNULL)
        options = ["ping", "--json", "-W", "5", "-c", str(PROBES), "-i", str(INTERVAL / 1e6)]
        differences = []
        try:
            for _ in range(ROUNDS):
                theirs = int(check_output([ping, port, str(PROBES), str(INTERVAL)])) / 1000
                said = json.loads(check_output([*ECHOC, *options, port], env=ENVIRONMENT))
                ours = said["rtt_p50_us"]
                print(f"p50 in C {theirs:.1f} us, of echoc {ours:.1f} us", flush=True)
                differences.append(ours - theirs)
        finally:
            server.terminate()
            server.wait()
    print(f"the median difference is {median(differences):.1f} us")
    return int(abs(median(differences)) > MOST)


if __name__ == "__main__":
    sys.exit(main())
