"""
The client that measures: ping.
"""
