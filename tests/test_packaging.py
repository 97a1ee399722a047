"""
Tests for the wheel, in a new environment.  L{tests.extended.installed} tests the other
ways to install echod.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from subprocess import run
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, lacking, program, temporaryDirectory

INSTALL_TIMEOUT = 300.0
"""
How long an installation may take, in seconds: it may have to download.
"""

MAN_PAGES = ("man1/echoc.1", "man8/echod.8")

CONTENTS = ("LICENSE", "README.rst", "CHANGELOG.rst", "setup.cfg", "setup.py")


def command(*arguments: str, cwd: str | Path) -> str:
    """
    Run a command that does not see this checkout.

    @return: Its output.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and "COVERAGE" not in name
    }
    done = run(
        arguments,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=INSTALL_TIMEOUT,
    )
    if done.returncode != 0:
        raise AssertionError(f"{arguments}:\n{done.stdout}{done.stderr}")
    return done.stdout


class InstallTestCase(SynchronousTestCase):
    """
    A test with a copy of the source and a new environment.
    """

    def setUp(self) -> None:
        try:
            # The directory build/, which "make docs" makes, has no __main__.
            __import__("build.__main__")
        except ImportError:
            lacking("build")
        # A copy, as building writes into the source.
        self.directory = temporaryDirectory(self)
        self.source = self.directory / "source"
        ignored = shutil.ignore_patterns(".*", "build", "dist", "man", "*.egg-info")
        shutil.copytree(CHECKOUT, self.source, ignore=ignored)
        self.environment = self.directory / "environment"
        # The pip that runs here can install there.
        command(
            *(sys.executable, "-m", "venv", "--without-pip", str(self.environment)),
            cwd=self.source,
        )

    def pip(self, *arguments: str) -> str:
        """
        Run pip for the new environment.
        """
        python = self.environment / "bin" / "python"
        return command(
            *(sys.executable, "-m", "pip", "--python", str(python), *arguments),
            cwd=self.environment,
        )

    def makeManPages(self) -> None:
        """
        Do what C{make man} does.
        """
        pages = self.directory / "pages"
        command(
            *(sys.executable, "-m", "sphinx", "-q", "-b", "man", "docs", str(pages)),
            cwd=self.source,
        )
        for page in MAN_PAGES:
            path = self.source / "share" / "man" / page
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pages / path.name, path)

    def build(self, kind: str) -> str:
        """
        @return: The path of a new distribution of this kind.
        """
        dist = self.directory / f"{self.source.name}-dist"
        command(
            *(sys.executable, "-m", "build", "-q", f"--{kind}", "-o", str(dist)),
            *(str(self.source),),
            cwd=self.environment,
        )
        (path,) = dist.iterdir()
        self.assertTrue(path.name.startswith("txechod-"), path)
        return str(path)

    def listed(self, wheel: str) -> str:
        """
        @return: The names of the files in a wheel, one on each line.
        """
        with ZipFile(wheel) as files:
            return "\n".join(sorted(files.namelist()))

    def copied(self) -> Path:
        """
        @return: A tree of exactly the files that the Containerfile copies from the
            source.
        """
        root = self.directory / "image"
        containerfile = (CHECKOUT / "deploy" / "Containerfile").read_text()
        for line in re.findall(r"^COPY (?!--from)(.*)$", containerfile, re.MULTILINE):
            *sources, target = line.split()
            place = root / target.lstrip("/")
            for source in map(self.source.joinpath, sources):
                if source.is_dir():
                    shutil.copytree(source, place, dirs_exist_ok=True)
                else:
                    place.mkdir(parents=True, exist_ok=True)
                    shutil.copy(source, place)
        return root / "src"

    def installs(self, *arguments: str) -> None:
        """
        Check that the installed package works, and that uninstalling it leaves nothing
        of it.
        """
        # Without compiling all of Twisted: the environment is used only here.
        self.pip("install", "-q", "--no-compile", *arguments)
        self.assertIn("Examples:", self.twistd("echod", "--help"))
        echod = str(self.environment / "bin" / "echod")
        self.assertIn("Examples:", command(echod, "-h", cwd=self.environment))
        echoc = str(self.environment / "bin" / "echoc")
        self.assertTrue(command(echoc, "--version", cwd=self.environment).startswith("echoc "))
        self.pip("uninstall", "-q", "-y", "txechod")
        self.assertNotIn("echod", self.twistd("--help"))
        site = sysconfig.get_path(
            "purelib", vars={"base": str(self.environment), "platbase": str(self.environment)}
        )
        left = [path for path in Path(site).rglob("*echod*") if "__pycache__" not in path.parts]
        self.assertEqual(left, [])

    def twistd(self, *arguments: str) -> str:
        """
        Run the C{twistd} of the new environment.
        """
        return command(
            str(self.environment / "bin" / "twistd"), *arguments, cwd=self.environment
        )


class InstallTests(InstallTestCase):
    """
    Tests for the installed package.
    """

    def test_manPages(self) -> None:
        """
        The source distribution contains the man pages, and so does the wheel that is made
        from it. C{man} finds them in the environment where it is installed.
        """
        for module in ("sphinx", "furo", "sphinx_design"):
            if find_spec(module) is None:
                lacking(module)
        self.makeManPages()
        archive = self.build("sdist")
        self.pip("install", "-q", "--no-compile", "--no-deps", archive)
        for page in MAN_PAGES:
            self.assertTrue((self.environment / "share" / "man" / page).exists(), page)
        man = program("man")
        done = run(
            [man, "-w", "echod", "echoc"],
            env={"PATH": f"{self.environment}/bin:{os.defpath}"},
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT,
        )
        self.assertEqual(done.stdout.count(f"{self.environment}/share/man/"), 2, done.stderr)

    def test_wheel(self) -> None:
        """
        The wheel contains the package and the plugin, but no tests.  The files that the
        Containerfile copies give the same wheel, and it works.
        """
        names = self.listed(self.build("wheel"))
        self.assertIn("twisted/plugins/echod_plugin.py", names)
        self.assertIn("echod/py.typed", names)
        self.assertIn("pytest_echod/run.py", names)
        self.assertIn("entry_points.txt", names)
        self.assertNotIn("tests/", names)
        self.assertIn("data/share/bash-completion/completions/echoc", names)
        self.assertIn("data/share/fish/vendor_completions.d/echod.fish", names)
        self.assertIn("data/share/zsh/site-functions/_echod", names)
        self.assertIn("echod/status/app.js", names)
        for package in ("twisted", "twisted/plugins"):
            self.assertNotIn(f"{package}/__init__.py", names)
        self.source = self.copied()
        wheel = self.build("wheel")
        self.assertEqual(self.listed(wheel), names)
        self.installs(wheel)
