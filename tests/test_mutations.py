"""
Tests for L{tests.extended.mutations}, without running the mutations.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extended.mutations.__main__ import table
from tests.support import CHECKOUT


class TableTests(SynchronousTestCase):
    """
    Tests for the tables of mutations.
    """

    def test_upToDate(self) -> None:
        """
        The old text of each mutation occurs exactly once in its file, and the files of its
        tests exist.
        """
        for mutation in table([]):
            source = (CHECKOUT / mutation.path).read_text("utf-8")
            self.assertEqual(source.count(mutation.old), 1, mutation)
            for argument in mutation.tests.split():
                if argument.startswith("tests/"):
                    self.assertTrue((CHECKOUT / argument.partition("::")[0]).exists(), mutation)
