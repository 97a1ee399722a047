"""
Faults of L{echod.udp}.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

GUARD = "echod/udp/guard.py"
BATCH = "echod/udp/batch.py"
BUFFERS = "echod/udp/buffers.py"
ENDPOINT = "echod/udp/endpoint.py"
GROUPS = "echod/udp/groups.py"
OPTIONS = "echod/udp/options.py"
PKTINFO = "echod/udp/pktinfo.py"

_GUARD = "tests/udp/test_guard.py"
_TTL = "tests/udp/test_ttl.py"
_OPTIONS = "tests/udp/test_options.py"
_NETWORKS = "tests/udp/test_networks.py"

MUTATIONS = [
    Mutation(
        GUARD,
        "        if port < self._lowestPort:\n",
        "        if self._rate is not None and self._rate.exceeded(host, now):\n"
        "            return OVER_RATE\n        if port < self._lowestPort:\n",
        "tests/udp/test_guard.py",
    ),
    Mutation(GUARD, "        self.version += 1\n", "", "tests/udp/test_batch.py"),
    Mutation(
        GUARD,
        "            return TO_GROUP\n",
        "            return None\n",
        "tests/udp/test_guard.py",
    ),
    Mutation(GUARD, " and not parsed(host).is_loopback", "", "tests/udp/test_guard.py"),
    Mutation(BATCH, "            self.cache.refresh()\n", "", "tests/udp/test_batch.py"),
    Mutation(BATCH, "if len(self) >= KNOWN_HOSTS:", "if False:", "tests/udp/test_batch.py"),
    Mutation(
        BATCH,
        "            return guard.overRate(host, now)\n",
        "            return None\n",
        "tests/udp/test_batch.py",
    ),
    Mutation(
        "echod/udp/echo.py",
        "            or self.sources is not None\n",
        "",
        "tests/udp/test_endpoint.py",
    ),
    # The TTL of answers.
    Mutation(GUARD, "range(193, ", "range(194, ", "tests/udp/test_guard.py"),
    Mutation(GUARD, "ANSWER_TTL + 1)", "ANSWER_TTL)", _TTL),
    Mutation(GUARD, "ANSWER_TTL = 224", "ANSWER_TTL = 223", "tests/udp/test_guard.py"),
    Mutation(
        BATCH,
        "*source, source.toGroup, source.ttl, now=now",
        "*source, source.toGroup, now=now",
        "tests/udp/test_batch.py",
    ),
    Mutation(
        "echod/udp/echo.py",
        "(addr.toGroup, addr.ttl) if",
        "(addr.toGroup,) if",
        _TTL,
    ),
    Mutation(
        BUFFERS,
        "self._answerControl + _TTL_LENGTH",
        "self._answerControl",
        "tests/udp/test_batch.py",
    ),
    Mutation(BUFFERS, "len(received) <= self._control and ", "", "tests/udp/test_batch.py"),
    Mutation(
        BUFFERS,
        " and control[: self._answerControl] == answer",
        "",
        "tests/udp/test_batch.py",
    ),
    Mutation(BUFFERS, "max(-(-length // 8) * 8, ", "max(length, ", "tests/udp/test_batch.py"),
    Mutation(PKTINFO, "local not in (destination, bytes(4))", "local != destination", _TTL),
    Mutation(
        PKTINFO, "if not address.is_link_local:", "if False:", "tests/udp/test_pktinfo.py"
    ),
    Mutation(
        PKTINFO,
        "            source.transport = self\n",
        "",
        "tests/udp/test_pktinfo.py",
    ),
    # Socket options.
    Mutation(
        OPTIONS, "families = {skt.family, socket.AF_INET}", "families = {skt.family}", _TTL
    ),
    Mutation(
        OPTIONS,
        '("IP_MTU_DISCOVER", socket.IPPROTO_IP, 10, 0)',
        '("IP_MTU_DISCOVER", socket.IPPROTO_IP, 10, 1)',
        f"{_NETWORKS} -k smallMTU",
    ),
    Mutation(
        OPTIONS,
        "        except OSError:\n            names.append(name)",
        "        except ZeroDivisionError:\n            names.append(name)",
        _OPTIONS,
    ),
    Mutation(OPTIONS, "            names.append(name)\n", "            pass\n", _OPTIONS),
    Mutation(OPTIONS, "        self._names.update(new)\n", "", _OPTIONS),
    Mutation(
        PKTINFO,
        "            self.missing += serveIPv4(skt)\n",
        "            pass\n",
        "tests/udp/test_pktinfo.py",
    ),
    Mutation(BATCH, "ctypes.get_errno() != errno.EBADF", "False", "tests/udp/test_batch.py"),
    # Groups.
    Mutation(
        GROUPS, "return error.errno == errno.EACCES", "return False", "tests/udp/test_groups.py"
    ),
    Mutation(
        ENDPOINT,
        "        _refuseGroup(interface, self._port)\n",
        "",
        "tests/udp/test_endpoint.py",
    ),
    Mutation(
        ENDPOINT,
        "        _refuseGroup(*skt.getsockname()[:2])\n",
        "        pass\n",
        "tests/udp/test_endpoint.py",
    ),
    Mutation(
        ENDPOINT,
        'str(parsed(self._interface)) if self._interface else ""',
        "self._interface",
        "tests/udp/test_endpoint.py",
    ),
    Mutation(
        "echod/udp/echo.py",
        "            reason = TO_GROUP\n",
        "            reason = SEND_ERROR\n",
        "tests/udp/test_echo.py",
    ),
    # The rate.
    Mutation(GUARD, "sourceOf(host)", "host", "tests/udp/test_guard.py"),
    Mutation(
        GUARD,
        "(address.version == 4 and onThisMachine(host, now))",
        "onThisMachine(host, now)",
        f"{_NETWORKS} -k ownAddresses",
    ),
    Mutation(
        GUARD,
        "1 if answerReservedPorts else RESERVED",
        "0 if answerReservedPorts else RESERVED",
        "tests/udp/test_guard.py",
    ),
]
