"""
Mutations of L{echod.config}, and of what its addresses listen with.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

ADDRESSES = "echod/config/addresses.py"
BUILD = "echod/config/build.py"
FREE_PORTS = "echod/config/freeports.py"
MONITORING = "echod/config/monitoring.py"
OPTIONS = "echod/config/options.py"
REACTOR = "echod/config/reactor.py"
VALUES = "echod/config/values.py"
WORDS = "echod/config/words.py"
HOSTS = "echod/config/hosts.py"
HOSTNAMES = "echod/net/hostnames.py"
MULTI = "echod/service/multiendpoint.py"
LISTENING = "echod/tcp/listeningsocket.py"

_CONFIG = "tests/config"
_BAD = "tests/config/test_badvalues.py"
_BUILD = "tests/config/test_build.py"
_FREE_PORTS = "tests/config/test_freeports.py"
_LIMITS = "tests/config/test_limits.py"
_MONITORING = "tests/config/test_monitoring.py"
_OPTIONS = "tests/config/test_options.py"
_REACTOR = "tests/config/test_reactor.py"
_WORDS = "tests/config/test_words.py"
_WORKERS = "tests/config/test_workers.py"
_HOSTS = "tests/config/test_hosts.py"
_HOSTNAMES = "tests/net/test_hostnames.py"
_MULTI = "tests/service/test_multiendpoint.py"
_LISTENING = "tests/tcp/test_listeningsocket.py"

MUTATIONS = [
    Mutation(FREE_PORTS, "if not any(name[2:] in SERVERS", "if any(name[2:] == 0", _FREE_PORTS),
    Mutation(FREE_PORTS, "inUse[name].pop(0)", "inUse[name][0]", _FREE_PORTS),
    Mutation(FREE_PORTS, r"(?![^[]*\])", "", _FREE_PORTS),
    Mutation(FREE_PORTS, "which(name) == script", "which(name)", _FREE_PORTS),
    Mutation(FREE_PORTS, "which(script) != script", "not which(script)", _FREE_PORTS),
    Mutation(FREE_PORTS, "0*{port}", "{port}", _FREE_PORTS),
    Mutation(FREE_PORTS, r"(?<!\\:)", "", _FREE_PORTS),
    Mutation(FREE_PORTS, "(port=)?", r"(\w+=)?", _FREE_PORTS),
    Mutation(FREE_PORTS, "if value == busy", "if False", _FREE_PORTS),
    Mutation(FREE_PORTS, " or [*program, *options.arguments] != [*whole]", "", _FREE_PORTS),
    Mutation(REACTOR, "raise SystemExit(f", "raise ImportError(f", _REACTOR),
    Mutation(ADDRESSES, 'thisMachine=value == match["port"]', "thisMachine=True", _CONFIG),
    Mutation(ADDRESSES, "and isKind(", "and not isKind(", _CONFIG),
    Mutation(
        ADDRESSES,
        "address.thisMachine and not ip_address(address.host).is_loopback",
        "False",
        "tests/config/test_addresses.py",
    ),
    Mutation(HOSTS, "if not ip_address(host).is_link_local", "", _HOSTS),
    Mutation(HOSTS, "[LOOPBACK, LOOPBACK6, *extra]", "[LOOPBACK, *extra]", _HOSTS),
    Mutation(HOSTS, "    @cache\n", "", _HOSTS),
    Mutation(HOSTNAMES, "address.is_unspecified or ", "", _HOSTNAMES),
    Mutation(HOSTNAMES, "(OSError, UnicodeError)", "OSError", _HOSTNAMES),
    Mutation(HOSTNAMES, ", socket.AI_CANONNAME)", ")", _HOSTNAMES),
    Mutation(HOSTNAMES, "timeout=patience", "timeout=None", _HOSTNAMES),
    Mutation(HOSTNAMES, "str(mapped or host)", "host", _HOSTNAMES),
    Mutation(MULTI, "port = ports[0].getHost().port", "pass", _MULTI),
    Mutation(MULTI, "                MultiPort(ports).stopListening()\n", "", _MULTI),
    Mutation(MULTI, " and errorNumber(error) not in EXHAUSTED", "", _MULTI),
    Mutation(MULTI, "host != self._required and", "True and", _MULTI),
    Mutation(LISTENING, "socket.SO_OOBINLINE, 1)", "socket.SO_OOBINLINE, 0)", _LISTENING),
    Mutation(
        "echod/tcp/thismachine.py",
        "self._refusals.add(DENIED, addressName(addr))",
        "pass",
        "tests/tcp/test_thismachine.py",
    ),
    Mutation(
        "echod/udp/thismachine.py",
        "not parsed(host).is_loopback or ",
        "",
        "tests/udp/test_thismachine.py",
    ),
    Mutation(
        "echod/udp/echo.py",
        "self.guard.closed(self._ports.pop(0))",
        "self.guard.closed(self._ports.pop())",
        "tests/udp/test_echo.py",
    ),
    Mutation(
        "echod/config/build.py",
        "ThisMachineGuard(guard) if address.thisMachine else guard",
        "guard",
        "tests/config/test_addresses.py",
    ),
    Mutation(VALUES, " {quoted(value)}", "", _BAD),
    Mutation(VALUES, "wholeNumber(value, 1, MOST_WORKERS)", "int(value)", _BAD),
    Mutation(VALUES, "ip_network(value)", "ip_network(value, strict=False)", _BAD),
    Mutation(VALUES, "        return inf\n", "        return 0\n", _MONITORING),
    Mutation(VALUES, "len(os.sched_getaffinity(0))", "os.cpu_count() or 1", _WORKERS),
    Mutation(VALUES, "number > 1 and not spreads", "False", _WORKERS),
    Mutation(OPTIONS, '"twistd" if "nodaemon" in self.parent else ', "", _OPTIONS),
    Mutation(OPTIONS, "not hasOption(self.parent, option)", "False", "tests/test_main.py"),
    Mutation(OPTIONS, "printable(str(error))", "str(error)", _BAD),
    Mutation(OPTIONS, 'Networks(self["allow"], self["deny"])', "pass", _BAD),
    Mutation(OPTIONS, "(*status, *sum(servers.values(), ()))", "status", _WORDS),
    Mutation(OPTIONS, '"surrogateescape"', '"ignore"', _BUILD),
    Mutation(OPTIONS, 'raise SystemExit(f"echod: {p', 'raise ValueError(f"echod: {p', _OPTIONS),
    Mutation(BUILD, "Capacity(most, shared) if most else shared", "shared", _LIMITS),
    Mutation(BUILD, "RateLimit(config.udpRate) if config.udpRate else None", "None", _LIMITS),
    Mutation(BUILD, "isinstance(reactor, SelectReactor)", "False", _LIMITS),
    Mutation(BUILD, "        answerReservedPorts=config.answerReservedPorts,\n", "", _LIMITS),
    Mutation(BUILD, "Networks(config.allowed, config.denied)", "Networks()", _LIMITS),
    Mutation(BUILD, "hosts, config.proxies)", "hosts)", _LIMITS),
    Mutation(BUILD, "if server not in config.impairments", "if True", _BUILD),
    Mutation(BUILD, "SourceStatistics() if config.sessionLog else None", "None", _MONITORING),
    Mutation(MONITORING, "*listenedOn, ", "", _MONITORING),
    Mutation(MONITORING, "    service.onReopen.append(log.reopen)\n", "", _MONITORING),
    Mutation(MONITORING, "note = proxyNote(config, address.text)", 'note = ""', _MONITORING),
    Mutation(WORDS, "if config.proxyFrom:", "if not config.proxyFrom:", _WORDS),
    Mutation(WORDS, '" * (workers > 1)', '" * (workers > 9)', _WORDS),
    Mutation(
        "echod/config/config.py",
        "-(-self.maxConnections // self.workers)",
        "self.maxConnections // self.workers",
        _WORKERS,
    ),
    Mutation(REACTOR, "    if ownsProcess:\n", "    if True:\n", _REACTOR),
    Mutation(REACTOR, "if ownsProcess and ", "if ", _REACTOR),
    Mutation(REACTOR, "suppress(ImportError)", "suppress(ValueError)", _REACTOR),
    Mutation(
        "echod/tap.py",
        "if config.ownsProcess else None",
        "if environ else None",
        "tests/test_tap.py",
    ),
]
