"""
The clients: the program C{echoc greet|tcp|udp|ping|watch [TARGET...]}.

Other programs can use the protocols in L{echod.client.talk.greet}, L{echod.client.talk.tcp},
L{echod.client.talk.udp} and L{echod.client.ping.protocols}.  The C{Deferred} C{finished} of a
protocol, or of the L{Pinger<echod.client.ping.pinger.Pinger>}, fires at the end.

The servers do not import this package, and it imports no reactor.
"""
