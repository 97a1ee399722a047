"""
The TCP servers: the echo and the greeting.
"""
