"""
Tests of what people get: the wheel, installed with all that it can use in a new
environment, and nothing of this checkout.  They download it all, so C{make test-all}
runs them.
"""

from __future__ import annotations

import shutil
import sys

from tests.docs.test_docs import PAGES, told
from tests.support import CHECKOUT
from tests.test_packaging import CONTENTS, InstallTestCase, command

EXAMPLES = CHECKOUT / "docs" / "examples"

STRICT = """
[mypy]
strict = True
plugins = mypy_zope:plugin
# Twisted's own are not all typed.
disallow_untyped_calls = False
"""

WRONG = """
from echod import Limits

Limits(maxPerSource="many")
"""


class WheelTests(InstallTestCase):
    """
    The wheel is all that the documentation needs.
    """

    def test_pages(self) -> None:
        """
        What the pages say happens, with what is installed.
        """
        self.pip("install", "-q", f"{self.build('wheel')}[all]", "pytest")
        for page in PAGES:
            told(page, self.environment / "bin")

    def test_types(self) -> None:
        """
        A program of somebody else's is checked against the types of what is installed:
        the examples pass, and what is wrong does not.
        """
        self.pip("install", "-q", self.build("wheel"), "mypy-zope")
        for example in EXAMPLES.glob("*.py"):
            shutil.copy(example, self.directory)
        (self.directory / "wrong.py").write_text(WRONG)
        (self.directory / "mypy.ini").write_text(STRICT)
        mypy = str(self.environment / "bin" / "mypy")
        examples = [path.name for path in EXAMPLES.glob("*.py")]
        command(mypy, *examples, cwd=self.directory)
        with self.assertRaises(AssertionError) as caught:
            command(mypy, "wrong.py", cwd=self.directory)
        self.assertIn('expected "int"', str(caught.exception))


class SourceTests(InstallTestCase):
    """
    What is installed from the source works as well.
    """

    def test_directory(self) -> None:
        """
        C{pip install .} works.
        """
        self.installs(str(self.source))

    def test_sourceDistribution(self) -> None:
        """
        The source distribution works, and holds what its tests need.
        """
        archive = self.build("sdist")
        self.installs(archive)
        names = command(sys.executable, "-m", "tarfile", "-l", archive, cwd=self.source)
        for name in (*CONTENTS, "tests/tcp/test_goodbye.py", "Makefile"):
            self.assertIn(f"/{name}", names)
