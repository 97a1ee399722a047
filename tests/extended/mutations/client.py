"""
Faults of L{echod.client}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

MATCH = "echod/client/ping/tracking/match.py"
PROBE_TESTS = "tests/client/ping/tracking/test_probe.py"
EXPIRY = "echod/client/ping/tracking/expiry.py"
SENDER = "echod/client/ping/sender.py"
PINGER_TESTS = "tests/client/ping/test_pinger.py"
STREAM_TESTS = "tests/client/ping/test_stream.py"
MTU_TESTS = "tests/client/ping/test_mtu.py -k MTUTests"
TALK_TCP = "echod/client/talk/tcp.py"
TALK_TESTS = "tests/client/talk/test_tcp.py"
TERMINAL_TESTS = "tests/client/test_main.py -k TerminalProgramTests"

TIMER = "echod/client/ping/timer.py"
TIMER_TESTS = "tests/client/ping/test_timer.py"

TRACKER = "echod/client/ping/tracking/tracker.py"
REPORT = "echod/client/ping/reports/report.py"
OUTPUT = "echod/client/ping/reports/output.py"
OUTPUT_TESTS = "tests/client/ping/reports/test_output.py"
REPORT_TESTS = (
    "tests/client/ping/reports/test_report.py tests/client/ping/reports/test_programreports.py"
)

MUTATIONS = [
    Mutation(TALK_TCP, "elif not hopeless:", "else:", TALK_TESTS),
    Mutation(TALK_TCP, "(self._paused and not hopeless)", "self._paused", TALK_TESTS),
    Mutation(
        TALK_TCP, "comparison.outstanding or hopeless", "comparison.outstanding", TALK_TESTS
    ),
    Mutation(TALK_TCP, " and (self.sentAll or self._source is not None)", "", TALK_TESTS),
    Mutation(TALK_TCP, "self._allCame() and not self._closing", "self._allCame()", TALK_TESTS),
    Mutation(
        "echod/client/endpoints.py",
        "(ImportError, NameError)",
        "ImportError",
        "tests/client/test_options.py",
    ),
    Mutation(
        "echod/client/main.py",
        "if getattr(sys, name) is None:",
        "if False:",
        "tests/client/test_main.py -k closedDescriptors",
    ),
    Mutation(
        "echod/client/talk/stdio.py",
        "fcntl.F_GETPIPE_SZ) < CHUNK",
        "fcntl.F_GETPIPE_SZ) > 0",
        "tests/client/talk/test_stdio.py",
    ),
    Mutation(
        "echod/net/commandline.py",
        "if not isinstance(error, BrokenPipeError):",
        "if False:",
        "tests/net/test_commandline.py",
    ),
    Mutation(
        "echod/client/lookup.py",
        "self._reactor.callLater(self._patience, limited.resolutionComplete)",
        "pass",
        "tests/client/test_lookup.py",
    ),
    Mutation(
        "echod/client/lookup.py",
        "(_scoped(address))",
        "(address)",
        "tests/client/test_lookup.py",
    ),
    Mutation(
        "echod/client/connect.py",
        "if options.family is not None and",
        "if False and",
        "tests/client/test_options.py",
    ),
    Mutation(
        SENDER,
        "self._droppedSince = None\n        return",
        "return",
        PINGER_TESTS,
    ),
    Mutation(
        SENDER,
        "if error.errno != errno.ENOBUFS:",
        "if True:",
        PINGER_TESTS,
    ),
    Mutation(SENDER, "if smaller < size", "", PINGER_TESTS),
    Mutation(EXPIRY, "if self._unread() and", "if False and", PINGER_TESTS),
    Mutation(EXPIRY, " and self._reactor.seconds() < latest", "", PINGER_TESTS),
    Mutation(EXPIRY, "min(max(now - due, 0), most)", "0", PINGER_TESTS),
    Mutation(EXPIRY, "min(max(now - due, 0), most)", "max(now - due, 0)", PINGER_TESTS),
    Mutation(
        "echod/client/ping/connections.py",
        "self.open[event.sequence].giveUp()",
        "pass",
        "tests/client/ping/test_connections.py",
    ),
    Mutation(
        "echod/client/ping/tracking/moments.py",
        "abs(step) <= READING + longest * SLEW",
        "abs(step) <= longest",
        PROBE_TESTS,
    ),
    Mutation(OUTPUT, "self._most += MOST_WAITING", "pass", OUTPUT_TESTS),
    Mutation(OUTPUT, "self.waiting > self._most", "not self.waiting", OUTPUT_TESTS),
    Mutation(OUTPUT, "self._patience = PATIENCE_INTERRUPTED", "pass", OUTPUT_TESTS),
    Mutation(
        OUTPUT,
        "os.write(self._run.stdout, data[: select.PIPE_BUF])",
        "os.write(self._run.stdout, data)",
        OUTPUT_TESTS,
    ),
    Mutation(OUTPUT, "            self.fail(error)\n", "            pass\n", OUTPUT_TESTS),
    Mutation(
        REPORT,
        "self._unprinted = 0\n\n\n",
        "pass\n\n\n",
        REPORT_TESTS,
    ),
    Mutation(
        "echod/client/ping/reports/live.py",
        "or not self._file.isBehind",
        "or True",
        "tests/client/ping/reports/test_live.py",
    ),
    Mutation(TIMER, "max(left - self._spin, 1)", "max(left, 1)", TIMER_TESTS),
    Mutation(TIMER, "max(left - self._spin, 1)", "max(left - self._spin, 0)", TIMER_TESTS),
    Mutation(TIMER, "self._isDue = left <= self._spin", "pass", TIMER_TESTS),
    Mutation(TIMER, "            close(self._descriptor)\n", "", TIMER_TESTS),
    Mutation(
        TRACKER,
        "self._newest = max(self._newest, probe.sequence)",
        "self._newest = probe.sequence",
        PROBE_TESTS,
    ),
    Mutation(
        MATCH, "sequence >= history.attempted", "sequence > history.attempted", PROBE_TESTS
    ),
    Mutation(MATCH, "chain(history.waiting(), history.lost(), ", "chain(", PROBE_TESTS),
    Mutation(
        MATCH,
        "return best if best and difference(best) <= CLOSE else None",
        "return best",
        PROBE_TESTS,
    ),
    Mutation(
        "echod/client/ping/mtu.py",
        "self._search.exclude(size)",
        "self._search.exclude(size + 1)",
        MTU_TESTS,
    ),
    Mutation(
        "echod/client/ping/plan.py",
        "-(-round(self.sending * SECOND) // round(self.interval * SECOND))",
        "round(self.sending * SECOND) // round(self.interval * SECOND)",
        "tests/client/test_options.py -k plan",
    ),
    Mutation(
        "echod/client/ping/verdict.py",
        "100 * missing > limits.loss * due",
        "100 * missing >= limits.loss * due",
        PINGER_TESTS,
    ),
    Mutation(
        "echod/client/ping/pinger.py",
        "return not (self.tracker.total.returned or self.plan.persistent)",
        "return not self.tracker.total.returned",
        PINGER_TESTS,
    ),
    Mutation(
        TRACKER,
        "self.failures += not tooBig",
        "pass",
        PINGER_TESTS,
    ),
    Mutation(
        "echod/client/ping/command.py",
        "max(each.outcome.status for each in targets)",
        "targets[0].outcome.status",
        "tests/client/test_commands.py -k severalTargets",
    ),
    Mutation(
        "echod/client/ping/stream.py",
        "max(self._pinger.plan.interval / 2, SHORTEST_PAUSE)",
        "self._pinger.plan.interval / 2",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/ping/stream.py",
        "_vanish if isTimeout(reason.value) else partial(_refuse, number)",
        "partial(_refuse, number)",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/ping/stream.py",
        "self._pinger.plan.persistent and isTransient(error)",
        "self._pinger.plan.persistent",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/ping/pinger.py",
        "self._failure if isOver else None",
        "self._failure",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/ping/protocols.py",
        "            self.setTimeout(self.pinger.plan.timeout)\n",
        "",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/ping/protocols.py",
        "        self.setTimeout(self.pinger.plan.timeout)\n        super()",
        "        super()",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/ping/protocols.py",
        "self._late or reason",
        "reason",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/ping/connections.py",
        "self.close()",
        "self.transport.loseConnection()  # type: ignore[union-attr]",
        "tests/client/ping/test_connections.py",
    ),
    Mutation(
        "echod/client/endpoints.py",
        "if isIPv6Address(target.host):",
        "if False:",
        "tests/client/test_options.py -k TargetTests",
    ),
    Mutation(
        "echod/client/ping/schedule.py",
        "if -left > LONGEST_DELAY and",
        "if False and",
        PINGER_TESTS,
    ),
    Mutation(
        "echod/client/ping/schedule.py",
        "if -left > LONGEST_DELAY and",
        "if -left > 0 and",
        PINGER_TESTS,
    ),
    Mutation(
        "echod/client/ping/protocols.py",
        "if not ISSLTransport.providedBy(self.transport):",
        "if True:",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/ping/opening.py",
        "nanoseconds if self._latest is None else self._latest",
        "nanoseconds",
        STREAM_TESTS,
    ),
    Mutation(
        "echod/client/exitstatus.py",
        "    if isSocket:",
        "    if not isSocket:",
        "tests/client/test_options.py -k unixSocket",
    ),
    Mutation(
        "echod/client/target.py",
        "and not _hasPort(words[0])",
        "",
        "tests/client/test_options.py -k several",
    ),
    Mutation(
        "echod/client/ping/addresses.py",
        "or not address.scopeID",
        "or True",
        "tests/client/ping/test_addresses.py",
    ),
    Mutation("echod/client/ping/mtu.py", "TRIES = 3", "TRIES = 2", MTU_TESTS),
    Mutation(
        "echod/client/ping/search.py",
        "self.largest < hint < limit",
        "self.largest < hint",
        MTU_TESTS,
    ),
    Mutation(TRACKER, "self.rejected += tooBig", "pass", MTU_TESTS),
    Mutation(
        "echod/client/ping/tracking/statistics.py",
        "return min(max(nearest, self.min), self.max)",
        "return nearest",
        PROBE_TESTS,
    ),
    Mutation(
        "echod/client/exitstatus.py",
        "errno.EHOSTUNREACH, errno.EHOSTDOWN,",
        "errno.EHOSTUNREACH,",
        "tests/client/test_options.py",
    ),
    Mutation(
        "echod/client/talk/lineeditor.py",
        "category(key[0]) != CONTROL",
        "key.isprintable()",
        "tests/client/talk/test_lineeditor.py",
    ),
    Mutation(
        "echod/client/talk/terminal.py",
        "os.kill(os.getpid(), signal.SIGSTOP)",
        "os.kill(os.getpid(), signal.SIGCONT)",
        TERMINAL_TESTS,
    ),
    Mutation(
        "echod/client/udpsocket.py",
        "(level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)",
        "True",
        "tests/client/test_datagrams.py",
    ),
]
