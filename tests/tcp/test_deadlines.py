"""
Tests for L{echod.tcp.deadlines}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.deadlines import AT_ONCE, Deadlines
from tests.support import clock, turn


class DeadlinesTests(SynchronousTestCase):
    """
    Tests for L{Deadlines}.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.due: list[object] = []
        self.deadlines = Deadlines[object](self.reactor, 10.0, self.due.append)

    def test_due(self) -> None:
        """
        Each waiter is due when its own time is over, and then waits no more.
        """
        self.deadlines.add("first")
        self.reactor.advance(4)
        self.deadlines.add("second")
        self.reactor.advance(5.5)
        self.assertEqual(self.due, [])
        self.reactor.advance(0.5)
        self.assertEqual(self.due, ["first"])
        self.reactor.advance(3.5)
        self.assertEqual(self.due, ["first"])
        self.reactor.advance(0.5)
        self.assertEqual(self.due, ["first", "second"])
        self.reactor.advance(100)
        self.assertEqual(self.due, ["first", "second"])

    def test_oneTimer(self) -> None:
        """
        There is one timer for all waiters, and none when all were due.
        """
        for number in range(5):
            self.deadlines.add(number)
            self.reactor.advance(1)
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)
        self.reactor.advance(10)
        self.assertEqual(self.due, [0, 1, 2, 3, 4])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_discard(self) -> None:
        """
        A waiter that was discarded is never due, and the others are due at their
        own time.
        """
        self.deadlines.add("first")
        self.reactor.advance(4)
        self.deadlines.add("second")
        self.deadlines.discard("first")
        self.reactor.advance(9.5)
        self.assertEqual(self.due, [])
        self.reactor.advance(0.5)
        self.assertEqual(self.due, ["second"])
        self.deadlines.discard("second")

    def test_addAgain(self) -> None:
        """
        A waiter that is added again waits from the beginning.
        """
        self.deadlines.add("again")
        self.deadlines.add("other")
        self.reactor.advance(4)
        self.deadlines.add("again")
        self.reactor.advance(6)
        self.assertEqual(self.due, ["other"])
        self.reactor.advance(4)
        self.assertEqual(self.due, ["other", "again"])

    def test_addWhenDue(self) -> None:
        """
        A waiter that is due can be added again, or discard others, and no useless timer
        is left.
        """
        deadlines: Deadlines[str]

        def due(waiter: str) -> None:
            self.due.append(waiter)
            if len(self.due) == 1:
                deadlines.add("again")
            deadlines.discard("other")

        deadlines = Deadlines(self.reactor, 10, due)
        deadlines.add("again")
        deadlines.add("other")
        self.reactor.advance(10)
        self.assertEqual(self.due, ["again"])
        self.reactor.advance(10)
        self.assertEqual(self.due, ["again", "again"])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stopped(self) -> None:
        """
        An empty queue has no timer, except between C{start} and C{stop}.
        """
        self.deadlines.add("first")
        self.deadlines.discard("first")
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.deadlines.start()
        self.deadlines.add("second")
        self.deadlines.discard("second")
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)
        self.deadlines.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stoppedWhileWaiting(self) -> None:
        """
        Waiters are due after the stop as well.
        """
        self.deadlines.start()
        self.deadlines.add("first")
        self.deadlines.stop()
        self.reactor.advance(10)
        self.assertEqual(self.due, ["first"])

    def test_manyAtOnce(self) -> None:
        """
        When many waiters are due at the same time, the reactor does other work in
        between.
        """
        for number in range(AT_ONCE + 1):
            self.deadlines.add(number)
        self.reactor.rightNow = 10
        turn(self.reactor)
        self.assertEqual(len(self.due), AT_ONCE)
        turn(self.reactor)
        self.assertEqual(self.due, list(range(AT_ONCE + 1)))

    def test_error(self) -> None:
        """
        An error with one waiter does not affect the next waiter.
        """

        def due(waiter: int) -> None:
            self.due.append(1 // waiter)

        deadlines = Deadlines(self.reactor, 10, due)
        deadlines.add(0)
        deadlines.add(1)
        self.assertRaises(ZeroDivisionError, self.reactor.advance, 10)
        self.reactor.advance(0)
        self.assertEqual(self.due, [1])
