"""
The state of the services and their sessions, as plain data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from heapq import nlargest
from typing import Any

from echod.net.statistics import ServedSession
from echod.service.interfaces import EchoServer
from echod.service.listening import LISTENING, ListeningService

SHOWN_SESSIONS = 50
"""
How many of the busiest and how many of the newest sessions are shown: more than
anybody reads.
"""

Data = dict[str, Any]

Listening = ListeningService[EchoServer]


def serviceState(service: Listening) -> Data:
    """
    @return: The state and the statistics of a service, without single sessions.
    """
    return {
        "service": service.server.service,
        "address": service.place,
        "state": service.state,
        **service.server.statistics(),
    }


def withKeys(service: Data) -> Data:
    """
    @return: The state of a service with keys that C{jq} and other languages take without
        quotes: C{closed_by_peer} instead of C{closed by peer}.
    """
    return {
        name: {re.sub(r"\W+", "_", words): number for words, number in value.items()}
        if isinstance(value, dict)
        else value
        for name, value in service.items()
    }


def unready(services: Iterable[Listening]) -> list[str]:
    """
    @return: The reasons not to send new peers here; empty if there are none.
    """
    return [
        f"{service.server.service} on {service.place} is {service.state}"
        for service in services
        if service.state != LISTENING
    ]


def openSessions(services: Iterable[Listening]) -> dict[ServedSession, Listening]:
    """
    @return: All open sessions, each with its service.
    """
    return {session: service for service in services for session in service.server.sessions}


def sessionStates(
    services: Iterable[Listening], rate: Callable[[ServedSession], float], clock: float
) -> Data:
    """
    @param rate: Returns how many bytes per second a session receives.

    @param clock: The difference between the time of day and the reactor's time.

    @return: The number of open sessions, the busiest and the newest of them.
    """
    sessions = openSessions(services)

    def row(session: ServedSession) -> Data:
        service = sessions[session]
        return {
            "service": service.server.service,
            "address": service.place,
            "peer": session.peer,
            "since_unix_s": round(session.began + clock, 3),
            "received_bytes": session.received,
            "returned_bytes": session.returned,
            "received_bytes_per_s": round(rate(session)),
        }

    busiest = nlargest(
        SHOWN_SESSIONS, sessions, key=lambda session: (rate(session), session.received)
    )
    newest = nlargest(SHOWN_SESSIONS, sessions, key=lambda session: session.began)
    return {
        "open": len(sessions),
        "busiest": [row(session) for session in busiest],
        "newest": [row(session) for session in newest],
    }
