"""
Faults of L{echod.limits} and of what TCP does with limits: PROXY headers and TLS.
"""

from __future__ import annotations

from tests.extended.mutations import Mutation

CAPACITY = "echod/limits/capacity.py"
DESCRIPTORS = "echod/limits/descriptors.py"
NETWORKS = "echod/limits/networks.py"
RATE = "echod/limits/ratelimit.py"
REFUSALS = "echod/limits/refusals.py"
MACHINE = "echod/limits/thismachine.py"
ENDPOINTS = "echod/tcp/endpoints.py"
HEADER = "echod/tcp/proxyheader.py"
PEER = "echod/tcp/proxypeer.py"
PROXY = "echod/tcp/proxyprotocol.py"
TLS = "echod/tcp/tls.py"
FORMAT = "echod/net/format.py"

TEST_CAPACITY = "tests/limits/test_capacity.py"
TEST_DESCRIPTORS = "tests/limits/test_descriptors.py"
TEST_NETWORKS = "tests/limits/test_networks.py"
TEST_RATE = "tests/limits/test_ratelimit.py"
TEST_REFUSALS = "tests/limits/test_refusals.py"
TEST_MACHINE = "tests/limits/test_thismachine.py"
TEST_ENDPOINTS = "tests/tcp/test_endpoints.py"
TEST_FACTORY = "tests/tcp/test_factory.py"
TEST_HEADER = "tests/tcp/test_proxyheader.py"
TEST_PEER = "tests/tcp/test_proxypeer.py"
TEST_PROXY = "tests/tcp/test_proxyprotocol.py"
TEST_TLS = "tests/tcp/test_tls.py"

MUTATIONS = [
    Mutation(RATE, " + self._interval / 2", "", TEST_RATE),
    Mutation(RATE, " + self._interval / 2", " + self._interval", TEST_RATE),
    Mutation(RATE, "        reaches.move_to_end(source)\n", "", TEST_RATE),
    Mutation(RATE, "            reach = before\n", "            pass\n", TEST_RATE),
    Mutation(MACHINE, "now // ADDRESSES_AGE", "0", TEST_MACHINE),
    Mutation(MACHINE, "now // ADDRESSES_AGE", "now", TEST_MACHINE),
    Mutation(MACHINE, "self._sourceFor(str(address))", "self._sourceFor(host)", TEST_MACHINE),
    Mutation(CAPACITY, "self.most <= self.taken", "self.most < self.taken", TEST_CAPACITY),
    Mutation(CAPACITY, "HOST_NETWORK = 64", "HOST_NETWORK = 63", TEST_FACTORY),
    Mutation(DESCRIPTORS, " - self.connections.taken", "", TEST_DESCRIPTORS),
    Mutation(DESCRIPTORS, "(workers + 1) * PIPES", "workers * PIPES", TEST_DESCRIPTORS),
    Mutation(DESCRIPTORS, "len(os.listdir(path)) - 1", "0", TEST_DESCRIPTORS),
    Mutation(DESCRIPTORS, " and self._needed", "", TEST_DESCRIPTORS),
    Mutation(DESCRIPTORS, "max(share, 1)", "share", TEST_DESCRIPTORS),
    Mutation(DESCRIPTORS, "room -= self._pages * self.page.most", "pass", TEST_DESCRIPTORS),
    Mutation(NETWORKS, "-network.prefixlen)", "network.prefixlen)", TEST_NETWORKS),
    Mutation(
        NETWORKS,
        "set(map(_unmapped, allowed)), set(map(_unmapped, denied))",
        "set(allowed), set(denied)",
        TEST_NETWORKS,
    ),
    Mutation(
        REFUSALS,
        "            self._wait(reason)\n\n    def _l",
        "            pass\n\n    def _l",
        TEST_REFUSALS,
    ),
    Mutation(FORMAT, "host = str(parsed(host))", "pass", "tests/net/test_format.py"),
    Mutation(HEADER, "if text != str(port):", "if False:", TEST_HEADER),
    Mutation(HEADER, 'if "%" in line:', "if False:", TEST_HEADER),
    Mutation(
        HEADER, "address = parsed(host)", "address = ipaddress.ip_address(host)", TEST_HEADER
    ),
    Mutation(HEADER, "if UNSPECIFIED in (family, protocol):", "if not family:", TEST_HEADER),
    Mutation(HEADER, "if size > limit:", "if size >= limit:", TEST_HEADER),
    Mutation(PEER, "None if trusted else host", "None", TEST_PEER),
    Mutation(PEER, "(trusted and host and", "(host and", TEST_PEER),
    Mutation(PEER, "host = host and str(parsed(host))", "pass", TEST_PEER),
    Mutation(PEER, '{addressName(proxy)}", host)', '{addressName(proxy)}", None)', TEST_PROXY),
    Mutation(
        PROXY,
        "        # The drain of the service may wait for this connection alone.\n"
        "        self.factory.settled()\n",
        "",
        TEST_PROXY,
    ),
    Mutation(
        PROXY,
        "        if host is not None and self.proxies is not None",
        "        if self.capacity.full:\n"
        "            self.refuse(NO_ROOM, addr)\n"
        "            return None\n"
        "        if host is not None and self.proxies is not None",
        TEST_PROXY,
    ),
    Mutation(PROXY, "if not unread(self.transport):", "if True:", TEST_PROXY),
    Mutation(PROXY, "self.factory.capacity.take(-1)", "pass", TEST_PROXY),
    Mutation(ENDPOINTS, "kind.lower() not in PROXIED", "kind not in PROXIED", TEST_ENDPOINTS),
    Mutation(
        ENDPOINTS, "description.lower().startswith", "description.startswith", TEST_ENDPOINTS
    ),
    Mutation(TLS, "self._heard and not self._aborted", "not self._aborted", TEST_TLS),
    Mutation(TLS, "self._heard and not self._aborted", "self._heard", TEST_TLS),
    Mutation(TLS, "        self._failHandshake(LATE)\n", "", TEST_TLS),
    Mutation(
        TLS, "            raise WantReadError from None\n", "            raise\n", TEST_TLS
    ),
    Mutation(TLS, "                self._waitNoMore()\n", "                pass\n", TEST_TLS),
]
