"""
Mutations of L{echod.service}, and of the files that it logs to.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

_FILES = "tests/net/test_appendfile.py"
_STREAMS = "tests/service/test_logstream.py tests/config/test_log.py"
_SOCKETS = "tests/net/test_unixsockets.py"
_NOTIFIER = "tests/service/test_sdnotify.py"
_SERVICE = "echod/service/echoservice.py"
_ECHO = "tests/service/test_echoservice.py"
_LISTENING = "tests/service/test_listening.py"
_SIGNALS = "tests/service/test_signals.py -k SignalsTests"
_IMPORTS = "tests/test_lateimports.py"

MUTATIONS = [
    Mutation("echod/net/appendfile.py", "if not self._poll.poll(0):", "if False:", _FILES),
    Mutation("echod/net/appendfile.py", "data[: select.PIPE_BUF]", "data", _FILES),
    Mutation(
        "echod/net/appendfile.py", "stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)", "True", _FILES
    ),
    Mutation("echod/service/logstream.py", "if self._file.lost == lost:", "if True:", _STREAMS),
    Mutation("echod/service/logstream.py", " and not self._reporting", "", _STREAMS),
    Mutation("echod/service/logstream.py", '"utf-8", "backslashreplace"', '"utf-8"', _STREAMS),
    Mutation("echod/service/logstream.py", "os.path.samestat(found, own)", "True", _STREAMS),
    Mutation(
        "echod/service/logstream.py",
        "return stat.S_ISREG(own.st_mode) and ",
        "return ",
        _STREAMS,
    ),
    Mutation(
        "echod/net/unixsockets.py", "result != errno.ECONNREFUSED", "result == 0", _SOCKETS
    ),
    Mutation("echod/net/unixsockets.py", "client.setblocking(False)", "pass", _SOCKETS),
    Mutation(
        "echod/net/unixsockets.py",
        "stat.S_ISSOCK(os.lstat(path)",
        "stat.S_ISSOCK(os.stat(path)",
        _SOCKETS,
    ),
    Mutation(
        "echod/net/unixsockets.py", "    fcntl.flock(directory, fcntl.LOCK_EX)\n", "", _SOCKETS
    ),
    Mutation(
        "echod/net/unixsockets.py",
        "if locked and os.path.lexists(lock)",
        "if os.path.lexists(lock)",
        _SOCKETS,
    ),
    Mutation("echod/service/sdnotify.py", "skt.setblocking(False)", "pass", _NOTIFIER),
    Mutation(
        "echod/service/listening.py",
        "    def _listen(self) -> None:\n        self._left = False\n",
        "    def _listen(self) -> None:\n",
        _LISTENING,
    ),
    Mutation("echod/service/listening.py", "portInUse(failure.value)", "8080", _LISTENING),
    Mutation("echod/service/explain.py", 'error), "errno"', '0), "errno"', _LISTENING),
    Mutation(_SERVICE, 'if not getattr(service, "inUse", 0):', "if False:", _ECHO),
    Mutation(_SERVICE, "if self.observers.running else [self, self.observers]", "", _ECHO),
    Mutation("echod/service/signals.py", "!= signal.SIG_IGN", "!= 5", _SIGNALS),
    Mutation(
        "echod/service/signals.py",
        "if signal.getsignal(number) == theirs:",
        "if True:",
        _SIGNALS,
    ),
    Mutation(
        "echod/net/format.py",
        "repr(character)[1:-1]",
        'character.encode("unicode_escape").decode("ascii")',
        _IMPORTS,
    ),
]
