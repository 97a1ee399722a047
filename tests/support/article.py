"""
The three clients of the article, call for call: what they send, in which
pieces, what they wait for, and what they print.

Run as C{article.py greeting|tcp|udp PORT}.
"""

from __future__ import annotations

import socket
import sys


def greeting(address: tuple[str, int]) -> None:
    """
    Print the greeting of the server.
    """
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.connect(address)
    said = client.recv(1024)
    client.close()
    print(said.decode("ascii"))


def tcp(address: tuple[str, int]) -> None:
    """
    Send first, then line by line, without line endings.
    """
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.connect(address)
    client.sendall(b"This is from Client")
    while True:
        print("From Server :", client.recv(1024).decode(), flush=True)
        line = input()
        client.sendall(line.encode())
        if line == "bye":
            break
    client.close()


def udp(address: tuple[str, int]) -> None:
    """
    Do the same with datagrams, on a connected socket.
    """
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(address)
    client.sendto(b"Hello server, from UDP client!", address)
    while True:
        try:
            said, _ = client.recvfrom(1024)
        except OSError:
            print("[!] Server not running", flush=True)
            sys.exit()
        print("Message from Server: ", said.decode(), flush=True)
        line = input()
        client.sendto(line.encode(), address)
        if line == "bye":
            break
    client.close()


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    # The first client asks for the name of its machine; the others are told 127.0.0.1.
    host = socket.gethostname() if kind == "greeting" else "127.0.0.1"
    {"greeting": greeting, "tcp": tcp, "udp": udp}[kind]((host, port))
