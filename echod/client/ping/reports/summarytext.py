"""
A summary as text for people.
"""

from __future__ import annotations

from typing import Any

from echod.client.ping.tracking.statistics import names, percentileName

RARE = ("foreign", "refused", "unreachable", "too_big", "in_flight", "reconnected")
"""
The counts that are printed only if they are not 0.
"""

OPENINGS = (("connect", "connect"), ("tls_handshake", "TLS handshake"))
"""
The times of opening a connection: the key in the summary, and the name for people.
"""


def lines(summary: dict[str, Any]) -> list[str]:
    """
    @return: The lines of a summary.
    """
    loss = summary["loss_percent"]
    percent = "" if loss is None else f" ({loss:g} %)"
    counts = ("late", "duplicated", "reordered", "truncated", "corrupted")
    texts = [
        f"sent {summary['sent']}, received {summary['received']}, lost {summary['lost']}"
        + percent
        + "".join(f", {name} {summary[name]}" for name in counts)
        + "".join(
            f", {name.replace('_', ' ')} {summary[name]}" for name in RARE if summary[name]
        )
    ]
    if len(summary["sizes"]) > 1:
        texts += map(_line, summary["sizes"])
    if summary["rtt_min_us"] is not None:
        percents = summary["percentiles"]
        values = {name: summary[f"rtt_{name}_us"] for name in names(percents)}
        jitter = milliseconds(values.pop("jitter"))
        times = "/".join(map(milliseconds, values.values()))
        points = {percentileName(each): f"p{each:.12g}" for each in percents}
        columns = "/".join(points.get(name, name) for name in values)
        texts.append(f"rtt {columns} = {times} ms, jitter {jitter} ms")
    openings = [_opening(summary, *each) for each in OPENINGS if summary[f"{each[0]}_us"]]
    if openings:
        texts.append(", ".join(openings))
    if summary["interval_mean_us"] is not None:
        texts.append(
            f"one every {milliseconds(summary['interval_mean_us'])} ms for "
            f"{summary['duration_s']:.3f} s; came back: {summary['received_per_s']:.0f}/s, "
            f"{summary['received_bit_per_s'] / 1e6:.3f} Mbit/s" + _leftLate(summary)
        )
    return [*texts, summary["verdict"]]


def _opening(summary: dict[str, Any], key: str, name: str) -> str:
    times = [milliseconds(summary[f"{key}_{kind}_us"]) for kind in ("min", "avg", "max")]
    if len(set(times)) == 1:
        return f"{name} {times[0]} ms"
    return f"{name} min/avg/max = {'/'.join(times)} ms"


def _leftLate(summary: dict[str, Any]) -> str:
    if not summary["left_late"]:
        return ""
    longest = milliseconds(summary["left_late_max_us"])
    return f"; left late: {summary['left_late']}, by up to {longest} ms"


def _line(ofSize: dict[str, Any]) -> str:
    line = f"{ofSize['size_bytes']:6} bytes: {ofSize['received']} of {ofSize['sent']}"
    if ofSize["too_big"]:
        line += ", too big for the path"
    if ofSize["rtt_min_us"] is not None:
        names = ("min", "avg", "max")
        times = "/".join(milliseconds(ofSize[f"rtt_{name}_us"]) for name in names)
        line += f", rtt {'/'.join(names)} = {times} ms"
    return line


def milliseconds(microseconds: float) -> str:
    """
    @return: A time in milliseconds, with three decimals.
    """
    return f"{microseconds / 1000:.3f}"
