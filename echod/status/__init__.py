"""
The status page, the metrics and the session log.

They only read the counts of the servers; the servers do not know them.
"""
