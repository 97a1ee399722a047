"""
Mutations of L{echod.config}, and of what its addresses listen with.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

ADDRESSES = "echod/config/addresses.py"
HOSTS = "echod/config/hosts.py"
HOSTNAMES = "echod/net/hostnames.py"
MULTI = "echod/service/multiendpoint.py"
LISTENING = "echod/tcp/listeningsocket.py"

_CONFIG = "tests/config tests/test_tap.py"
_HOSTS = "tests/config/test_hosts.py"
_HOSTNAMES = "tests/net/test_hostnames.py"
_MULTI = "tests/service/test_multiendpoint.py"
_LISTENING = "tests/tcp/test_listeningsocket.py"

MUTATIONS = [
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
    Mutation(MULTI, " and _number(error) not in EXHAUSTED", "", _MULTI),
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
]
