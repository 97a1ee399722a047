"""
Faults of L{echod.tcp}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

ADMISSION = "echod/tcp/admission.py"
CLOSING = "echod/tcp/closing.py"
DEADLINES = "echod/tcp/deadlines.py"
DRAINING = "echod/tcp/draining.py"
ECHO = "echod/tcp/plainecho.py"
FACTORY = "echod/tcp/factory.py"
GREETING = "echod/tcp/greeting.py"
PROMPT = "echod/tcp/promptconnection.py"
STATES = "echod/tcp/states.py"

TEST_CLOSING = "tests/tcp/test_closing.py"
TEST_DEADLINES = "tests/tcp/test_deadlines.py"
TEST_ECHO = "tests/tcp/test_echo.py"
TEST_FACTORY = "tests/tcp/test_factory.py"
TEST_GREETING = "tests/tcp/test_greeting.py"
TEST_PROMPT = "tests/tcp/test_promptconnection.py"
TEST_SESSION = "tests/tcp/test_session.py"
TEST_STATES = "tests/tcp/test_states.py"

MUTATIONS = [
    Mutation(GREETING, "min(len(left), len(right))", "len(right)", TEST_GREETING),
    Mutation(GREETING, "pairs // 2", "pairs - 1", TEST_GREETING),
    Mutation(GREETING, "len(self.greeting)", "len(self.factory.greeting)", TEST_GREETING),
    Mutation(
        "echod/tcp/sessionlines.py",
        "            return False\n        rate",
        "            pass\n        rate",
        "tests/tcp/test_sessionlines.py",
    ),
    Mutation(STATES, "END: CLOSING, LOST: CLOSED},\n    CLOSING", "}, CLOSING", TEST_STATES),
    Mutation(STATES, "{SENT: LINGERING, LOST: CLOSED}", "{LOST: CLOSED}", TEST_STATES),
    # Over TLS the system has received more bytes than the session will get.
    Mutation(ECHO, " and unread(self.transport)", "", TEST_ECHO),
    Mutation(ECHO, "self.received + unread(self.transport)", "self.received", TEST_ECHO),
    Mutation(ECHO, "self._paused or (", "(", TEST_ECHO),
    Mutation(ECHO, "        self.transport.unregisterProducer()\n", "", TEST_ECHO),
    Mutation(ECHO, "if self._returns:", "if True:", TEST_STATES),
    Mutation(
        ECHO,
        "        super().close(outcome)\n        self.transport.resumeProducing()\n",
        "        super().close(outcome)\n",
        TEST_ECHO,
    ),
    Mutation(
        ECHO,
        "        self.cancelWaits()\n        # A registered",
        "        # A registered",
        TEST_ECHO,
    ),
    Mutation(
        ECHO,
        "        self.cancelWaits()\n        super().connectionLost",
        "        super().connectionLost",
        TEST_ECHO,
    ),
    Mutation(
        CLOSING,
        "            transport.loseWriteConnection()\n",
        "            pass\n",
        TEST_SESSION,
    ),
    Mutation(CLOSING, "if self.advance(SENT):", "if True:", TEST_STATES),
    Mutation(
        CLOSING,
        "        if self.outcome is None:\n            self.outcome = outcome\n",
        "        self.outcome = outcome\n",
        TEST_STATES,
    ),
    Mutation(
        CLOSING, "        if self.state is LINGERING:\n", "        if False:\n", TEST_FACTORY
    ),
    Mutation(CLOSING, "        self.factory.lingering.discard(self)\n", "", TEST_SESSION),
    Mutation(
        CLOSING, "(self.received if isReturning else 0, taken)", "(0, taken)", TEST_SESSION
    ),
    Mutation(CLOSING, "self.received if isReturning else 0", "self.received", TEST_SESSION),
    Mutation(
        CLOSING,
        "(self.received if isReturning else 0, taken)",
        "self.received + taken",
        TEST_SESSION,
    ),
    Mutation(CLOSING, "NOT_CHECKED = -1", "NOT_CHECKED = 0", TEST_SESSION),
    Mutation(
        CLOSING,
        "            self.stopReturning()\n            self.factory.idleSweep.start()\n",
        "            self.stopReturning()\n",
        TEST_SESSION,
    ),
    Mutation(FACTORY, "        self._drain = None\n", "", TEST_FACTORY),
    Mutation(
        CLOSING,
        "self.received == heard and not unacknowledged(self.transport)",
        "self.received == heard",
        TEST_CLOSING,
    ),
    Mutation(
        CLOSING,
        "self.received == heard and not unacknowledged(self.transport)",
        "not unacknowledged(self.transport)",
        TEST_SESSION,
    ),
    Mutation(CLOSING, "QUIET = 0.75", "QUIET = 2.0", TEST_SESSION),
    Mutation(CLOSING, "taken = acknowledged(self.transport)", "taken = 0", TEST_SESSION),
    Mutation(
        CLOSING,
        "        self._idleChecks = NOT_CHECKED\n        self.factory",
        "        self.factory",
        TEST_SESSION,
    ),
    Mutation(FACTORY, " or session.state not in RETURNING", "", TEST_SESSION),
    Mutation(FACTORY, "self.limits.idleTimeout or session", "True or session", TEST_SESSION),
    Mutation(FACTORY, "(self.numPorts and self.limits.idleTimeout)", "False", TEST_FACTORY),
    Mutation(
        FACTORY,
        "self.limits.idleTimeout or IDLE_TIMEOUT",
        "self.limits.idleTimeout",
        TEST_SESSION,
    ),
    Mutation(
        DRAINING,
        "            self._deadline.cancel()\n",
        "            pass\n",
        TEST_FACTORY,
    ),
    Mutation(DRAINING, " or self._host.waiting:", ":", "tests/tcp/test_proxyprotocol.py"),
    Mutation(
        DRAINING, "        self._host.reactor.callLater(0, session.drain)\n", "", TEST_FACTORY
    ),
    Mutation(
        ADMISSION,
        "                del self.fromSource[source]\n",
        "                pass\n",
        TEST_FACTORY,
    ),
    # "Too many connections" before "denied".
    Mutation(
        ADMISSION,
        "        if host is not None and not limits",
        "        if limits.capacity.full:\n            return NO_ROOM\n"
        "        if host is not None and not limits",
        TEST_FACTORY,
    ),
    Mutation(DEADLINES, "range(AT_ONCE)", "range(len(moments))", TEST_DEADLINES),
    Mutation(DEADLINES, "        moments.pop(waiter, None)\n", "", TEST_DEADLINES),
    Mutation(DEADLINES, "min(AT_ONCE, len(rest))", "len(rest)", TEST_DEADLINES),
    Mutation(DEADLINES, "0 if rest else self._interval", "self._interval", TEST_DEADLINES),
    Mutation(DEADLINES, "if member in self._members", "if True", TEST_DEADLINES),
    Mutation(DEADLINES, "        self._rest = []\n\n", "\n", TEST_DEADLINES),
    Mutation(PROMPT, "self.dataBuffer and not self._scheduled", "False", TEST_PROMPT),
    Mutation(PROMPT, " and port.reactor.seconds is monotonic", "", TEST_PROMPT),
    Mutation(PROMPT, "            why = error\n", "            why = None\n", TEST_PROMPT),
    Mutation(PROMPT, "        if self.disconnected:\n", "        if False:\n", TEST_PROMPT),
]
