"""
The metrics of C{echoc watch}, for Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, methodcaller

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
from echod.client.watch.results import BOUNDS, Results
from echod.net.histogram import buckets

LABELS = ("target", "protocol")
"""
The labels of each series.
"""

COUNTERS = {
    "sent": "Probes that were sent, or should have been sent but could not.",
    "received": "Probes that were answered correctly and in time.",
    "lost": "Probes that had no correct answer in time.",
    "skipped": "Probes that were left out: echoc was stopped, or the connection was full.",
    "late": "Correct answers that came too late.  These probes are lost.",
    "duplicated": "Answers to probes that were answered before.",
    "truncated": "Answers that were cut short.",
    "corrupted": "Answers with other bytes than the probe.",
    "foreign": "Data that is no answer to any probe.",
    "too_big": "Probes that were too big for the path, with --df.  They are lost.",
    "reordered": "Answers that came after the answer to a later probe.",
}
"""
The counters of probes by name, with their descriptions.
"""


def registryFor(results: Sequence[Results]) -> CollectorRegistry:
    """
    @return: The metrics of all targets, and of this process.
    """
    registry = CollectorRegistry()
    registry.register(WatchCollector(results))
    ProcessCollector(registry=registry)
    return registry


class WatchCollector(Collector):
    """
    The results of all targets, read at each scrape.
    """

    def __init__(self, results: Sequence[Results]) -> None:
        self._results = results

    def collect(self) -> Iterable[Metric]:
        """
        @return: The current metrics.
        """
        yield InfoMetricFamily("echoc_build", "The version.", {"version": __version__})
        yield self._metric(
            GaugeMetricFamily,
            "echoc_up",
            "1 if the latest result is a correct answer in time, else 0.",
            attrgetter("up"),
        )
        yield self._metric(
            GaugeMetricFamily,
            "echoc_last_answer_timestamp_seconds",
            "When the latest correct answer came, in seconds since 1970.",
            attrgetter("answered"),
        )
        for name, about in COUNTERS.items():
            count = methodcaller("count", name)
            yield self._metric(CounterMetricFamily, f"echoc_probes_{name}", about, count)
        yield self._metric(
            CounterMetricFamily,
            "echoc_reconnects",
            "Connections that replaced one that was lost or refused.",
            attrgetter("reconnected"),
        )
        yield self._errors()
        yield self._roundTrips()

    def _metric(
        self,
        kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
        name: str,
        about: str,
        value: Callable[[Results], float | None],
    ) -> Metric:
        metric = kind(name, about, labels=LABELS)
        for each in self._results:
            number = value(each)
            if number is not None:
                metric.add_metric(each.labels, number)
        return metric

    def _errors(self) -> Metric:
        errors = CounterMetricFamily(
            "echoc_errors", "Errors, by reason.", labels=[*LABELS, "reason"]
        )
        for each in self._results:
            for reason, number in each.errors.items():
                errors.add_metric((*each.labels, reason), number)
        return errors

    def _roundTrips(self) -> Metric:
        roundTrips = HistogramMetricFamily(
            "echoc_rtt_seconds", "The round-trip times of all answers.", labels=LABELS
        )
        for each in self._results:
            histogram = each.roundTrips
            roundTrips.add_metric(each.labels, buckets(BOUNDS, histogram.counts), histogram.sum)
        return roundTrips
