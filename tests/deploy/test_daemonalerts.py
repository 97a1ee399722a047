"""
Tests for C{deploy/prometheus/echod-alerts.yaml}.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from importlib.util import find_spec

from echod.limits.capacity import NO_ROOM
from echod.tcp.admission import NO_ROOM_FOR_SOURCE, OVER_CONNECT_RATE
from echod.tcp.proxyheader import EXPECTED, MALFORMED
from echod.tcp.proxyprotocol import LATE, NOT_A_PROXY
from echod.udp.echo import SEND_BUFFER_FULL, SEND_ERROR
from echod.udp.guard import OVER_RATE
from tests.support import lacking, prometheus
from tests.support.daemon import PATIENCE, Daemon, session
from tests.support.load import wait
from tests.support.prometheus import (
    DEPLOY,
    Case,
    checkNames,
    exported,
    expressions,
    pair,
    series,
)

DENIED_ADDRESS = "127.0.0.2"

REPORTED = {
    "echod_connections_refused_total",
    "echod_datagrams_refused_total",
    "echod_impaired_total",
    "echod_sessions_ended_total",
}
"""
The metrics that appear with the first event.
"""

REASONS = (
    *(NO_ROOM, NO_ROOM_FOR_SOURCE, OVER_CONNECT_RATE, EXPECTED, MALFORMED, LATE, NOT_A_PROXY),
    *(SEND_BUFFER_FULL, SEND_ERROR, OVER_RATE),
)

TARGET = {"job": "echod", "instance": "a:8000"}
TCP = {**TARGET, "service": "TCP echo", "address": "[::]:8080"}
UDP = {**TARGET, "service": "UDP echo", "address": "[::]:8080"}


def refused(reason: str, values: str, quiet: str = "5x30") -> Case:
    """
    @return: The series for an alert about refusals.
    """
    udp = reason in (SEND_BUFFER_FULL, SEND_ERROR, OVER_RATE)
    labels = {**(UDP if udp else TCP), "reason": reason}
    name = f"echod_{'datagrams' if udp else 'connections'}_refused_total"
    up = {series("up", TARGET): "1x30"}
    return Case(
        {series(name, labels): values, **up}, {series(name, labels): quiet, **up}, labels
    )


OPEN = series("echod_connections", TCP)
MOST_OPEN = series("echod_max_connections", TCP)
BUSY = series("process_cpu_seconds_total", {**TARGET, "worker": "1"})
FILES = series("process_open_fds", {**TARGET, "worker": "1"})
MOST = series("process_max_fds", {**TARGET, "worker": "1"})
LISTENING = series("echod_listening", TCP)
DRAINING = series("echod_draining", TARGET)
LAG = series("echod_reactor_lag_seconds_sum", TARGET)
LAGS = series("echod_reactor_lag_seconds_count", TARGET)


class DaemonAlertsTests(prometheus.RulesTests):
    """
    Tests for the alerts about the daemon.
    """

    path = DEPLOY / "prometheus" / "echod-alerts.yaml"

    cases = {
        "EchodAbsent": Case(
            {series("up", {"job": "other"}): "1x30"},
            {series("up", TARGET): "0x30"},
            {"job": "echod"},
        ),
        "EchodDown": pair("up", "1x20 0x10", "1x20 0 1x10", TARGET),
        "EchodNotListening": Case(
            {LISTENING: "1x20 0x10", DRAINING: "0x30"},
            {LISTENING: "1x20 0x10", DRAINING: "0x20 1x10"},
            TCP,
        ),
        "EchodDrainsTooLong": pair("echod_draining", "0x20 1x10", "0x20 1x3 stale", TARGET),
        "EchodRestartsOften": pair(
            "process_start_time_seconds", "1x20 2x3 3x3 4x3", "1x20 2x5 3x5", TARGET
        ),
        "EchodWorkerDied": pair("echod_worker_deaths_total", "0x22 1x8", "3x30", TARGET),
        # The first refusal ever has no sample before it.
        "EchodFull": refused(NO_ROOM, "_x27 1x3"),
        "EchodNearlyFull": Case(
            {OPEN: "81x30", MOST_OPEN: "100x30"},
            # 0 is no limit.
            {OPEN: "81x10 79x20", MOST_OPEN: "0x10 100x20"},
            TCP,
        ),
        "EchodDescriptorsNearLimit": Case(
            {FILES: "81x30", MOST: "100x30"},
            {FILES: "79x30", MOST: "100x30"},
            {**TARGET, "worker": "1"},
        ),
        "EchodSendErrors": refused(SEND_ERROR, "0+1x30", "0x10 1x19"),
        "EchodLimitsSources": refused(OVER_RATE, "0+1x30", "0x10 9x19"),
        "EchodExpectsProxyHeader": refused(LATE, "0+1x30", "0x10 9x19"),
        "EchodRefuses": refused("denied address", "0+61x30", "0+59x30"),
        "EchodSlow": Case(
            {LAG: "0+3.1x30", LAGS: "0+60x30"}, {LAG: "0+2.9x30", LAGS: "0+60x30"}, TARGET
        ),
        "EchodBusy": Case({BUSY: "0+55x30"}, {BUSY: "0+53x30"}, {**TARGET, "worker": "1"}),
        "EchodImpaired": pair(
            "echod_impaired_total", "0+1x30", "7x30", {**UDP, "kind": "drop"}
        ),
    }

    def test_reasons(self) -> None:
        """
        Each refusal with a reason of its own in the rules is a refusal of echod, and is
        left out of the alert for all others.
        """
        found = {
            reason
            for rule in self.rules
            for text in re.findall(r'reason=~?"([^"]*)"', rule["expr"])
            for reason in text.split("|")
        }
        (others,) = re.findall(r'reason!~"([^"]*)"', self.alerts["EchodRefuses"]["expr"])
        self.assertEqual(found, set(others.split("|")))
        for reason in REASONS:
            self.assertTrue(re.fullmatch(others, reason), reason)
        for pattern in found:
            self.assertTrue(any(re.fullmatch(pattern, reason) for reason in REASONS), pattern)

    def names(self) -> Mapping[str, set[str]]:
        """
        @return: The names that a daemon exports after one event of each kind.
        """
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        daemon = Daemon(
            *("--tcp", "0", "--udp", "0", "--status", "0", "--workers", "2"),
            *("--deny", DENIED_ADDRESS, "--impair", "udp:duplicate=100%"),
        )
        self.addCleanup(daemon.stop)
        url = f"http://{daemon.expect(r'HTTP status listens on ([0-9.:]+[0-9])')[1]}/metrics"
        for kind, target in (
            (socket.SOCK_STREAM, daemon.tcp),
            (socket.SOCK_DGRAM, daemon.udp),
        ):
            with socket.socket(socket.AF_INET, kind) as skt:
                skt.settimeout(PATIENCE)
                skt.bind((DENIED_ADDRESS, 0))
                skt.connect(target)
                skt.send(b"hello")
        session(self, daemon.tcp).close()
        # Workers report once a second.
        wait(lambda: exported(url).keys() >= REPORTED)
        return exported(url)

    def test_names(self) -> None:
        """
        The daemon exports each metric and each label in the rules and in the dashboard.
        """
        names = self.names()
        found = [rule["expr"] for rule in self.rules]
        for expression in found + expressions(DEPLOY / "grafana" / "echod.json"):
            checkNames(self, expression, names)
