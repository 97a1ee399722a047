"""
Faults of L{echod.net}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

QUANTITIES = "echod/net/quantities.py"

COMMAND_LINE = "echod/net/commandline.py"
EXTRAS = "echod/net/extras.py"
TLS_FILES = "echod/net/tlsfiles.py"

TEST_COMMAND_LINE = "tests/net/test_commandline.py"
TEST_EXTRAS = "tests/net/test_extras.py"
TEST_TLS_FILES = "tests/net/test_tlsfiles.py"
TEST_QUANTITIES = "tests/net/test_quantities.py"

MUTATIONS = [
    Mutation(QUANTITIES, '(?: (?=.))?(.*)")', ' ?(.*)")', TEST_QUANTITIES),
    Mutation(QUANTITIES, " if unit >= 1 else number / round(1 / unit)", "", TEST_QUANTITIES),
    Mutation(QUANTITIES, "if number % 1 and", "if False and", TEST_QUANTITIES),
    Mutation(QUANTITIES, '"m": 60.0', '"m": 1e-3', TEST_QUANTITIES),
    Mutation(COMMAND_LINE, ".lower(), self._names()", ", self._names()", TEST_COMMAND_LINE),
    Mutation(COMMAND_LINE, "{**sections, ", "{", TEST_COMMAND_LINE),
    Mutation(COMMAND_LINE, "min(width or", "max(width or", TEST_COMMAND_LINE),
    Mutation(COMMAND_LINE, '" ".join(words.split())', "words", TEST_COMMAND_LINE),
    Mutation(QUANTITIES, "least=least, most=LONGEST_TIME", "least=least", TEST_QUANTITIES),
    Mutation(EXTRAS, " and not isInstalled()", "", TEST_EXTRAS),
    Mutation(TLS_FILES, ".public_key() != public:", " is None:", TEST_TLS_FILES),
    Mutation(
        TLS_FILES,
        "if first.not_valid_after_utc <",
        "if first.not_valid_after_utc >",
        TEST_TLS_FILES,
    ),
]
