"""
One echod on all cores: a parent process that holds the sockets, and worker processes that
serve.

The parent serves no peers, so little in it can fail.  Its sockets stay open when a worker
dies.
"""
