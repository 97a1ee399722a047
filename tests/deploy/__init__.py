"""
Tests for the files in C{deploy/}.
"""
