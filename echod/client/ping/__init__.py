"""
The client that measures: C{echoc ping}.
"""
