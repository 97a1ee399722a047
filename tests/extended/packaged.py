"""
Tests for the distributions in C{dist/}, in a new environment: C{make package} makes and tests
them.  L{tests.extended.installed} tests the other ways to install echod.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
import tarfile
from pathlib import Path
from subprocess import run
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, lacking, program, temporaryDirectory

INSTALL_TIMEOUT = 300.0
"""
How long an installation may take, in seconds: it may have to download.
"""

DIST = CHECKOUT / "dist"

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
    A test with a new environment.
    """

    def setUp(self) -> None:
        try:
            # The directory build/, which "make docs" makes, has no __main__.
            __import__("build.__main__")
        except ImportError:
            lacking("build")
        self.directory = temporaryDirectory(self)
        self.environment = self.directory / "environment"
        # The pip that runs here can install there.
        command(
            *(sys.executable, "-m", "venv", "--without-pip", str(self.environment)),
            cwd=self.directory,
        )

    def source(self) -> Path:
        """
        @return: A copy of the source: building writes into it.
        """
        copy = self.directory / "source"
        ignored = shutil.ignore_patterns(".*", "build", "dist", "man", "*.egg-info")
        shutil.copytree(CHECKOUT, copy, ignore=ignored)
        return copy

    def pip(self, *arguments: str) -> str:
        """
        Run pip for the new environment.
        """
        python = self.environment / "bin" / "python"
        return command(
            *(sys.executable, "-m", "pip", "--python", str(python), *arguments),
            cwd=self.environment,
        )

    def build(self, kind: str, source: Path) -> str:
        """
        @return: The path of a new distribution of this kind.
        """
        dist = self.directory / "dist"
        command(
            *(sys.executable, "-m", "build", "-qn", f"--{kind}", "-o", str(dist), str(source)),
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
        @return: A tree of exactly the files that the Containerfile copies.
        """
        root = self.directory / "image"
        containerfile = (CHECKOUT / "deploy" / "Containerfile").read_text()
        for line in re.findall(r"^COPY (?!--from)(.*)$", containerfile, re.MULTILINE):
            *sources, target = line.split()
            place = root / target.lstrip("/")
            for source in map(CHECKOUT.joinpath, sources):
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


class DistributionTests(InstallTestCase):
    """
    Tests for the source distribution and the wheel in C{dist/}.
    """

    def test_wheel(self) -> None:
        """
        The wheel contains the package, the plugin and the man pages, but no tests.  The files
        that the Containerfile copies give the same wheel, without man pages.  It works.
        """
        (wheel,) = map(str, DIST.glob("*.whl"))
        names = self.listed(wheel)
        for name in (
            *("twisted/plugins/echod_plugin.py", "echod/py.typed", "echod/status/app.js"),
            *("pytest_echod/run.py", "entry_points.txt"),
            "data/share/bash-completion/completions/echoc",
            "data/share/fish/vendor_completions.d/echod.fish",
            "data/share/zsh/site-functions/_echod",
            *(f"data/share/man/{page}" for page in MAN_PAGES),
        ):
            self.assertIn(name, names)
        for name in ("tests/", "twisted/__init__.py", "twisted/plugins/__init__.py"):
            self.assertNotIn(name, names)
        pages = [name for name in names.splitlines() if "/man/" in name]
        copied = self.listed(self.build("wheel", self.copied())).splitlines()
        self.assertEqual(sorted(copied + pages), names.splitlines())
        self.installs(wheel)

    def test_manPages(self) -> None:
        """
        C{man} finds the pages in the environment where the wheel is installed.
        """
        (wheel,) = map(str, DIST.glob("*.whl"))
        self.pip("install", "-q", "--no-compile", "--no-deps", wheel)
        done = run(
            [program("man"), "-w", "echod", "echoc"],
            env={"PATH": f"{self.environment}/bin:{os.defpath}"},
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT,
        )
        self.assertEqual(done.stdout.count(f"{self.environment}/share/man/"), 2, done.stderr)

    def test_sourceDistribution(self) -> None:
        """
        The source distribution contains the man pages, and the files that its tests need.
        """
        (archive,) = DIST.glob("*.tar.gz")
        with tarfile.open(archive) as files:
            names = files.getnames()
        for name in (
            *CONTENTS,
            *("tests/tcp/test_goodbye.py", "Makefile"),
            *(f"share/man/{page}" for page in MAN_PAGES),
        ):
            self.assertIn(f"{archive.name.removesuffix('.tar.gz')}/{name}", names)
