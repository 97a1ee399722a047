"""
Hypothesis, which makes inputs for tests, with the settings of these tests.
"""

from __future__ import annotations

import os

try:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None  # type: ignore[assignment]

__all__ = ["EXAMPLES", "given", "settings", "st"]

EXAMPLES = int(os.environ.get("EXAMPLES", "50"))
"""
How many inputs hypothesis makes for each of its tests.
"""

if given is not None:
    # Other people may use the machine: no input is wrong for taking long.
    slow = [HealthCheck.too_slow]
    settings.register_profile(
        "echod", max_examples=EXAMPLES, deadline=None, suppress_health_check=slow
    )
    settings.load_profile("echod")
