"""
The version, where all the rooms can see it.
"""

__version__ = "0.1.0"
