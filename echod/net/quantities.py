"""
Numbers and quantities as people write them: durations, sizes, rates and shares.

All numbers from users and peers are read here.  Python's C{int} and C{float} accept too
much: C{1_0}, C{+5}, spaces, digits of other scripts, C{nan} and C{1e400}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST_NUMBER = 32
"""
The most characters of a number.  No program prints a longer C{float}, and C{int} can
read all texts of this length.
"""

MOST = 10**15
"""
The largest number; in bytes, this is a petabyte.  A C{float} can hold all whole numbers
up to it.
"""

LONGEST_TIME = 10**9
"""
The longest duration, in seconds: 30 years.
"""

DURATIONS = {
    "us": 1e-6,
    "\N{MICRO SIGN}s": 1e-6,
    "ms": 1e-3,
    "": 1.0,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}

DURATION_HELP = (
    "A number of seconds (600), or a number with a unit: 250us, 50ms, 1.5s, 5m, 2h or 1d."
)
"""
How to write a duration, for C{--help}.
"""

SIZE_HELP = "A number of bytes, or a number with a unit: 500B, 1.4kB or 1KiB."

SIZES = {
    "": 1,
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}

_LARGEST = f"{MOST // SIZES['GB']}GB"

SLOWEST = 0.001
"""
The lowest rate, in bytes a second: one byte in 17 minutes.
"""

_WHOLE = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_QUANTITY = re.compile(r"([0-9.]+)(?: (?=.))?(.*)")


def wholeNumber(text: str, least: int = 0, most: int = MOST) -> int:
    """
    Read a whole number, in ASCII digits.

    @raise ValueError: for any other text, or for a number outside of the limits.
    """
    if len(text) <= LONGEST_NUMBER and _WHOLE.fullmatch(text):
        number = int(text)
        if least <= number <= most:
            return number
    raise ValueError(f"not a whole number from {least} to {most}")


def decimal(text: str, least: float = 0, most: float = MOST) -> float:
    """
    Read a number in ASCII digits, with or without a decimal point.

    @raise ValueError: for any other text, or for a number outside of the limits.
    """
    if len(text) <= LONGEST_NUMBER and _DECIMAL.fullmatch(text):
        number = float(text)
        if least <= number <= most:
            return number
    raise ValueError(f"not a number from {least:.16g} to {most:.16g}")


def duration(text: str, least: float = 0) -> float:
    """
    @param least: The shortest duration, in seconds.

    @return: The duration in seconds.

    @raise ValueError: if the text is invalid, as the next functions do.
    """
    problem = (
        "a duration is written as 600 (seconds), 50ms, 1.5s, 5m, 2h or 1d, and is "
        f"{'more than 0 and ' if least else ''}at most {LONGEST_TIME}s"
    )
    return _quantity(text, DURATIONS, problem, least=least, most=LONGEST_TIME)


def size(text: str) -> int:
    """
    @return: The size in bytes.
    """
    problem = f"a size is written as 500, 64KiB or 1.5MB, and is at most {_LARGEST}"
    number = _quantity(text, SIZES, problem)
    if number % 1 and text.rstrip(" B")[-1].isdecimal():
        # A fraction of a larger unit is rounded; a fraction of a byte is a mistake.
        raise ValueError(problem)
    return round(number)


def rate(text: str) -> float:
    """
    @return: The rate in bytes a second; it is more than 0.
    """
    problem = (
        f"a rate is written as 500B/s, 64KiB/s or 1.5MB/s, and is from 0.001B/s to {_LARGEST}/s"
    )
    units = {f"{unit}/s": number for unit, number in SIZES.items()}
    return _quantity(text, units, problem, least=SLOWEST)


def share(text: str) -> float:
    """
    @return: The share as a number from 0 to 1.
    """
    problem = "a share is written as 1% or 0.1%, and is at most 100%"
    return _quantity(text, {"%": 1}, problem, most=100) / 100


def _quantity(
    text: str,
    units: Mapping[str, float],
    problem: str,
    *,
    least: float = 0,
    most: float = MOST,
) -> float:
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in units:
        raise ValueError(problem)
    unit = units[match[2]]
    try:
        number = decimal(match[1], least / unit, most / unit)
    except ValueError:
        raise ValueError(problem) from None
    # Divide where it is exact: 50us is 5e-05, but 50 * 1e-6 is not.
    return number * unit if unit >= 1 else number / round(1 / unit)
