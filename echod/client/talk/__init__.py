"""
The clients that talk to a server: greet, tcp and udp.
"""
