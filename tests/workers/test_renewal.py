"""
Tests for L{echod.workers.renewal}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.workers.renewal import Renewal


class RenewalTests(SynchronousTestCase):
    """
    Tests for L{Renewal}.
    """

    def setUp(self) -> None:
        self.slots = {"a": 0, "b": 1}
        self.retired: list[str] = []
        self.renewal = Renewal(self.slots, self.add, self.retire)

    def add(self, slot: int) -> str:
        """
        Start a worker.
        """
        name = f"new {slot}"
        self.slots[name] = slot
        return name

    def retire(self, name: str) -> None:
        """
        End a worker.
        """
        del self.slots[name]
        self.retired.append(name)

    def test_oneByOne(self) -> None:
        """
        A worker ends when its successor serves, and then the next one is replaced.
        """
        self.renewal.start()
        self.assertEqual(list(self.slots), ["a", "b", "new 0"])
        self.renewal.serves("other")
        self.renewal.serves("new 0")
        self.assertEqual(list(self.slots), ["b", "new 0", "new 1"])
        self.renewal.serves("new 1")
        self.assertEqual((list(self.slots), self.retired), (["new 0", "new 1"], ["a", "b"]))

    def test_ended(self) -> None:
        """
        A worker that has ended meanwhile is not replaced.
        """
        self.renewal.start()
        del self.slots["b"]
        self.renewal.serves("new 0")
        self.assertEqual(list(self.slots), ["new 0"])

    def test_stop(self) -> None:
        """
        After a stop no worker ends or is replaced, even if the successor serves.
        """
        self.renewal.start()
        self.assertEqual(self.renewal.stop(), "new 0")
        self.renewal.serves("new 0")
        self.assertEqual(self.retired, [])
        self.assertEqual(list(self.slots), ["a", "b", "new 0"])
        self.assertEqual(self.renewal.stop(), "")
