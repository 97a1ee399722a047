"""
The probes of a measurement: their bytes, times, results and counts.  It knows no transport.
"""
