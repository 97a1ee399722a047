"""
Quantities as people write them: durations, sizes, rates and shares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DURATIONS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}

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

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(.*)")


def duration(text: str) -> float:
    """
    @return: Seconds.

    @raise ValueError: for anything else, as do the others.
    """
    units = {**DURATIONS, "\N{MICRO SIGN}s": DURATIONS["us"]}
    return _quantity(text, units, "a duration is written as 50ms, 1.5s or 2min")


def size(text: str) -> int:
    """
    @return: Bytes.
    """
    return round(_quantity(text, SIZES, "a size is written as 500B, 64KiB or 1.5MB"))


def rate(text: str) -> float:
    """
    @return: Bytes a second, more than 0.
    """
    problem = "a rate is written as 500B/s, 64KiB/s or 1.5MB/s, and is not 0"
    number = _quantity(text, {f"{unit}/s": number for unit, number in SIZES.items()}, problem)
    if not number:
        raise ValueError(problem)
    return number


def share(text: str) -> float:
    """
    @return: A part of the whole.
    """
    problem = "a share is written as 1% or 0.1%, and is at most 100%"
    percent = _quantity(text, {"%": 1}, problem)
    if percent > 100:
        raise ValueError(problem)
    return percent / 100


def _quantity(text: str, units: Mapping[str, float], problem: str) -> float:
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in units:
        raise ValueError(problem)
    return float(match[1]) * units[match[2]]
