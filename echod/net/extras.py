"""
Say how to install the packages that echod can use and does without.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

PACKAGES = {
    "fast": "uvloop",
    "plot": "rich",
    "status": "prometheus_client",
    "tls": "pyOpenSSL",
}
"""
The package that each extra needs.
"""

ROOT = Path(__file__).parents[2]
"""
The directory that contains the package C{echod}.
"""


def isInstalled() -> bool:
    """
    @return: True if an installer has installed echod.  A checkout may contain the metadata
        of a package as well.
    """
    return any(each.read_text("INSTALLER") for each in distributions(name="txechod"))


def needed(extra: str, root: Path = ROOT, isInstalled: Callable[[], bool] = isInstalled) -> str:
    """
    @param extra: The name of an extra.

    @param root: The directory that contains the package C{echod}.

    @return: The message if its package is missing, with the command to type.
    """
    # pip finds the extras of a package that is installed, also of one that is on no index.
    place = "txechod"
    if (root / "setup.cfg").exists() and not isInstalled():
        place = "." if root == Path.cwd() else str(root)
    return f"needs {PACKAGES[extra]}: pip install {shlex.quote(f'{place}[{extra}]')}"
