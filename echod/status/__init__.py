"""
The status page, the metrics and the session log.

They only read what the servers count; the servers do not know them.
"""
