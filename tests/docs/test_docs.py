"""
Run the README and the pages of the documentation as their readers would: see
L{tests.story.tell}.
"""

from __future__ import annotations

import functools
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, STDOUT, run

from twisted.trial.unittest import SynchronousTestCase

from tests.story.programs import missing
from tests.support import CHECKOUT, ENVIRONMENT, lacking

try:
    from tests.story.pages import steps
    from tests.story.tell import ALONE, LACKING
except ImportError:
    ALONE, LACKING = [], 0

PAGES = sorted(
    page for place in (".", "deploy/*", "docs/**") for page in CHECKOUT.glob(f"{place}/*.rst")
)

PROGRAMS = Path(sys.executable).parent

STORY_TIMEOUT = 300.0
"""
How long a page may take, in seconds: much longer than it takes.
"""


@functools.cache
def lacked() -> str | None:
    """
    @return: The name of a missing part that every page needs, or L{None}.
    """
    if not (PROGRAMS / "echoc").exists():
        return "an installed echod"
    if names := missing(ALONE[0], "ip"):
        return ", ".join(names)
    alone = run([*ALONE, "true"], stderr=PIPE, text=True)
    if alone.returncode:
        return f"the right to make a network of its own ({alone.stderr.strip()})"
    return None


@functools.cache
def hasLocalhost() -> bool:
    """
    @return: True if the machine knows the name C{localhost}.  A tree of debootstrap has
        no C{/etc/hosts}.
    """
    try:
        return bool(socket.getaddrinfo("localhost", None))
    except OSError:
        return False


def told(page: Path, programs: Path = PROGRAMS) -> None:
    """
    Run the steps of a page.

    @param programs: The directory of C{python}, C{twistd} and C{echoc}.
    """
    if not ALONE:
        lacking("docutils")
    if not steps(page):
        return
    if part := lacked():
        lacking(part)
    if "localhost" in page.read_text("utf-8") and not hasLocalhost():
        lacking("an address of the name localhost")
    done = run(
        [
            *ALONE,
            sys.executable,
            "-m",
            "tests.story.tell",
            f"--programs={programs}",
            str(page),
        ],
        cwd=CHECKOUT,
        env=ENVIRONMENT,
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        timeout=STORY_TIMEOUT,
    )
    if done.returncode == LACKING:
        lacking(done.stdout.strip())
    if done.returncode:
        raise AssertionError(done.stdout)
    # The blocks that were not run, with the reasons: for "pytest -rP".
    print(done.stdout)


class PageTests(SynchronousTestCase):
    """
    Tests that each page is true.
    """


def _test(page: Path) -> Callable[[PageTests], None]:
    def test(_: PageTests) -> None:
        told(page)

    test.__doc__ = f"What C{{{page.name}}} says happens."
    return test


for _page in PAGES:
    _name = "_".join(_page.relative_to(CHECKOUT).with_suffix("").parts)
    setattr(PageTests, f"test_{_name}", _test(_page))
