"""
The command line, read into a L{Config<echod.config.config.Config>}, and the services
built from that.
"""
