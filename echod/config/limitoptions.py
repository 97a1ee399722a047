"""
The options that say whom the servers serve, and how much.
"""

from __future__ import annotations

from twisted.python import usage

from echod.config.values import naming, network, parameter, seconds
from echod.limits.capacity import DRAIN_TIMEOUT, IDLE_TIMEOUT
from echod.limits.ratelimit import UDP_RATE
from echod.net.quantities import wholeNumber

NETWORKS = ("allow", "deny", "proxy-from")


class LimitOptions(usage.Options):
    """
    The limits, and the networks that are served.
    """

    optParameters = [
        parameter(
            "max-connections",
            0,
            "Take at most NUMBER connections at a time for each --tcp and --greeting; 0 for as "
            "many as the limit of open files leaves room for, which is what all of them have "
            "together.",
            wholeNumber,
        ),
        parameter(
            "max-per-source",
            0,
            "Take at most NUMBER connections at a time from one IPv4 address or one IPv6 /64; "
            "0 for any number, as many people may share one address.",
            wholeNumber,
        ),
        parameter(
            "connect-rate",
            0,
            "Take at most NUMBER new connections a second from one IPv4 address or one IPv6 "
            "/64, and as many at once after a quiet second; 0 for any number. This machine's "
            "own addresses have the same limit.",
            wholeNumber,
        ),
        parameter(
            "idle-timeout",
            IDLE_TIMEOUT,
            "Close a session in which nothing comes or goes for SECONDS, longer than a person "
            "pauses; 0 is never.",
            seconds,
        ),
        parameter(
            "drain-timeout",
            DRAIN_TIMEOUT,
            "When stopped, let sessions have back what they have sent for up to SECONDS, well "
            "below what systemd and Kubernetes wait for.",
            seconds,
        ),
        parameter(
            "udp-rate",
            UDP_RATE,
            "Answer at most NUMBER datagrams a second to one IPv4 address or one IPv6 /64, far "
            "more than measuring needs and too few for a flood; 0 for any number. This "
            "machine's own IPv4 addresses and ::1 have no limit.",
            wholeNumber,
        ),
    ]

    optFlags = [
        [
            "answer-reserved-ports",
            None,
            "Answer datagrams from ports below 1024, which other echo servers may have sent; "
            "some clients and scanners use such ports.",
        ],
    ]

    def opt_allow(self, value: str) -> None:
        """
        Serve NETWORK (192.0.2.0/24), and only allowed ones. Can be given again.
        """
        self._addNetwork("allow", value)

    def opt_deny(self, value: str) -> None:
        """
        Do not serve NETWORK. The most specific one counts. Can be given again.
        """
        self._addNetwork("deny", value)

    def opt_proxy_from(self, value: str) -> None:
        """
        With haproxy:, take connections and their PROXY headers only from NETWORK, where the
        proxies are; without this, from everyone. Can be given again.
        """
        self._addNetwork("proxy-from", value)

    def _addNetwork(self, option: str, value: str) -> None:
        with naming(option, value):
            self[option].append(network(value))
