"""
Type the commands of a page as its reader would.  These modules import no part of echod and no
Twisted: a process of its own runs each page of the documentation.
"""
