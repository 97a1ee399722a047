"""
Faults of L{echod.client.watch}, and of its alert rules.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

PROBER = "echod/client/watch/prober.py"
RESULTS = "echod/client/watch/results.py"
METRICS = "echod/client/watch/metrics.py"
SERVER = "echod/client/watch/httpserver.py"
COMMAND = "echod/client/watch/command.py"
OPTIONS = "echod/client/watch/options.py"
ALERTS = "deploy/prometheus/echoc-watch-alerts.yaml"

PROBER_TESTS = "tests/client/watch/test_prober.py"
METRICS_TESTS = "tests/client/watch/test_metrics.py"
COMMAND_TESTS = "tests/client/watch/test_command.py"
OPTIONS_TESTS = "tests/client/watch/test_options.py"
ALERTS_TESTS = "tests/deploy/test_watchalerts.py"

MUTATIONS = [
    Mutation(PROBER, "max(began + SHORTEST_PAUSE, ", "max(began, ", PROBER_TESTS),
    Mutation(
        PROBER,
        "except Exception as error:\n            # A",
        "except OSError as error:\n            # A",
        PROBER_TESTS,
    ),
    Mutation(
        PROBER, "            self._results.failed(error)", "            pass", PROBER_TESTS
    ),
    Mutation(PROBER, "            self._skip(int(", "            print(int(", PROBER_TESTS),
    Mutation(PROBER, "        self._next += number\n", "", PROBER_TESTS),
    Mutation(PROBER, "self._results.skipped += number", "pass", PROBER_TESTS),
    Mutation(PROBER, "ceil(self._probesAt(", "floor(self._probesAt(", PROBER_TESTS),
    Mutation(PROBER, "self._next += pinger.tracker.attempted", "pass", PROBER_TESTS),
    Mutation(PROBER, "            self._miss(due)\n", "            pass\n", PROBER_TESTS),
    Mutation(PROBER, "            self._miss(floor(", "            print(floor(", PROBER_TESTS),
    Mutation(PROBER, "pinger.connected and self._failed", "1", PROBER_TESTS),
    Mutation(PROBER, "pinger.reopen = None", "pass", PROBER_TESTS),
    Mutation(PROBER, "isSilent or await", "await", PROBER_TESTS),
    Mutation(PROBER, "await self._hasMoved(pinger):", "False:", PROBER_TESTS),
    Mutation(PROBER, "peer not in [re.sub(", "peer not in [str(", PROBER_TESTS),
    Mutation(PROBER, "        pinger.forget()\n", "", PROBER_TESTS),
    Mutation(PROBER, "            pinger.end()\n", "            pass\n", PROBER_TESTS),
    Mutation(PROBER, "        if self._stopped:\n            return\n", "", PROBER_TESTS),
    Mutation(PROBER, "            self._running.cancel()", "            pass", PROBER_TESTS),
    Mutation(PROBER, "self._results.ended(problem)", "pass", PROBER_TESTS),
    Mutation(RESULTS, "self.sent += number", "pass", PROBER_TESTS),
    Mutation(RESULTS, "self._lose(number)\n\n", "pass\n\n", PROBER_TESTS),
    Mutation(RESULTS, "self._inFlight.discard(event.sequence)", "pass", PROBER_TESTS),
    Mutation(RESULTS, "self.up = self.up and not number", "pass", PROBER_TESTS),
    Mutation(RESULTS, "event.roundTrip / SECOND", "event.roundTrip", METRICS_TESTS),
    Mutation(RESULTS, "dict.fromkeys(REASONS, 0)", "()", METRICS_TESTS),
    Mutation(RESULTS, '"lost": self.lost,', '"lost": self.sent,', METRICS_TESTS),
    Mutation(METRICS, "if number is not None", "if True", METRICS_TESTS),
    Mutation(SERVER, "if ports and getattr(", "if getattr(", COMMAND_TESTS),
    Mutation(SERVER, "escape(each.labels[0])", "each.labels[0]", COMMAND_TESTS),
    Mutation(SERVER, "        number = port.getHost().port\n", "", COMMAND_TESTS),
    Mutation(
        SERVER,
        "            for each in ports:\n                each.stopListening()\n",
        "",
        COMMAND_TESTS,
    ),
    Mutation(
        COMMAND, "with suppress(CancelledError)", "with suppress(ValueError)", COMMAND_TESTS
    ),
    Mutation(
        COMMAND, "isinstance(target, Description):", "False:", COMMAND_TESTS + " -k wrong"
    ),
    Mutation(COMMAND, "return printer.outcome or", "return", COMMAND_TESTS),
    Mutation(PROBER, "number * interval / len(probers)", "0", PROBER_TESTS),
    Mutation(OPTIONS, 'self["targets"].count(target) > 1', "False", OPTIONS_TESTS),
    Mutation(OPTIONS, "FEWEST), MOST)", "0), 1 << 20)", OPTIONS_TESTS),
    Mutation(OPTIONS, 'or bool(self["anew"])', "", OPTIONS_TESTS),
    Mutation(
        "echod/client/ping/probeoptions.py",
        'return "TCP" if socketPath(str(target)) is None else "UNIX"',
        'return "TCP"',
        "tests/client/test_options.py -k protocol",
    ),
    Mutation(OPTIONS, "(LOOPBACK, LOOPBACK6)", "(LOOPBACK,)", OPTIONS_TESTS),
    Mutation(ALERTS, "received_total[2m]) == 0", "received_total[2m]) < 40", ALERTS_TESTS),
    Mutation(ALERTS, "sent_total[5m]) > 0.01", "sent_total[5m]) > 0.02", ALERTS_TESTS),
    Mutation(ALERTS, "            0.99,", "            0.999,", ALERTS_TESTS),
    Mutation(
        "deploy/prometheus/echod-alerts.yaml",
        "unless on (job, instance) echod_draining == 1",
        "",
        "tests/deploy/test_daemonalerts.py",
    ),
    Mutation(
        "deploy/prometheus/echod-alerts.yaml",
        "(echod_max_connections > 0)",
        "echod_max_connections",
        "tests/deploy/test_daemonalerts.py",
    ),
    Mutation(
        "deploy/grafana/echoc-watch.json",
        "label_values(echoc_up{",
        "label_values(echoc_ups{",
        ALERTS_TESTS,
    ),
]
