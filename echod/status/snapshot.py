"""
What there is now, as plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import nlargest
from typing import Any

from echod.impair.tcp import ImpairedSessions
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.service.echoservice import LISTENING, ListeningService
from echod.tcp.factory import SessionFactory
from echod.tcp.session import Session
from echod.udp.echo import UDPEchoProtocol

SHOWN_SESSIONS = 50
"""
How many sessions are shown one by one, of those that have some right to it:
more than anybody reads.
"""

SESSIONS = "sessions"
DATAGRAMS = "datagrams"

Data = dict[str, Any]


def serverOf(service: ListeningService) -> SessionFactory | UDPEchoProtocol:
    """
    @return: What does the work of a service, and counts it.
    """
    server = service.server
    assert isinstance(server, (SessionFactory, UDPEchoProtocol))
    return server


def ofService(service: ListeningService) -> Data:
    """
    @return: All there is to say about one service, except about each of its
        sessions.
    """
    server = serverOf(service)
    common = {
        "service": server.service,
        "address": service.place,
        "state": service.state,
        "receivedBytes": server.received,
        "returnedBytes": server.returned,
        "refused": dict(server.refusals.counts),
        **_ofImpairments(server),
    }
    if isinstance(server, SessionFactory):
        return common | _ofSessions(server)
    return common | _ofDatagrams(server)


def _ofImpairments(server: SessionFactory | UDPEchoProtocol) -> Data:
    if isinstance(server, (ImpairedSessions, ImpairedUDPEchoProtocol)):
        return {"impairments": str(server.impairments), "impaired": dict(server.impaired)}
    return {"impairments": None, "impaired": {}}


def _ofSessions(server: SessionFactory) -> Data:
    ended = server.ended
    return {
        "kind": SESSIONS,
        "open": len(server.sessions),
        "accepted": len(server.sessions) + ended.sessions,
        "ended": dict(ended.outcomes),
        "lengths": list(ended.lengths),
        "seconds": ended.seconds,
    }


def _ofDatagrams(server: UDPEchoProtocol) -> Data:
    return {
        "kind": DATAGRAMS,
        # There is no third thing that becomes of one; what is impaired on purpose
        # is so before it is received.
        "received": server.answered + server.refusals.counts.total(),
        "answered": server.answered,
    }


def unready(services: Iterable[ListeningService]) -> list[str]:
    """
    @return: Why no more peers should be sent here; empty if they may.
    """
    return [
        f"{service.server.service} on {service.place} is {service.state}"
        for service in services
        if service.state != LISTENING
    ]


def sessionsOf(services: Iterable[ListeningService]) -> dict[Session, ListeningService]:
    """
    @return: All sessions, and whose they are.
    """
    return {
        session: service
        for service in services
        if isinstance(service.server, SessionFactory)
        for session in service.server.sessions
    }


def ofSessions(
    services: Iterable[ListeningService], rate: Callable[[Session], float], clock: float
) -> Data:
    """
    @param rate: How many bytes a session has received in a second of late.

    @param clock: What to add to the reactor's time for the time of day.

    @return: How many sessions there are, the busiest and the newest of them.
    """
    sessions = sessionsOf(services)

    def row(session: Session) -> Data:
        service = sessions[session]
        return {
            "service": service.server.service,
            "address": service.place,
            "peer": session.peer,
            "since": round(session.began + clock, 3),
            "receivedBytes": session.received,
            "returnedBytes": session.returned,
            "bytesPerSecond": round(rate(session)),
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
