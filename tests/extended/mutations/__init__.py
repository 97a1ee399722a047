"""
Mutations: small faults, each of which must make a test fail.

C{python -m tests.extended.mutations [ROOM ...]} copies the checkout and, in the copy,
makes one fault after another and runs the tests that must notice it.  The faults of a
room of C{echod/} are in the module of the same name here.

This proves that a test can fail, which coverage does not.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """
    One fault.

    @ivar path: The file, from the top of the checkout.

    @ivar old: Text that occurs exactly once in the file.

    @ivar new: The faulty text in its place.

    @ivar tests: The tests that must notice: arguments of pytest, separated by spaces.
    """

    path: str
    old: str
    new: str
    tests: str
