"""
echoc: the clients of an echo server, and one that measures.

As a program: C{echoc greet|tcp|udp|ping [TARGET]}.  In a program of one's own:
the protocols of L{echod.client.greet}, L{echod.client.tcp},
L{echod.client.udp} and L{echod.client.ping}, whose C{finished} is a
C{Deferred}.

Nothing of the servers imports this, and importing this imports no reactor.
"""
