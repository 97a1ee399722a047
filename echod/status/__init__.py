"""
What an echod does, for people, monitors and scripts: the page, the metrics, the
session log.

The servers know nothing of this.  They count, and are asked.
"""
