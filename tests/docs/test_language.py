"""
Tests for plain words in the documentation and in the source.
"""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT

AVOIDED = re.compile(
    r"\b(bad\s+weather|whoever|whomever|those\s+whom?|what\s+there\s+is)\b", re.I
)
"""
Phrases that a hurried reader has to read twice, or that hide the usual term: write "soak
test" instead of the first one, and name the person or the thing instead of the others.
"""

SUFFIXES = (".c", ".cfg", ".go", ".js", ".html", ".py", ".rst", ".service", ".yaml")


class LanguageTests(SynchronousTestCase):
    """
    Pages, docstrings and comments are in plain words.
    """

    def test_phrases(self) -> None:
        """
        No file of the project has one of the avoided phrases.
        """
        places = ("benchmarks", "deploy", "docs", "echod", "pytest_echod", "soak", "tests")
        files = [*CHECKOUT.glob("*.rst"), CHECKOUT / "Makefile"]
        for place in places:
            files += (path for path in (CHECKOUT / place).rglob("*") if path.suffix in SUFFIXES)
        found = [
            f"{path.relative_to(CHECKOUT)}: {match[0]}"
            for path in files
            if path.name != "test_language.py"
            for match in AVOIDED.finditer(path.read_text("utf-8"))
        ]
        self.assertEqual(found, [])
