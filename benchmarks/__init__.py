"""
The benchmark: echod and other servers, side by side.
"""
