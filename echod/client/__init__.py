"""
echoc: clients for an echo server, and one that measures.

As a program: C{echoc greet|tcp|udp|ping|watch [TARGET...]}.  In other programs: the
protocols in L{echod.client.talk.greet}, L{echod.client.talk.tcp}, L{echod.client.talk.udp} and
L{echod.client.ping.protocols}.  Each has a C{Deferred} C{finished}; that of the last two
belongs to their L{Pinger<echod.client.ping.pinger.Pinger>}.

The servers do not import this package, and it imports no reactor.
"""
