"""
The metrics of C{echoc watch}, for Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from echod._version import __version__
from echod.client.ping.events import Kind
from echod.client.watch.results import BOUNDS, Results
from echod.net.histogram import buckets

LABELS = ("target", "protocol")
"""
The labels of each series: the target as on the command line, and UDP or TCP.
"""

COUNTERS: Mapping[str, tuple[str, Callable[[Results], int]]] = {
    "sent": (
        "Probes that were sent, or should have been sent but could not.",
        lambda results: results.sent,
    ),
    "received": (
        "Probes that were answered correctly and in time.",
        lambda results: results.kinds[Kind.ANSWERED],
    ),
    "lost": (
        "Probes that had no correct answer in time.",
        lambda results: results.lost,
    ),
    "late": (
        "Correct answers that came too late.  These probes are lost.",
        lambda results: results.kinds[Kind.LATE],
    ),
    "duplicated": (
        "Answers to probes that were answered before.",
        lambda results: results.kinds[Kind.DUPLICATED],
    ),
    "truncated": (
        "Answers that were cut short.",
        lambda results: results.kinds[Kind.TRUNCATED],
    ),
    "corrupted": (
        "Answers with other bytes than the probe.",
        lambda results: results.kinds[Kind.CORRUPTED],
    ),
    "foreign": (
        "Data that is no answer to any probe.",
        lambda results: results.kinds[Kind.FOREIGN],
    ),
    "too_big": (
        "Probes that were too big for the path, with --df.  They are lost.",
        lambda results: results.kinds[Kind.TOO_BIG],
    ),
    "reordered": (
        "Answers that came after the answer to a later probe.",
        lambda results: results.reordered,
    ),
}


def registryFor(results: Sequence[Results], protocol: str) -> CollectorRegistry:
    """
    @return: The metrics of all targets, and of this process.
    """
    registry = CollectorRegistry()
    registry.register(WatchCollector(results, protocol))
    ProcessCollector(registry=registry)
    return registry


class WatchCollector(Collector):
    """
    The results of all targets, read at each scrape.
    """

    def __init__(self, results: Sequence[Results], protocol: str) -> None:
        self._results = results
        self._protocol = protocol

    def collect(self) -> Iterable[Metric]:
        """
        @return: The current metrics.
        """
        yield InfoMetricFamily("echoc_build", "What runs.", {"version": __version__})
        yield from self._gauges()
        for name, (what, value) in COUNTERS.items():
            counter = CounterMetricFamily(f"echoc_probes_{name}", what, labels=LABELS)
            for each in self._results:
                counter.add_metric(self._labels(each), value(each))
            yield counter
        yield self._reconnects()
        yield self._errors()
        yield self._roundTrips()

    def _gauges(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "echoc_up",
            "Whether the latest result is a correct answer in time.",
            labels=LABELS,
        )
        answered = GaugeMetricFamily(
            "echoc_last_answer_timestamp_seconds",
            "When the latest correct answer came, in seconds since 1970.",
            labels=LABELS,
        )
        for each in self._results:
            up.add_metric(self._labels(each), each.up)
            if each.answered is not None:
                answered.add_metric(self._labels(each), each.answered)
        yield up
        yield answered

    def _reconnects(self) -> Metric:
        reconnects = CounterMetricFamily(
            "echoc_reconnects",
            "Connections that replaced one that was lost or refused.",
            labels=LABELS,
        )
        for each in self._results:
            reconnects.add_metric(self._labels(each), each.reconnected)
        return reconnects

    def _errors(self) -> Metric:
        errors = CounterMetricFamily(
            "echoc_errors", "Errors, by reason.", labels=[*LABELS, "reason"]
        )
        for each in self._results:
            for reason, number in each.errors.items():
                errors.add_metric([*self._labels(each), reason], number)
        return errors

    def _roundTrips(self) -> Metric:
        roundTrips = HistogramMetricFamily(
            "echoc_rtt_seconds", "The round-trip times of all answers.", labels=LABELS
        )
        for each in self._results:
            histogram = each.roundTrips
            roundTrips.add_metric(
                self._labels(each), buckets(BOUNDS, histogram.counts), histogram.sum
            )
        return roundTrips

    def _labels(self, results: Results) -> list[str]:
        return [results.target, self._protocol]
