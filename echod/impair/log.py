"""
What is logged about misbehaving on purpose: that it begins, so that nobody takes
it for a fault, and what it came to.
"""

from __future__ import annotations

from collections import Counter

from twisted.logger import Logger

from echod.impair.spec import Impairments

_log = Logger(namespace="echod.impair")


def began(service: str, impairments: Impairments) -> None:
    """
    @param service: What will not be what it was.
    """
    _log.warn(
        "{service}: IMPAIRED ON PURPOSE: {impairments}",
        service=service,
        impairments=str(impairments),
    )


def ended(service: str, counts: Counter[str]) -> None:
    """
    @param counts: How often what was done.
    """
    _log.warn(
        "{service}: impaired on purpose; {numbers}",
        service=service,
        numbers=", ".join(f"{kind}: {counts[kind]}" for kind in sorted(counts)) or "nothing",
    )
