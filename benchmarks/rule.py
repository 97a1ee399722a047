"""
Measure the goodbye rule alone: C{python -m benchmarks.rule CONTENT [without]}.

Prints the least time for 64 KiB in the middle of a stream, in microseconds; with
C{without}, as on a machine that lacks stringzilla.
"""

from __future__ import annotations

import sys
from time import perf_counter

from benchmarks.contents import CONTENTS

REPEATS = 300


def main() -> None:
    """
    Measure, and print the time.
    """
    name, *without = sys.argv[1:]
    if without:
        sys.modules["stringzilla"] = None  # type: ignore[assignment]
    else:
        import stringzilla  # noqa: F401  # Without it, there is nothing to measure.
    from echod.tcp.goodbye import Goodbye, isOrdinary

    content = CONTENTS[name]
    least = float("inf")
    for _ in range(REPEATS):
        start = perf_counter()
        # As in a session: most segments need no object.
        if not isOrdinary(content, True):
            Goodbye().receive(content)
        least = min(least, perf_counter() - start)
    print(f"{least * 1e6:.3f}")


if __name__ == "__main__":
    main()
