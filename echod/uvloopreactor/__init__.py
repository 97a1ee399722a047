"""
A Twisted reactor whose TCP servers do their I/O inside libuv.

C{twistd --reactor=uvloop} works for any Twisted server.  This package does not depend on the
rest of echod, so that another project can copy it.

Twisted's C{asyncio} reactor on a uvloop event loop is only a little faster than others,
because each connection is still Twisted's own Python code over C{add_reader} and
C{add_writer}.  Here uvloop takes over each accepted socket, and the connection is both
Twisted's transport and asyncio's protocol.  The rest is Twisted's code:
L{twisted.internet.tcp.Port} accepts, and
L{FileDescriptor<twisted.internet.abstract.FileDescriptor>} keeps the buffer, the producers
and the flags that say how a connection closes.  Client connections, UNIX sockets, UDP,
processes and standard I/O work as on the C{asyncio} reactor.

Closing a connection only closes its socket, because no other process has it.  If your
application forks without C{exec}, the child must close the sockets that it inherits:
otherwise their peers do not see the end.

The package uses private names of Twisted.  A test lists them, and fails if one is missing.
"""

from __future__ import annotations

from echod.uvloopreactor.reactor import UVLoopReactor, install

__all__ = ["UVLoopReactor", "install"]
