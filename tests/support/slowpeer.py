"""
A peer that says goodbye with much left to receive, and goes on sending.

Arguments: the address and the port of echod, how many bytes to have returned, how long to
pause between the lines, in seconds, and C{tls} or C{tcp}.  Prints how many bytes came back
and how the connection ended.
"""

from __future__ import annotations

import socket
import sys
from threading import Event, Thread
from typing import Any

from tests.support.tls import TLSClient

LINE = b"still here\n"


def keepSending(client: Any, pause: float, ended: Event) -> None:
    """
    Send a line after each pause.
    """
    while not ended.wait(pause):
        client.sendall(LINE)


def main(host: str, port: str, size: str, pause: str, kind: str) -> None:
    """
    Send, say goodbye, go on sending, and receive.
    """
    with socket.create_connection((host, int(port))) as connection:
        client: Any = TLSClient(connection) if kind == "tls" else connection
        client.sendall(b"x" * (int(size) - 1) + b"\nbye\n")
        ended = Event()
        sender = Thread(target=keepSending, args=(client, float(pause), ended), daemon=True)
        sender.start()
        came, how = 0, "end"
        try:
            while data := client.recv(1 << 16):
                came += len(data)
        except OSError as error:
            how = type(error).__name__
        ended.set()
        print(came, how)


if __name__ == "__main__":
    main(*sys.argv[1:])
