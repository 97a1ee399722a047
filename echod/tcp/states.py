"""
The states of a TCP session, and the events that lead from one state to the next.
C{docs/session.svg} draws L{TRANSITIONS}.
"""

from __future__ import annotations

OPEN = "open"
"""
The session receives bytes and returns them.
"""

DRAINING = "draining"
"""
The service stops.  The session still returns the data that the peer has sent so far.
"""

CLOSING = "closing"
"""
The session returns nothing more and discards received bytes.  The transport still has
bytes to send.
"""

LINGERING = "lingering"
"""
The transport has sent everything and has shut down its sending side.  The session
waits for the peer to receive it.
"""

CLOSED = "closed"
"""
The connection is gone.
"""

RETURNING = (OPEN, DRAINING)
"""
The states in which a session returns bytes.
"""

DRAIN = "drain"
"""
The service tells the session to end.
"""

CLOSE = "close"
"""
The session ends: after a goodbye, a greeting, a drain, or when it is idle.
"""

END = "end"
"""
The peer has shut down its sending side.
"""

SENT = "sent"
"""
The transport has sent everything, and the end of the stream.
"""

LOST = "lost"
"""
The transport is closed.
"""

EVENTS = (DRAIN, CLOSE, END, SENT, LOST)

TRANSITIONS = {
    OPEN: {DRAIN: DRAINING, CLOSE: CLOSING, END: CLOSING, LOST: CLOSED},
    DRAINING: {CLOSE: CLOSING, END: CLOSING, LOST: CLOSED},
    CLOSING: {SENT: LINGERING, LOST: CLOSED},
    LINGERING: {LOST: CLOSED},
    CLOSED: {},
}
"""
The next state, by state and event.  An event that is not in the table does not change
the state.
"""
