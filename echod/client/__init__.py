"""
echoc: the clients of an echo server, and one that measures.

As a program: C{echoc greet|tcp|udp|ping [TARGET]}.  In a program of one's own:
the protocols of L{echod.client.talk.greet}, L{echod.client.talk.tcp},
L{echod.client.talk.udp} and L{echod.client.ping.pinger}, whose C{finished} is a
C{Deferred}.

Nothing of the servers imports this, and importing this imports no reactor.
"""
