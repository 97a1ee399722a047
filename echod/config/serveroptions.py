"""
The options for the servers and their addresses.
"""

from __future__ import annotations

from twisted.python import usage

from echod.config.values import naming, parameter, workers
from echod.impair.options import ImpairmentOptions
from echod.tcp.greeting import GREETING

DEFAULT_PORTS = {"greeting": "9999", "tcp": "8080", "udp": "8080"}
"""
The ports of the article.
"""


class ServerOptions(usage.Options):
    """
    The servers, their addresses, and their answers.
    """

    optParameters = [
        [
            "greeting-text",
            None,
            GREETING.decode().rstrip(),
            "Greet with TEXT and a line ending. '{peer}' stands for the address of the peer, "
            "and '{host}' for the name of this machine. '{{peer}}' sends '{peer}'.",
        ],
        parameter(
            "workers",
            1,
            "Share the work among NUMBER processes; 'auto' starts one for each core. Without "
            "a terminal, SIGHUP replaces them one by one.",
            workers,
        ),
    ]

    optFlags = [
        ["no-goodbye", None, "Return everything (RFC 862): 'bye' does not end a session."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.impairments = ImpairmentOptions()

    def opt_greeting(self, address: str) -> None:
        """
        On connections to ADDRESS, send a greeting and close. Can be given again.
        """
        self["greeting"].append(address)

    def opt_tcp(self, address: str) -> None:
        """
        Echo on TCP at ADDRESS, until the peer sends 'bye'. Can be given again.
        """
        self["tcp"].append(address)

    def opt_udp(self, address: str) -> None:
        """
        Echo UDP datagrams at ADDRESS. Can be given again.
        """
        self["udp"].append(address)

    def opt_impair(self, specification: str) -> None:
        """
        Cause delays, losses and other faults, as SPEC says; see below. Can be given
        again.
        """
        with naming("impair"):
            self.impairments.add(specification)
