"""
Twisted services: listening, signals, systemd.
"""
