"""
Faults of L{echod.tcp.goodbye}, and of the session that uses it.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

RULE = "echod/tcp/goodbye.py"
SEARCH = "echod/tcp/goodbyesearch.py"
TELNET = "echod/tcp/telnet.py"
SESSION = "echod/tcp/goodbyeecho.py"
RULE_TESTS = "tests/tcp/test_goodbye.py"
SESSION_TESTS = "tests/tcp/test_echo.py"


def _rule(old: str, new: str) -> Mutation:
    return Mutation(RULE, old, new, RULE_TESTS)


def _search(old: str, new: str) -> Mutation:
    return Mutation(SEARCH, old, new, f"{RULE_TESTS} tests/tcp/test_goodbyesearch.py")


def _telnet(old: str, new: str) -> Mutation:
    return Mutation(TELNET, old, new, f"{RULE_TESTS} tests/tcp/test_telnet.py")


def _session(old: str, new: str) -> Mutation:
    return Mutation(SESSION, old, new, SESSION_TESTS)


MUTATIONS = [
    _rule('last not in b"\\r\\0"', 'last not in b"\\r"'),
    _rule('last not in b"\\r\\0"', 'last not in b"\\0"'),
    _rule('last not in b"by"', 'last not in b"b"'),
    _rule("tail := segment[-LINE_SIZE:]", "tail := segment[-2:]"),
    _rule(" = afterFullRead", " = False"),
    _rule('b"\\n" if startsLine else b""', 'b"\\n"'),
    _rule("startsLine and tail[0] == IAC", "tail[0] == IAC"),
    _rule("unreturned[: max(0, len", "unreturned[: (len"),
    _rule('segment == b"bye" and not self._afterFullRead', 'segment == b"bye"'),
    _rule("len(segment if self._alone else self._word)", "len(self._word)"),
    _rule("self.over or self._alone)", "self.over)"),
    _rule('self._word == b"bye\\r")', "False)"),
    _rule('(b"bye", b"bye\\r")', '(b"bye",)'),
    _rule("            self._silent = False\n", ""),
    _rule('if not segment.startswith(b"\\0"):', "if True:"),
    _search("return match.start(1) - len(context)", "return match.start(1)"),
    _search("            found.append(place)\n", "            pass\n"),
    _search("        found += _afterLineEnds(segment)\n", "        pass\n"),
    _search("return byte in segment and contains", "return byte not in segment and contains"),
    _search(
        "starts = [end for end in LINE_ENDS if", "starts = [end for end in LINE_ENDS[:1] if"
    ),
    _search("for goodbye in GOODBYES if starts", "for goodbye in GOODBYES[:2] if starts"),
    _search("return min(found) if found", "return max(found) if found"),
    _search("if segment.endswith(LINE_ENDS, 0, place):", "if False:"),
    _search("if len(before) == place else before", "if False else before"),
    _search(
        "place > 2 and IAC not in segment[place - 3",
        "place > 2 and IAC not in segment[place - 2",
    ),
    _search("if place > 2 and", "if"),
    _search("if len(segment) <= SHORT:", "if False:"),
    _search("IAC in text[-7:]", "IAC in text[-6:]"),
    _search("text[-115:]", "text[-114:]"),
    _search("if len(text) == len(segment):", "if False:"),
    _search("            rest = text[-3:]\n", "            pass\n"),
    _search(
        '            context, word = b"\\n" + rest, rest\n',
        '            context = b"\\n" + rest\n',
    ),
    _telnet("[\\xf0-\\xf9]|[", "[\\xf1-\\xf9]|["),
    _telnet("[\\xfb-\\xfe].|", "[\\xfb-\\xff].|"),
    _telnet('text.replace(b"\\xff\\xff", b"  ")', "text"),
    _telnet("if newline > null else", "if newline < null else"),
    _telnet('LINE_SIZE = COMMANDS_SIZE + len(b"\\r\\0")', "LINE_SIZE = COMMANDS_SIZE"),
    _telnet("{0,60}", "{0,59}"),
    _telnet("{0,60}", "{0,61}"),
    _telnet("[\\xfb-\\xfe]\\r?|", "[\\xfb-\\xfe]|"),
    _search('        context = b"\\r"\n', "        pass\n"),
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
    _session(" or self._paused", ""),
    _session("            self._settle(self._rule.end())\n", "            pass\n"),
    _session("        self._rule.stop()\n", ""),
    _session("or not rule.undecided", "or not rule.withheld"),
    _session("self._last = last", "pass"),
    _session("self._last = NEWLINE if rule.startsLine else 0", "self._last = NEWLINE"),
    _session("self._last = NEWLINE if rule.startsLine else 0", "self._last = 0"),
    _session("                and IAC not in data\n", ""),
    _session('last not in b"by" and not', 'last not in b"b" and not'),
    _session('last not in b"by" and not', 'last not in b"y" and not'),
    _session('last not in b"by" and not contains(data, b"bye")', 'last not in b"by"'),
    _session(
        "            self._size = size\n            self.transport",
        "            self.transport",
    ),
    _session(
        "            self._size = size\n            self._settle", "            self._settle"
    ),
    _session("self._size % FULL_READ == 0", "False"),
    _session("(last == NEWLINE or last > CARRIAGE_RETURN)", "last >= CARRIAGE_RETURN"),
]
