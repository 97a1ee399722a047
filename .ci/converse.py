"""
Start C{make run}, talk to the TCP echo on port 8080, and press Ctrl-C.  Only the
standard library is there.
"""

import os
import signal
import socket
import subprocess
import sys
import time

PATIENCE = 30.0
"""
How long a step may take, in seconds: much longer than it does.
"""

HELLO = b"hello\n"


def connect(server: "subprocess.Popen[bytes]") -> socket.socket:
    """
    @return: A connection, as soon as the server listens.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", 8080), PATIENCE)
        except ConnectionRefusedError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit("make run: nothing listens on port 8080")
            time.sleep(0.1)


def main() -> None:
    """
    Exit with an error unless the server answers and ends.
    """
    # "&" in a script makes a program ignore SIGINT, and the programs that it starts inherit
    # this.  They do not inherit a handler.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A session of its own: a Ctrl-C reaches make and all that it has started.
    server = subprocess.Popen(["make", "run"], start_new_session=True)
    try:
        with connect(server) as connection:
            connection.sendall(HELLO)
            answer = connection.recv(100)
        if answer != HELLO:
            sys.exit(f"make run: {HELLO!r} was answered with {answer!r}")
        os.killpg(server.pid, signal.SIGINT)
        server.wait(PATIENCE)
    except BaseException:
        os.killpg(server.pid, signal.SIGKILL)
        raise
    print("make run: a conversation was answered, and Ctrl-C ended it")


main()
