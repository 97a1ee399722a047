"""
Impairments: faults on purpose, to test clients.
"""
