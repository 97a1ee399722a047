"""
Tests for L{echod}.
"""

import signal

# nohup makes a program ignore SIGHUP, and "&" in a script SIGINT.  The programs that it starts
# inherit this, so signals would not stop them.  They do not inherit a handler.
for number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda number, frame: None)
