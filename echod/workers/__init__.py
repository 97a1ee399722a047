"""
One echod on all cores: a parent that holds the sockets and watches, and worker
processes that serve, each of them an echod like any other.

The parent serves nobody itself, so there is little in it that could fail; what it
holds outlives every worker.
"""
