"""
Addresses and ports, as servers and clients agree on them.
"""

LOOPBACK = "127.0.0.1"
"""
The address that belongs to a port without an address.
"""

MAX_PORT = 65535
