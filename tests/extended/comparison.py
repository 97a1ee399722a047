"""
Check README's table of echo servers: run every server, and test each cell.

This is no part of the tests: it takes two minutes, and needs programs that few people have.
It leaves out missing servers.  Debian's C{openbsd-inetd} and C{xinetd} do not install beside
each other: unpack one with C{dpkg -x}, and put it on the C{PATH}.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from subprocess import run
from unittest import SkipTest
from urllib.request import urlopen

from tests.extended import talkdatagrams, talkstreams
from tests.extended.otherservers import ASKED, ASKING, SERVERS, Server, running, word
from tests.story.tell import ALONE
from tests.support import CHECKOUT

MARK = ".. The table is checked by tests/extended/comparison.py."


def metrics(kind: type[Server]) -> str:
    """
    Does it tell what it does?
    """
    if kind.metrics is None:
        return "no"
    with running(kind, "tcp", kind.metrics), urlopen("http://127.0.0.1:8000/metrics") as page:
        said = page.read()
    return word(b"\nechod_received_bytes_total{" in said)


def processorTime(kind: type[Server]) -> str:
    """
    The processor time, from the page of the benchmarks.
    """
    text = (CHECKOUT / "docs" / "benchmarks.rst").read_text()
    figures = text[text.index("\nping-pong, 64 connections, 64 B\n") :]
    figures = figures[: figures.index("\nping-pong, 1000 connections, 64 B\n")]
    match = re.search(rf"^{kind.name} +[0-9.]+ +([0-9.]+)", figures, re.MULTILINE)
    return match[1] if match else "not measured"


ROWS: dict[str, Callable[[type[Server]], str]] = {
    "TCP: loses nothing after a half-close": talkstreams.afterHalfClose,
    "TCP: backpressure bounds the memory": talkstreams.boundedMemory,
    "TCP: loses nothing at a server stop": talkstreams.stopped,
    "TCP: 1000 connections at once": talkstreams.clientsAtOnce,
    "TCP: TLS": talkstreams.speaksTLS,
    "TCP: limits the number of connections": talkstreams.limited,
    "TCP: limits the connections of one address": talkstreams.limitedPerSource,
    "TCP: serves only chosen networks": talkstreams.exclusive,
    "TCP: closes idle connections": talkstreams.endsTheIdle,
    "UDP: returns 65,507 bytes in one datagram": talkdatagrams.largestDatagram,
    "UDP: returns an empty datagram": talkdatagrams.emptyDatagram,
    "UDP: answers from the requested address": talkdatagrams.answersFromThere,
    "UDP: forged datagrams cause no loop": talkdatagrams.guarded,
    "Metrics for Prometheus": metrics,
    "Processor time for a message (C takes 1)": processorTime,
}


def cells(kind: type[Server]) -> list[str]:
    """
    @return: The column of a server, from top to bottom.
    """
    if missing := kind.missing():
        raise SkipTest(f"needs {missing}")
    return [str(check(kind)) for check in ROWS.values()]


def claimed(text: str) -> dict[str, list[str]]:
    """
    @param text: The README.

    @return: The text of the table about each server.
    """
    table = text[text.index(MARK) + len(MARK) :].lstrip().splitlines()
    spans = [(found.start(), found.end()) for found in re.finditer("=+", table[0])]
    last = next(n for n in range(3, len(table)) if table[n] == table[0])
    lines = [[line[start:end].strip() for start, end in spans] for line in table[1:last]]
    assert [line[0] for line in lines[2:]] == list(ROWS), "other rows"
    return {name: [line[i] for line in lines[2:]] for i, name in enumerate(lines[0]) if i}


def alone() -> int:
    """
    Compare, in a network of our own.

    @return: 0 if the README is true.
    """
    for host in (ASKING, ASKED):
        run(["ip", "address", "add", f"{host}/24", "dev", "lo"], check=True)
    _, most = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (most, most))
    said = claimed((CHECKOUT / "README.rst").read_text())
    wrong = 0
    for kind in SERVERS:
        try:
            found = cells(kind)
        except SkipTest as reason:
            print(f"{kind.name}: {reason}", flush=True)
            continue
        for row, cell, claim in zip(ROWS, found, said[kind.name], strict=True):
            lie = "" if cell == claim else f", and not {claim}"
            print(f"{kind.name}: {row}: {cell}{lie}", flush=True)
            wrong += bool(lie)
    return int(wrong > 0)


def main() -> int:
    """
    @return: 0 if the README is true.
    """
    if sys.argv[1:] == ["alone"]:
        return alone()
    return run([*ALONE, sys.executable, "-m", "tests.extended.comparison", "alone"]).returncode


if __name__ == "__main__":
    sys.exit(main())
