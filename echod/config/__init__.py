"""
Read the command line into a L{Config<echod.config.config.Config>}, and build services
from it.
"""
