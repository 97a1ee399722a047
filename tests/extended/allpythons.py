"""
Run the tests on every Python that is at hand, with the newest Twisted and
everything optional; with the oldest Twisted that is supported; and in a bare
checkout, with nothing but what the core needs and pytest.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).parent.parent.parent

VERSIONS = ("3.10", "3.11", "3.12", "3.13")

OLDEST = re.search(r"twisted>=([\d.]+)", (CHECKOUT / "setup.cfg").read_text())


def pythons() -> dict[str, str]:
    """
    @return: The interpreters that are at hand, by version.
    """
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = {}
    for version in VERSIONS:
        installed = sorted(root.glob(f"versions/{version}.*/bin/python"))
        path = str(installed[-1]) if installed else shutil.which(f"python{version}")
        if path:
            found[version] = path
    return found


def test(python: str, *requirements: str) -> bool:
    """
    @return: True if the tests pass in a new environment with these packages.
    """
    with TemporaryDirectory() as directory:
        run([python, "-m", "venv", directory], check=True)
        inside = str(Path(directory) / "bin" / "python")
        run([inside, "-m", "pip", "install", "-q", *requirements], cwd=CHECKOUT, check=True)
        # The packages that are missing here are missing on purpose.
        environment = {name: value for name, value in os.environ.items() if name != "CI"}
        return run([inside, "-m", "pytest"], cwd=CHECKOUT, env=environment).returncode == 0


def main() -> int:
    """
    @return: The number of environments in which the tests fail.
    """
    assert OLDEST is not None
    failures = []
    for version, python in pythons().items():
        kinds = {
            "everything": ["-e", ".[test]"],
            "nothing optional": ["twisted", "zope.interface", "pytest"],
        }
        if version == VERSIONS[0]:
            kinds["the oldest Twisted"] = ["-e", ".[test]", f"twisted=={OLDEST[1]}.*"]
        for name, requirements in kinds.items():
            print(f"== Python {version} with {name}", flush=True)
            if not test(python, *requirements):
                failures.append(f"Python {version} with {name}")
    print(f"failed: {', '.join(failures)}" if failures else "all passed")
    return len(failures)


if __name__ == "__main__":
    sys.exit(main())
