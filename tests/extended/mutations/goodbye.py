"""
Faults of L{echod.tcp.goodbye}, and of the session that uses it.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

RULE = "echod/tcp/goodbye.py"
SESSION = "echod/tcp/goodbyeecho.py"
RULE_TESTS = "tests/tcp/test_goodbye.py"
SESSION_TESTS = "tests/tcp/test_echo.py"


def _rule(old: str, new: str) -> Mutation:
    return Mutation(RULE, old, new, RULE_TESTS)


def _session(old: str, new: str) -> Mutation:
    return Mutation(SESSION, old, new, SESSION_TESTS)


MUTATIONS = [
    _rule('last not in b"\\r\\0"', 'last not in b"\\r"'),
    _rule('last not in b"\\r\\0"', 'last not in b"\\0"'),
    _rule('last not in b"by"', 'last not in b"b"'),
    _rule("            and len(segment) < FULL_READ\n", ""),
    _rule("tail = segment[-COMMANDS_SIZE:]", "tail = segment[-2:]"),
    _rule(
        '            self._context = b"\\n" if last == NEWLINE else b""\n',
        '            self._context = b""\n',
    ),
    _rule("unreturned[: max(0, len", "unreturned[: (len"),
    _rule('segment == b"bye" and not self._afterFullRead', 'segment == b"bye"'),
    _rule("len(segment if self._alone else self._word)", "len(self._word)"),
    _rule("not (size or self._afterFullRead)", "not size"),
    _rule("not (size or self._afterFullRead)", "not self._afterFullRead"),
    _rule('self._word == b"bye\\r")', "False)"),
    _rule('(b"bye", b"bye\\r")', '(b"bye",)'),
    _rule("            self._silent = False\n", ""),
    _rule('if not segment.startswith(b"\\0"):', "if True:"),
    _rule(
        'contains(text, b"bye\\n") or contains(text, b"bye\\r")', 'contains(text, b"bye\\n")'
    ),
    _rule("min(places, default=-1)", "max(places, default=-1)"),
    _rule("        places += _goodbyesAfterCommands(text)\n", "        pass\n"),
    _rule("place + 1)\n            if place < 0", "place + 9)\n            if place < 0"),
    _rule("                size -= len(match[0])\n", ""),
    _rule("_JOIN_SIZE = COMMANDS_SIZE + len", "_JOIN_SIZE = len"),
    _rule("return place - len(context)", "return place"),
    _rule("if len(text) == len(segment):", "if False:"),
    _rule('end + b"\\xff", 0, place)', 'end + b"\\xff", 0, place - 1)'),
    _rule("[\\xf0-\\xf9]|[", "[\\xf1-\\xf9]|["),
    _rule("[\\xfb-\\xfe].|", "[\\xfb-\\xff].|"),
    _rule('        context = b"\\r"\n', "        pass\n"),
    _rule('        if rest.startswith(b"b"):\n', "        if False:\n"),
    _session("        if pieces > 1:\n", "        if pieces:\n"),
    _session("        if pieces > 1:\n", "        if False:\n"),
    _session(
        "        if reply:\n            self._pieces = 0\n",
        "",
    ),
    _session(
        "        self.factory.silent.discard(self)\n        self.factory.silence.add",
        "        self.factory.silence.add",
    ),
    _session("        self._pieces = 0\n        self.factory.silence.discard(self)\n", ""),
    _session(
        "if self._paused or not self._goodbye.undecided", "if not self._goodbye.undecided"
    ),
    _session("            self._settle(self._goodbye.end())\n", "            pass\n"),
    _session("        self._goodbye.stop()\n", ""),
    _session("not self._goodbye.undecided or", "not self._goodbye.withheld or"),
]
