"""
Round-trip times as graphs of block characters.
"""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = " ▁▂▃▄▅▆▇█"

LOST = "x"


def graph(values: Sequence[float | None], height: int) -> list[str]:
    """
    @param values: Each value becomes a column.  L{None} is a lost probe.

    @return: The rows from top to bottom.  The scale begins at 0.
    """
    most = max((value for value in values if value), default=1.0)
    steps = len(BLOCKS) - 1
    rows = []
    for row in reversed(range(height)):
        line = ""
        for value in values:
            if value is None:
                line += LOST if row == 0 else " "
            else:
                filled = round(value / most * height * steps) - row * steps
                line += BLOCKS[min(max(filled, row == 0), steps)]
        label = most * (row + 1) / height
        rows.append(f"{label / 1000:10.3f} ms {line}")
    return rows


def histogram(values: Sequence[float], bins: int, width: int) -> list[str]:
    """
    @return: A bar for each of so many ranges between the smallest and the largest value:
        how many values are in the range.
    """
    if not values:
        return []
    least, most = min(values), max(values)
    step = (most - least) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(int((value - least) / step), bins - 1)] += 1
    return [
        f"{(least + number * step) / 1000:10.3f} ms "
        f"{'█' * round(width * count / max(counts))} {count}"
        for number, count in enumerate(counts)
    ]
