"""
Tests that try to break echod, each a scenario with figures to show.  The same is
done to stock Twisted's echo, to be shown beside it.

C{make soak} runs them all; C{make test} runs them small.  Their clients are
plain sockets, and share no code with echod.
"""
