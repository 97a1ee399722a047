"""
Its tests, against the fixture.  They are run in a directory of their own, and not
with those of echod, as one is to fail.
"""

import asyncio

import pytest
from chat import ask  # type: ignore[import-not-found]


def test_ask(echod):  # type: ignore[no-untyped-def]
    assert asyncio.run(ask(echod.tcp, b"How are you?")) == b"How are you?"


@pytest.mark.echod(impair="pieces=1-3")
def test_askOnABadPath(echod):  # type: ignore[no-untyped-def]
    assert asyncio.run(ask(echod.tcp, b"How are you?")) == b"How are you?"
