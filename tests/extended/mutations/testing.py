"""
Faults of L{echod.testing} and L{pytest_echod}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

TESTING = "echod/testing.py"
TESTING_TESTS = "tests/test_testing.py"
PLUGIN_TESTS = "tests/test_pytest_echod.py"

MUTATIONS = [
    Mutation(
        TESTING,
        "self.other.disconnectReason = ConnectionLost()",
        "ConnectionLost()",
        TESTING_TESTS,
    ),
    Mutation(TESTING, "self.loseConnection()", "super().loseWriteConnection()", TESTING_TESTS),
    Mutation(TESTING, "min(STEP, left)", "left", TESTING_TESTS),
    Mutation(TESTING, "self._service.abort()", "self._service", TESTING_TESTS),
    Mutation(TESTING, "self.addCleanup(echod.stop)", "echod.stop", TESTING_TESTS),
    Mutation(TESTING, '__all__ = ["PEER", ', "__all__ = [", "tests/docs/test_api.py"),
    Mutation(
        "pytest_echod/__init__.py",
        'reversed(list(node.iter_markers("echod")))',
        'node.iter_markers("echod")',
        PLUGIN_TESTS,
    ),
    Mutation(
        "pytest_echod/daemon.py",
        '*served, "--drain-timeout", "0", *options',
        "*served, *options",
        PLUGIN_TESTS,
    ),
    Mutation(
        "pytest_echod/run.py",
        "while os.read(descriptor, 1)",
        "if os.read(descriptor, 1)",
        PLUGIN_TESTS,
    ),
]
