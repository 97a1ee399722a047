"""
Mutations of L{echod.workers}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

_POOL = "tests/workers/test_pool.py"
_CHILD = "tests/workers/test_child.py"
_SOCKETS = "tests/workers/test_socketpassing.py"
_DRAINED = "tests/workers/test_daemon.py -k drained"

_AGGREGATE = "tests/workers/test_aggregate.py"

MUTATIONS = [
    Mutation(
        "echod/workers/adopting.py",
        "_shouldShutdown = False",
        "_shouldShutdown = True",
        _SOCKETS,
    ),
    Mutation("echod/workers/child.py", "    os.setpgid(0, 0)\n", "", _DRAINED),
    Mutation("echod/workers/child.py", "    os.set_blocking(descriptor, False)\n", "", _CHILD),
    Mutation("echod/workers/child.py", "if os.getppid() != self._parent:", "if False:", _CHILD),
    Mutation("echod/workers/pool.py", "if not self._started:", "if False:", _POOL),
    Mutation(
        "echod/workers/pool.py", "            worker.behind = not worker.report\n", "", _POOL
    ),
    Mutation(
        "echod/workers/process.py",
        "self.silent > PATIENCE",
        "self.silent > 2 * PATIENCE",
        _POOL,
    ),
    Mutation(
        "echod/workers/renewal.py",
        'successor, self._successor = self._successor, ""',
        "successor = self._successor",
        _POOL,
    ),
    Mutation("echod/workers/renewal.py", "return successor", 'return ""', _POOL),
    Mutation("echod/workers/spawner.py", " if name not in PRIVATE", "", _POOL),
    Mutation("echod/workers/parent.py", "if sockets}", "}", "tests/config/test_workers.py"),
    Mutation(
        "echod/net/reactor.py", "if not list(implementedBy(type(self))):", "if True:", _SOCKETS
    ),
    Mutation(
        "echod/net/reactor.py",
        "if not list(implementedBy(type(self))):",
        "if False:",
        "tests/net/test_unixsockets.py",
    ),
    Mutation(
        "echod/workers/process.py",
        '"HUP" if name == "TERM" and self.succeeded else name',
        "name",
        _POOL,
    ),
    Mutation(
        "echod/workers/restarter.py",
        "max(self._monitor.delay[name], FIRST_DELAY)",
        "FIRST_DELAY",
        _POOL,
    ),
    Mutation(
        "echod/workers/restarter.py",
        "            again.cancel()\n",
        "            pass\n",
        _POOL,
    ),
    Mutation("echod/workers/pipes.py", "rest[:LONGEST_LINE]", "rest", _CHILD),
    Mutation("echod/workers/aggregate.py", "LARGEST = 1 << 64", "LARGEST = 1 << 4096", _POOL),
    Mutation("echod/workers/aggregate.py", "{LOST: lost}", "{}", f"{_POOL} {_AGGREGATE}"),
]
