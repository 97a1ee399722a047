"""
The values of options.
"""

from __future__ import annotations

import re

from twisted.python import usage

from echod.net.format import quoted
from echod.net.quantities import LONGEST_TIME, decimal, duration, wholeNumber

_HEXADECIMAL = re.compile("0[xX][0-9a-fA-F]{1,2}")

DSCP_NAMES = (
    *("EF", "LE"),
    *(f"CS{number}" for number in range(8)),
    *(f"AF{group}{drop}" for group in range(1, 5) for drop in range(1, 4)),
)
"""
The names of all DSCPs.
"""

SHORTEST = 1e-9
"""
The smallest number, chiefly of seconds: the clients count nanoseconds.
"""


def typeOfService(value: str) -> int:
    """
    Parse a type of service: a number, or the name of a DSCP (RFC 2474, 2597, 3246, 8622).

    @raise usage.UsageError: for everything else.
    """
    name = re.fullmatch(r"(EF)|(LE)|CS([0-7])|AF([1-4])([1-3])", value.upper())
    try:
        if name is None:
            number = int(value, 16) if _HEXADECIMAL.fullmatch(value) else wholeNumber(value)
            if number > 255:
                raise ValueError
            return number
    except ValueError:
        raise usage.UsageError(
            f"--tos {quoted(value)}: give a DSCP name (EF, AF41, CS6) or a number, 0 to 255"
        ) from None
    ef, le, selector, group, drop = name.groups()
    if ef or le:
        return (46 if ef else 1) << 2
    return (int(selector) << 3 if selector else int(group) << 3 | int(drop) << 1) << 2


def seconds(option: str, value: str) -> float:
    """
    Parse a duration above 0.

    @return: The duration in seconds.

    @raise usage.UsageError: for everything else.
    """
    try:
        return duration(value, SHORTEST)
    except ValueError as error:
        raise usage.UsageError(f"{option} {quoted(value)}: {error}") from None


def positive(option: str, value: str, what: str) -> float:
    """
    Parse a number above 0.

    @param what: The quantity, for the message.

    @raise usage.UsageError: for everything else.
    """
    try:
        return decimal(value, SHORTEST, LONGEST_TIME)
    except ValueError:
        raise usage.UsageError(
            f"{option} {quoted(value)}: give {what}, more than 0 and at most {LONGEST_TIME}"
        ) from None
