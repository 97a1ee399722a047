"""
The options for limits and networks.
"""

from __future__ import annotations

from twisted.python import usage

from echod.config.values import naming, network, parameter
from echod.limits.capacity import DRAIN_TIMEOUT, IDLE_TIMEOUT
from echod.limits.ratelimit import UDP_RATE
from echod.net.quantities import duration, wholeNumber

NETWORKS = ("allow", "deny", "proxy-from")


class LimitOptions(usage.Options):
    """
    Limits, and the networks whose peers are served.
    """

    optParameters = [
        parameter(
            "max-connections",
            0,
            "Serve at most NUMBER connections at a time on each --tcp and --greeting. With 0, "
            "only the limit of open files counts, for all of them together.",
            wholeNumber,
        ),
        parameter(
            "max-per-source",
            0,
            "Serve at most NUMBER connections at a time from one IPv4 address or one IPv6 "
            "/64. 0 means no limit: many people may share one address.",
            wholeNumber,
        ),
        parameter(
            "connect-rate",
            0,
            "Accept at most NUMBER new connections a second from one IPv4 address or one IPv6 "
            "/64, on each --tcp and --greeting. After a quiet second, as many may come at "
            "once. 0 means no limit. The machine's own addresses have the same limit.",
            wholeNumber,
        ),
        parameter(
            "idle-timeout",
            IDLE_TIMEOUT,
            "Close a session after DURATION without data in either direction. 0 means never.",
            duration,
        ),
        parameter(
            "drain-timeout",
            DRAIN_TIMEOUT,
            "After a stop, continue for up to DURATION to return what peers have sent. systemd "
            "and Kubernetes wait longer than the default.",
            duration,
        ),
        parameter(
            "udp-rate",
            UDP_RATE,
            "Answer at most NUMBER datagrams a second from one IPv4 address or one IPv6 /64. "
            "The default is enough for measurements and too little for a flood. 0 means no "
            "limit. The machine's own IPv4 addresses and ::1 have no limit.",
            wholeNumber,
        ),
    ]

    optFlags = [
        [
            "answer-reserved-ports",
            None,
            "Also answer datagrams from ports below 1024. Some clients and scanners use such "
            "ports. Other echo servers use them too: two servers could answer each other for "
            "ever.",
        ],
    ]

    def opt_allow(self, value: str) -> None:
        """
        Serve only peers in NETWORK (192.0.2.0/24). Can be given again.
        """
        self._addNetwork("allow", value)

    def opt_deny(self, value: str) -> None:
        """
        Do not serve peers in NETWORK. If a peer is in several networks of --allow and
        --deny, the smallest one decides. Can be given again.
        """
        self._addNetwork("deny", value)

    def opt_proxy_from(self, value: str) -> None:
        """
        With haproxy:, accept connections with PROXY headers only from proxies in
        NETWORK. Without this option, everyone may send such headers. Can be given
        again.
        """
        self._addNetwork("proxy-from", value)

    def _addNetwork(self, option: str, value: str) -> None:
        with naming(option, value):
            self[option].append(network(value))
