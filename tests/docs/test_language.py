"""
Tests for plain words in the documentation and in the source.
"""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT

DOCSTRING = r'(?:"""\n\s+|@\w+(?: \w+)?: )'
"""
The start of a docstring, or of one of its fields.
"""

AVOIDED = {
    r"(?i)\bbad\s+weather\b": "soak test",
    r"(?i)\b(?:whoever|whomever|those\s+whom?|what\s+there\s+is)\b": "the person or the thing",
    r"\b[Ii]t\s+is\s+(?:not\s+)?the\s[^.,;:]+\s(?:that|which)\s": "subject, verb, object",
    r"\b[Tt]here\s+(?:is|are)\s[^.,;:]+\swhich\b": "subject, verb, object",
    r"[.;](?: +|\n *)(?:[Ww]hat|[Ww]ho)\b[^.?\"]*\.": "a noun as the subject",
    r"# (?:What|Who)\b[^?\n]*\n": "a noun as the subject",
    DOCSTRING + r"(?:What|Who|Whose|Where|Such|Those)\b[^?\"]*?\.": "a noun, or a verb",
    DOCSTRING + r"Whether\b": "True if ...",
}
"""
Sentences that a hurried reader has to read twice, and a plainer start for each.
"""

SUFFIXES = (".c", ".cfg", ".go", ".js", ".html", ".py", ".rst", ".service", ".yaml")


class LanguageTests(SynchronousTestCase):
    """
    Pages, docstrings and comments are in plain words.
    """

    def test_sentences(self) -> None:
        """
        No file of the project has one of the avoided sentences.
        """
        places = ("benchmarks", "completions", "deploy", "docs", "echod", "packaging")
        files = [*CHECKOUT.glob("*.rst"), CHECKOUT / "Makefile"]
        for place in (*places, "pytest_echod", "soak", "tests"):
            files += (path for path in (CHECKOUT / place).rglob("*") if path.suffix in SUFFIXES)
        found = [
            f"{path.relative_to(CHECKOUT)}: {match[0]!r}: write {instead}"
            for path in files
            if path.name != "test_language.py"
            for avoided, instead in AVOIDED.items()
            for match in re.finditer(avoided, path.read_text("utf-8"))
        ]
        self.assertEqual(found, [])
