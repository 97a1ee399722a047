"""
Reports of a measurement, for people and for programs.
"""
