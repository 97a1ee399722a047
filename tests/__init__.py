"""
Tests for L{echod}.
"""
