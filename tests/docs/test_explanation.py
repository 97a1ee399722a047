"""
Tests that the tables of the explanations are true.
"""

from __future__ import annotations

import ast
import re
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.goodbye import Goodbye
from tests.support import CHECKOUT

ROW = re.compile(r'^ +``(.*?)`` +``(".*?")`` +(yes|no) ', re.MULTILINE)


def quoted(text: str) -> bytes:
    """
    @return: The bytes that a page shows in quotes.
    """
    value: str = ast.literal_eval(text)
    return value.encode("latin-1")


class GoodbyeTableTests(SynchronousTestCase):
    """
    The corner cases of L{echod.tcp.goodbye}, as C{docs/explanation/goodbye.rst} has them.
    """

    def test_rows(self) -> None:
        """
        The segments of each row are returned, and end the session, as the row says.
        """
        page = CHECKOUT / "docs" / "explanation" / "goodbye.rst"
        rows = ROW.findall(page.read_text())
        self.assertGreater(len(rows), 15)
        for comes, back, ends in rows:
            goodbye = Goodbye()
            returned = b""
            for event in re.findall(r'"[^"]*"|\||EOF', comes):
                if event == "|":
                    returned += goodbye.silence()
                elif event == "EOF":
                    returned += goodbye.end()
                else:
                    returned += goodbye.receive(quoted(event))
            self.assertEqual((comes, returned), (comes, quoted(back)))
            self.assertEqual((comes, goodbye.over), (comes, ends == "yes"))


class HouseTests(SynchronousTestCase):
    """
    The picture of C{docs/explanation/house.rst}.
    """

    def test_rooms(self) -> None:
        """
        The picture names each room of echod, and no others.
        """
        paths = [path for path in (CHECKOUT / "echod").iterdir() if path.suffix in (".py", "")]
        rooms = {path.stem for path in paths} - {"__init__", "__pycache__", "_version"}
        picture = ElementTree.parse(CHECKOUT / "docs" / "house.svg")
        named = {
            text.text
            for text in picture.iter("{http://www.w3.org/2000/svg}text")
            if text.get("font-weight") == "bold"
        }
        self.assertEqual(named, rooms | {"twisted/plugins", "pytest_echod"})


class TableTests(SynchronousTestCase):
    """
    The tables of all pages.
    """

    def test_headings(self) -> None:
        """
        The first column of each table has a heading: docutils drops a row whose first cell
        is empty.
        """
        for page in sorted((CHECKOUT / "docs").rglob("*.rst")):
            self.assertNotRegex(page.read_text(), r"(?m)^( *)==+ [= ]+\n\1 ", page.name)
