"""
The programs of the machine.
"""

from __future__ import annotations

import os
import shutil
from subprocess import PIPE, STDOUT, run

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
"""
Where tests look for programs: servers are in C{sbin}, which is not on the PATH of
every user.
"""

OPENBSD_NETCAT = "nc (OpenBSD's)"
"""
Several programs are called C{nc}, and each has other options.
"""


def missing(*programs: str, path: str = PATH) -> list[str]:
    """
    @param path: The directories to search, as in C{$PATH}.

    @return: The programs that are not installed.
    """
    names = [name for name in programs if shutil.which(name, path=path) is None]
    if "nc" in programs and "nc" not in names:
        usage = run(
            ["nc", "-h"], env={"PATH": path}, stdout=PIPE, stderr=STDOUT, errors="replace"
        )
        if "OpenBSD" not in usage.stdout:
            names.append(OPENBSD_NETCAT)
    return names
