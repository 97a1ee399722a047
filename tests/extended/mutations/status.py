"""
Mutations of L{echod.status}, of the histogram that it shares with TCP, and of the log lines
about sessions.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

FACTORY = "echod/tcp/factory.py"
LINES = "echod/tcp/sessionlines.py"
SESSION = "echod/tcp/session.py"
HOSTS = "echod/net/httphosts.py"
APPEND = "echod/net/appendfile.py"

_LINES = "tests/tcp/test_sessionlines.py tests/tcp/test_factory.py"
_SESSION = "tests/tcp/test_session.py"
_MONITORING = "tests/config/test_monitoring.py"
_HOSTS = "tests/net/test_httphosts.py"
_APPEND = "tests/net/test_appendfile.py"
_STATUS = "tests/status --ignore=tests/status/test_daemon.py"

MUTATIONS = [
    Mutation(
        "echod/status/events.py",
        "        self._paused = False\n        self._skipped = 0\n\n    def stop",
        "        self._paused = False\n\n    def stop",
        _STATUS,
    ),
    Mutation("echod/status/snapshot.py", 're.sub(r"\\W+", "_", words)', "words", _STATUS),
    Mutation(
        "echod/status/monitor.py",
        "list(map(withKeys, self.services))",
        "self.services",
        _STATUS,
    ),
    Mutation(
        "echod/status/monitor.py",
        "self._reactor.seconds() - self._started",
        "self._started",
        _STATUS,
    ),
    Mutation(
        "echod/workers/child.py",
        "self._monitor.report",
        "self._monitor.latest",
        "tests/workers/test_child.py",
    ),
    Mutation(HOSTS, 'last == "localhost"', 'name.endswith("localhost")', _HOSTS),
    Mutation(HOSTS, "or last.isdigit()", "or labels[0].isdigit()", _HOSTS),
    Mutation(HOSTS, "            return ANY in self._names", "            return True", _HOSTS),
    Mutation(HOSTS, "self._names.isdisjoint((name, ANY))", "self._names", _HOSTS),
    Mutation(HOSTS, ".fullmatch(host.lower())", ".match(host.lower())", _HOSTS),
    Mutation(HOSTS, ".lower().rstrip", ".rstrip", _HOSTS),
    Mutation(HOSTS, "with suppress(OSError):", "with suppress(UnicodeError):", _HOSTS),
    Mutation(HOSTS, "        names.add(canonicalName(name))\n", "        pass\n", _HOSTS),
    Mutation(HOSTS, "for host in hosts if", "for host in hosts[:1] if", _STATUS),
    Mutation(
        "echod/status/request.py",
        'self.requestHeaders.setRawHeaders(b"host", [origin[1]])',
        "pass",
        _STATUS,
    ),
    Mutation("echod/status/httpserver.py", "            request.postpath = []\n", "", _STATUS),
    Mutation("echod/status/routes.py", "return withoutBody(request)", 'return b""', _STATUS),
    Mutation(
        "echod/config/monitoring.py",
        "*config.statusNames}",
        "}",
        _MONITORING,
    ),
    Mutation(
        "echod/config/monitoring.py",
        "*machineNames(gethostname()), ",
        "",
        _MONITORING,
    ),
    Mutation("echod/status/events.py", "self._skipped > PATIENCE", "False", _STATUS),
    Mutation(
        "echod/status/events.py",
        "        self._behind = True\n        self._skipped += 1",
        "        self._skipped += 1",
        _STATUS,
    ),
    Mutation("echod/status/events.py", "listeners.discard(self.show)", "listeners", _STATUS),
    Mutation(
        APPEND,
        "        self._descriptor = descriptor\n        self._torn = False",
        "        self._descriptor = descriptor",
        _APPEND,
    ),
    Mutation(APPEND, "= bool(rest)", "= False", _APPEND),
    Mutation(APPEND, 'getattr(os, "O_NONBLOCK", 0)', "0", _APPEND),
    Mutation(APPEND, "MODE = 0o640", "MODE = 0o644", _APPEND),
    Mutation(
        "echod/status/snapshot.py",
        "(rate(session), session.received)",
        "rate(session)",
        _STATUS,
    ),
    Mutation(
        "echod/status/snapshot.py", "lambda session: session.began", "lambda _: 0", _STATUS
    ),
    Mutation("echod/status/httpserver.py", "            self._turn.cancel()\n", "", _STATUS),
    Mutation(
        "echod/status/httpserver.py",
        "        if not self._waitingForTransport:",
        "        if True:",
        _STATUS,
    ),
    Mutation("echod/status/httpserver.py", "self.site.channels.discard(self)", "pass", _STATUS),
    Mutation("echod/status/monitor.py", "max(0.0, ", "max(-9.0, ", _STATUS),
    Mutation("echod/status/monitor.py", "more / self._elapsed", "more", _STATUS),
    Mutation("echod/status/monitor.py", "if name not in self._made:", "if True:", _STATUS),
    Mutation("echod/status/monitor.py", "        self._made.clear()\n", "", _STATUS),
    Mutation(
        "echod/status/routes.py",
        "return OPENMETRICS if contentType.startswith(OPENMETRICS) else",
        "return accept.decode() or",
        _STATUS,
    ),
    Mutation("echod/status/routes.py", ">= VIEWERS", "> VIEWERS", _STATUS),
    Mutation(
        "echod/status/sessionlog.py",
        "            self._waiting = None\n            self._writeDatagrams()",
        "            self._waiting = None",
        _STATUS,
    ),
    Mutation(
        "echod/net/histogram.py",
        "self.counts[bisect_left(self._bounds, value)]",
        "self.counts[-1]",
        "tests/net",
    ),
    Mutation(LINES, "rate is not None and not", "rate is None or not", _LINES),
    Mutation(LINES, "RateLimit(rate, BURST)", "RateLimit(rate)", _LINES),
    Mutation(LINES, "        self._timer = None\n        outcomes", "        outcomes", _LINES),
    Mutation(LINES, "        )\n        self._forget()", "        )", _LINES),
    Mutation(LINES, "            self._received += session.received\n", "", _LINES),
    Mutation("echod/limits/ratelimit.py", "max(burst, self._interval)", "burst", _LINES),
    Mutation(FACTORY, "            self.lines.flush()\n", "            pass\n", _LINES),
    Mutation(SESSION, "(isLost and not self.received)", "isLost", _SESSION),
    Mutation(SESSION, "(isLost and not self.received)", "not self.received", _SESSION),
    Mutation(SESSION, 'getattr(self.address, "isCheck", False)', "False", _SESSION),
    Mutation(
        "echod/config/build.py",
        "sessionLines / config.workers",
        "sessionLines",
        _MONITORING,
    ),
]
