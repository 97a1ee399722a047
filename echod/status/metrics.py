"""
The metrics, for Prometheus.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

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
from echod.net.histogram import buckets
from echod.net.statistics import DATAGRAMS, LENGTHS, SESSIONS
from echod.service.listening import LISTENING
from echod.status.monitor import LAGS, Monitor
from echod.status.snapshot import Data
from twisted import __version__ as twistedVersion

LABELS = ("service", "address")
"""
The labels that tell the services apart.
"""


def registryFor(monitor: Monitor) -> CollectorRegistry:
    """
    @return: The metrics of echod, and of its processes.
    """
    registry = CollectorRegistry()
    registry.register(EchoCollector(monitor))
    registry.register(Processes(monitor))
    return registry


class Processes(Collector):
    """
    The system's figures about this process and, with a label, about its workers.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def collect(self) -> Iterable[Metric]:
        """
        @return: The current metrics.
        """
        metrics = {metric.name: metric for metric in ProcessCollector(registry=None).collect()}
        for worker in self._monitor.workers:
            labels = {"worker": worker["worker"]}
            process = ProcessCollector(pid=partial(int, worker["process"]), registry=None)
            for metric in process.collect():
                samples = [sample._replace(labels=labels) for sample in metric.samples]
                metrics[metric.name].samples += samples
        return metrics.values()


class EchoCollector(Collector):
    """
    The counters of the services, read at each scrape.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def collect(self) -> Iterable[Metric]:
        """
        @return: The current metrics.
        """
        yield InfoMetricFamily(
            "echod_build",
            "The versions.",
            {
                "version": __version__,
                "python": platform.python_version(),
                "twisted": twistedVersion,
                "reactor": self._monitor.reactor,
            },
        )
        yield GaugeMetricFamily(
            "echod_draining",
            "1 if echod is about to stop, else 0.",
            self._monitor.draining,
        )
        yield GaugeMetricFamily(
            "echod_workers",
            "Workers that serve; 0 where one process does all.",
            sum(worker["serves"] for worker in self._monitor.workers),
        )
        yield CounterMetricFamily(
            "echod_worker_deaths",
            "Workers that have died.",
            self._monitor.deaths,
        )
        lag = HistogramMetricFamily(
            "echod_reactor_lag_seconds",
            "By how much a timer that is set every second has fired too late.",
        )
        lag.add_metric([], buckets(LAGS, self._monitor.lags.counts), self._monitor.lags.sum)
        yield lag
        yield from _ofServices(self._monitor.services)


def _ofServices(services: Sequence[Data]) -> Iterator[Metric]:
    listening = GaugeMetricFamily(
        "echod_listening", "1 if the service listens, else 0.", labels=LABELS
    )
    for service in services:
        listening.add_metric(_names(service), service["state"] == LISTENING)
    yield listening
    yield _counter(services, "echod_received_bytes", "Bytes from peers.", "received_bytes")
    yield _counter(services, "echod_returned_bytes", "Bytes to peers.", "returned_bytes")
    yield _counters(
        services,
        "echod_impaired",
        "How often a service has misbehaved on purpose, by kind.",
        "impaired",
        "kind",
    )
    yield from _ofSessions([service for service in services if service["kind"] == SESSIONS])
    yield from _ofDatagrams([service for service in services if service["kind"] == DATAGRAMS])


def _ofSessions(services: Sequence[Data]) -> Iterator[Metric]:
    connections = GaugeMetricFamily(
        "echod_connections", "Connections that are open.", labels=LABELS
    )
    most = GaugeMetricFamily(
        "echod_max_connections", "Connections that may be open; 0 for no limit.", labels=LABELS
    )
    durations = HistogramMetricFamily(
        "echod_session_duration_seconds",
        "How long the sessions lasted that have ended.",
        labels=LABELS,
    )
    for service in services:
        connections.add_metric(_names(service), service["open"])
        most.add_metric(_names(service), service["max_connections"])
        durations.add_metric(
            _names(service),
            buckets(LENGTHS, service["duration_buckets"]),
            service["duration_sum_s"],
        )
    yield connections
    yield most
    yield durations
    yield _counter(
        services,
        "echod_connections_accepted",
        "Connections that became sessions.",
        "accepted",
    )
    yield _counters(
        services,
        "echod_connections_refused",
        "Connections that were refused, by reason.",
        "refused",
        "reason",
    )
    yield _counters(
        services,
        "echod_sessions_ended",
        "Sessions that have ended, by outcome.",
        "ended",
        "outcome",
    )


def _ofDatagrams(services: Sequence[Data]) -> Iterator[Metric]:
    yield _counter(services, "echod_datagrams_received", "Datagrams from peers.", "received")
    yield _counter(
        services, "echod_datagrams_answered", "Datagrams that were returned.", "answered"
    )
    yield _counters(
        services,
        "echod_datagrams_refused",
        "Datagrams that were refused, by reason.",
        "refused",
        "reason",
    )


def _names(service: Data) -> list[str]:
    return [service[label] for label in LABELS]


def _counter(services: Sequence[Data], name: str, what: str, key: str) -> Metric:
    metric = CounterMetricFamily(name, what, labels=LABELS)
    for service in services:
        metric.add_metric(_names(service), service[key])
    return metric


def _counters(services: Sequence[Data], name: str, what: str, key: str, label: str) -> Metric:
    metric = CounterMetricFamily(name, what, labels=[*LABELS, label])
    for service in services:
        for value, number in service[key].items():
            metric.add_metric([*_names(service), value], number)
    return metric
