"""
Tests for C{deploy/prometheus/echoc-watch-alerts.yaml}, and for the names in the dashboard.
"""

from __future__ import annotations

from importlib.util import find_spec

from tests.client.test_main import echoc
from tests.support import lacking, prometheus
from tests.support.daemon import PATIENCE
from tests.support.prometheus import (
    DEPLOY,
    Case,
    checkNames,
    exported,
    expressions,
    pair,
    series,
)

WATCH = {"job": "echoc-watch", "instance": "a:9101"}
TARGET = {**WATCH, "target": "b:8080", "protocol": "UDP"}

SENT = series("echoc_probes_sent_total", TARGET)
RECEIVED = series("echoc_probes_received_total", TARGET)
LOST = series("echoc_probes_lost_total", TARGET)
TWICE = series("echoc_probes_duplicated_total", TARGET)


def roundTrips(fast: int, slow: int) -> dict[str, str]:
    """
    @return: The series of a target with so many fast and slow round trips in a minute.
    """
    counts = {"0.25": fast, "0.5": fast, "1.0": fast + slow, "+Inf": fast + slow}
    return {
        series("echoc_rtt_seconds_bucket", {**TARGET, "le": bound}): f"0+{number}x30"
        for bound, number in counts.items()
    }


class WatchAlertsTests(prometheus.RulesTests):
    """
    Tests for the alerts about the targets of C{echoc watch}.
    """

    path = DEPLOY / "prometheus" / "echoc-watch-alerts.yaml"

    cases = {
        "EchocWatchAbsent": Case(
            {series("up", {"job": "other"}): "1x30"},
            {series("up", WATCH): "0x30"},
            {"job": "echoc-watch"},
        ),
        "EchocWatchDown": pair("up", "1x20 0x10", "1x20 0x1 1x9", WATCH),
        "EchocTargetDown": Case(
            {SENT: "0+60x30", RECEIVED: "0+60x20 1200x10"},
            # Nearly all probes are lost.
            {SENT: "0+60x30", RECEIVED: "0+1x30"},
            TARGET,
        ),
        "EchocTargetLoses": Case(
            {SENT: "0+1000x30", LOST: "0+11x30"}, {SENT: "0+1000x30", LOST: "0+9x30"}, TARGET
        ),
        "EchocTargetSlow": Case(roundTrips(980, 20), roundTrips(995, 5), TARGET),
        "EchocTargetCorrupts": pair(
            "echoc_probes_corrupted_total", "0x20 1x10", "5x30", TARGET
        ),
        "EchocTargetDuplicates": Case(
            {SENT: "0+1000x30", TWICE: "0+11x30"}, {SENT: "0+1000x30", TWICE: "0+9x30"}, TARGET
        ),
        "EchocWatchRestartsOften": pair(
            "process_start_time_seconds", "1x20 2x3 3x3 4x3", "1x20 2x5 3x5", WATCH
        ),
    }

    def test_names(self) -> None:
        """
        C{echoc watch} exports each metric and each label in the rules and in the dashboard.
        """
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        client = echoc("watch", "--metrics=127.0.0.1:0", "[::1]:9")
        self.addCleanup(client.communicate, timeout=PATIENCE)
        self.addCleanup(client.terminate)
        assert client.stdout is not None
        names = exported(client.stdout.readline().split()[1])
        names["echoc_last_answer_timestamp_seconds"] = {"target", "protocol"}
        found = [rule["expr"] for rule in self.rules]
        for expression in found + expressions(DEPLOY / "grafana" / "echoc-watch.json"):
            checkNames(self, expression, names)
