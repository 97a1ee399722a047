"""
Tests of the installed package, in new environments without this checkout.  They
download all that echod can use, so only C{make test-all} runs them.
"""

from __future__ import annotations

from tests.docs.test_docs import PAGES, told
from tests.extended.packaged import InstallTestCase
from tests.test_typing import TypingTestCase


class WheelTests(InstallTestCase):
    """
    Tests for the wheel.
    """

    def test_pages(self) -> None:
        """
        The pages are true of an installed wheel with all its extras.
        """
        self.pip("install", "-q", f"{self.build('wheel', self.source())}[all]", "pytest")
        for page in PAGES:
            told(page, self.environment / "bin")


class SourceTests(InstallTestCase):
    """
    Tests for the ways to install the source.
    """

    def test_editable(self) -> None:
        """
        C{pip install -e .} works.
        """
        self.installs("-e", str(self.source()))

    def test_directory(self) -> None:
        """
        C{pip install .} works.
        """
        self.installs(str(self.source()))

    def test_sourceDistribution(self) -> None:
        """
        The source distribution works.
        """
        self.installs(self.build("sdist", self.source()))


class TypingTests(TypingTestCase):
    """
    Tests for the types that other programs see.
    """

    def test_withPlugin(self) -> None:
        """
        Programs that embed echod pass with mypy-zope, which knows Twisted's interfaces.
        """
        self.passes("plugins = mypy_zope:plugin\n")
