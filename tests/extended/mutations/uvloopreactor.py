"""
Mutations of L{echod.uvloopreactor}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

_CONNECTION = "echod/uvloopreactor/connection.py"
_REACTOR = "echod/uvloopreactor/reactor.py"
_TESTS = "tests/uvloopreactor/test_connection.py tests/uvloopreactor/test_ends.py"
_MODULE = "tests/uvloopreactor/test_reactor.py"
# It takes long, and finds other faults.
_REACTOR_TESTS = f"{_MODULE} --deselect={_MODULE}::UVLoopReactorTests::test_twistedTests"

MUTATIONS = [
    Mutation(
        _REACTOR, "signal.signal(signal.SIGCHLD, self._childEnded)", "pass", _REACTOR_TESTS
    ),
    Mutation(
        "echod/uvloopreactor/port.py",
        "connection._call(connection._start)",
        "connection._start()",
        "tests/uvloopreactor/test_port.py",
    ),
    Mutation(_REACTOR, "connection._shouldShutdown = True", "pass", _TESTS),
    Mutation(_CONNECTION, "            or self._writeDisconnecting\n", "", _TESTS),
    Mutation(_REACTOR, "math.ceil(timeout", "math.floor(timeout", _REACTOR_TESTS),
    Mutation(
        _REACTOR,
        "            self._asyncioEventloop.call_soon(self._purge)",
        "            pass",
        _REACTOR_TESTS,
    ),
    Mutation(_CONNECTION, "if len(data) > self._room:", "if self._room < 0:", _TESTS),
    Mutation(
        _CONNECTION, "            super().setTcpNoDelay(False)", "            pass", _TESTS
    ),
    Mutation(
        _CONNECTION, "            return self._noDelay\n", "            return False\n", _TESTS
    ),
    Mutation(
        _CONNECTION, "self._writeDisconnected and self.reactor._ends.works", "False", _TESTS
    ),
    Mutation(_CONNECTION, "            self.reactor._ends.discard(self)\n", "", _TESTS),
    Mutation(
        _CONNECTION,
        "        if self._room >= 0:\n            self.startReading()\n",
        "",
        _TESTS,
    ),
    Mutation(
        _CONNECTION,
        "        if self._room >= 0:\n            self.startReading()\n",
        "        self.startReading()\n",
        _TESTS,
    ),
    Mutation(_CONNECTION, "self._perform(self.doRead, True)", "self.doRead()", _TESTS),
    Mutation(
        _CONNECTION,
        "log.callWithLogger(self, self.reactor._disconnectSelectable, self, error, True)",
        "self.reactor._disconnectSelectable(self, error, True)",
        _TESTS,
    ),
    Mutation(
        "echod/uvloopreactor/names.py",
        "        if key is not log.ILogContext:",
        "        if False:",
        "tests/uvloopreactor/test_names.py",
    ),
    Mutation(
        _CONNECTION,
        "            return super().writeSomeData(data)",
        "            super().writeSomeData(data)\n            return len(data)",
        _TESTS,
    ),
    Mutation(
        _CONNECTION, "        if self._held is not None:\n", "        if False:\n", _TESTS
    ),
    Mutation(
        _CONNECTION,
        "self._call(self._perform, self._maybePauseProducer, False)",
        "pass",
        _TESTS,
    ),
    Mutation(
        _CONNECTION,
        "self._call(self._perform, self._maybe",
        "self._perform(self._maybe",
        _TESTS,
    ),
    Mutation(
        _CONNECTION,
        "self._perform, self._maybePauseProducer, False",
        "self._maybePauseProducer",
        _TESTS,
    ),
    Mutation(
        _CONNECTION, "        self._delivering = False\n        held", "        held", _TESTS
    ),
    Mutation(_CONNECTION, ' | getattr(socket, "MSG_MORE", 0)', "", _TESTS),
    Mutation(
        _CONNECTION, "            self._held = held[sent:]\n", "            pass\n", _TESTS
    ),
    Mutation(
        _CONNECTION,
        "._writeDisconnecting and not self.disconnecting:",
        "._writeDisconnecting:",
        _TESTS,
    ),
    Mutation(
        _CONNECTION, "elif self._attaching is _STARTING and self.connected:", "elif 0:", _TESTS
    ),
]
