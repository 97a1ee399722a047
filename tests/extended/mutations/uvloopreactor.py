"""
Mutations of L{echod.uvloopreactor}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

_PATH = "echod/uvloopreactor.py"
_MODULE = "tests/test_uvloopreactor.py"
# It takes long, and finds other faults.
_TESTS = f"{_MODULE} --deselect={_MODULE}::UVLoopReactorTests::test_twistedTests"

MUTATIONS = [
    Mutation(_PATH, "signal.signal(signal.SIGCHLD, self._childEnded)", "pass", _TESTS),
    Mutation(_PATH, "            or self._writeDisconnecting\n", "", _TESTS),
    Mutation(_PATH, "math.ceil(timeout", "math.floor(timeout", _TESTS),
    Mutation(
        _PATH,
        "            self._asyncioEventloop.call_soon(self._purge)",
        "            pass",
        _TESTS,
    ),
    Mutation(_PATH, "if len(data) > self._room:", "if self._room < 0:", _TESTS),
    Mutation(_PATH, "            super().setTcpNoDelay(False)", "            pass", _TESTS),
    Mutation(_PATH, "            return self._noDelay\n", "            return False\n", _TESTS),
    Mutation(_PATH, "self._writeDisconnected and self.reactor._ends.works", "False", _TESTS),
    Mutation(_PATH, "            self.reactor._ends.discard(self)\n", "", _TESTS),
    Mutation(
        _PATH, "        if self._room >= 0:\n            self.startReading()\n", "", _TESTS
    ),
    Mutation(
        _PATH,
        "        if self._room >= 0:\n            self.startReading()\n",
        "        self.startReading()\n",
        _TESTS,
    ),
    Mutation(_PATH, "self._perform(self.doRead, True)", "self.doRead()", _TESTS),
    Mutation(
        _PATH,
        "log.callWithLogger(self, self.reactor._disconnectSelectable, self, error, True)",
        "self.reactor._disconnectSelectable(self, error, True)",
        _TESTS,
    ),
    Mutation(_PATH, "        if key is not log.ILogContext:", "        if False:", _TESTS),
    Mutation(
        _PATH,
        "            return super().writeSomeData(data)",
        "            super().writeSomeData(data)\n            return len(data)",
        _TESTS,
    ),
    Mutation(_PATH, "        if self._held is not None:\n", "        if False:\n", _TESTS),
    Mutation(
        _PATH, "self._call(self._perform, self._maybePauseProducer, False)", "pass", _TESTS
    ),
    Mutation(
        _PATH, "self._call(self._perform, self._maybe", "self._perform(self._maybe", _TESTS
    ),
    Mutation(
        _PATH,
        "self._perform, self._maybePauseProducer, False",
        "self._maybePauseProducer",
        _TESTS,
    ),
    Mutation(_PATH, "        self._delivering = False\n        held", "        held", _TESTS),
]
