"""
The clients that talk: greet, tcp and udp.
"""
