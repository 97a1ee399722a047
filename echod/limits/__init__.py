"""
Limits: connections, rates, networks, and the count of refusals.
"""
