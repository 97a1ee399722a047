"""
Tests for L{echod.client.watch}.
"""
