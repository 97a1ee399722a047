"""
Faults of L{echod.udp}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

GUARD = "echod/udp/guard.py"
BATCH = "echod/udp/batch.py"

MUTATIONS = [
    Mutation(
        GUARD,
        "        if port < RESERVED:\n",
        "        if self._rate is not None and self._rate.exceeded(host, now):\n"
        "            return OVER_RATE\n        if port < RESERVED:\n",
        "tests/udp/test_guard.py",
    ),
    Mutation(GUARD, "        self.version += 1\n", "", "tests/udp/test_batch.py"),
    Mutation(GUARD, "            return TO_GROUP\n", "            return None\n", "tests/udp"),
    Mutation(GUARD, " and not parsed(host).is_loopback", "", "tests/udp/test_guard.py"),
    Mutation(BATCH, "            self.cache.refresh()\n", "", "tests/udp/test_batch.py"),
    Mutation(
        BATCH, 'if source[0].startswith("fe80:"):', "if False:", "tests/udp/test_batch.py"
    ),
    Mutation(BATCH, "if len(self) >= KNOWN_HOSTS:", "if False:", "tests/udp/test_batch.py"),
    Mutation(
        BATCH,
        "            return guard.refusal(*known, now=now)\n",
        "            return None\n",
        "tests/udp/test_batch.py",
    ),
    Mutation(
        "echod/udp/echo.py",
        "            or self.sources is not None\n",
        "",
        "tests/udp/test_endpoint.py",
    ),
]
