"""
Faults of L{echod.net}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

QUANTITIES = "echod/net/quantities.py"

TEST_QUANTITIES = "tests/net/test_quantities.py"

MUTATIONS = [
    Mutation(QUANTITIES, '(?: (?=.))?(.*)")', ' ?(.*)")', TEST_QUANTITIES),
    Mutation(QUANTITIES, " if unit >= 1 else number / round(1 / unit)", "", TEST_QUANTITIES),
    Mutation(QUANTITIES, "if number % 1 and", "if False and", TEST_QUANTITIES),
    Mutation(QUANTITIES, '"m": 60.0', '"m": 1e-3', TEST_QUANTITIES),
]
