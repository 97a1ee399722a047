"""
Tests for L{echod.client.ping.reports}.
"""
