"""
Replace workers one by one: at every moment, somebody serves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


class Renewal:
    """
    Replaces each worker of a pool: the worker ends when its successor serves, and then the
    next one is replaced.
    """

    def __init__(
        self,
        slots: Mapping[str, int],
        add: Callable[[int], str],
        retire: Callable[[str], object],
    ) -> None:
        """
        @param slots: The slot of each worker that is to run, by name.

        @param add: Starts a worker in a slot, and returns its name.

        @param retire: Ends a worker that has a successor.
        """
        self._slots = slots
        self._add = add
        self._retire = retire
        self._outdated: list[str] = []
        self._old = ""
        self._successor = ""

    def start(self) -> None:
        """
        Replace all workers that there are now.
        """
        self._outdated = list(self._slots)
        self._next()

    def stop(self) -> str:
        """
        Replace no more workers.

        @return: The name of the successor that does not serve yet; empty if there is none.
        """
        successor, self._successor = self._successor, ""
        return successor

    def serves(self, name: str) -> None:
        """
        Note that a worker serves for the first time.
        """
        if name == self._successor:
            self._successor = ""
            self._retire(self._old)
            self._next()

    def _next(self) -> None:
        # A worker may have ended since the start of the renewal.
        while self._outdated and not self._successor:
            self._old = self._outdated.pop(0)
            if self._old in self._slots:
                self._successor = self._add(self._slots[self._old])
