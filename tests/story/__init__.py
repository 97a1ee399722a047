"""
What a reader of a page does.  These modules import no part of echod and no Twisted: each page
of the documentation is told by a process of its own.
"""
