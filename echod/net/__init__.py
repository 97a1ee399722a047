"""
Sockets, addresses and quantities: what servers and clients share.
"""
