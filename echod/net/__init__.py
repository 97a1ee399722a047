"""
Sockets, addresses and quantities: the parts that servers and clients share.
"""
