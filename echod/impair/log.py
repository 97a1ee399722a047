"""
The log messages about impairments: a warning when they begin, so that users do not
take them for a defect, and the counts when they end.
"""

from __future__ import annotations

from collections import Counter

from twisted.logger import Logger

from echod.impair.spec import Impairments

_log = Logger(namespace="echod.impair")


def began(service: str, impairments: Impairments) -> None:
    """
    @param service: The name of the impaired service.
    """
    _log.warn(
        "{service}: IMPAIRED ON PURPOSE: {impairments}",
        service=service,
        impairments=str(impairments),
    )


def ended(service: str, counts: Counter[str]) -> None:
    """
    @param counts: How often each kind of impairment happened.
    """
    _log.warn(
        "{service}: impaired on purpose; {numbers}",
        service=service,
        numbers=", ".join(f"{kind}: {counts[kind]}" for kind in sorted(counts)) or "nothing",
    )
