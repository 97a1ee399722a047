"""
Tests for L{echod.client.ping.tracking}.
"""
