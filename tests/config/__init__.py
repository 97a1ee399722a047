"""
Tests for L{echod.config}.
"""
