"""
The client that probes for ever and serves metrics: C{echoc watch}.
"""
