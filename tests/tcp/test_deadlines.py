"""
Tests for L{echod.tcp.deadlines}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.deadlines import AT_ONCE, Deadlines, Sweep
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


class SweepTests(SynchronousTestCase):
    """
    Tests for L{Sweep}.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.members: dict[int, None] = {}
        self.checked: list[int] = []
        self.sweep = Sweep(self.reactor, 10.0, self.members, self.check)

    def check(self, member: int) -> None:
        """
        Fail with a negative member; let all leave with 0.
        """
        if member < 0:
            raise ValueError(member)
        self.checked.append(member)
        if member == 0:
            self.members.clear()

    def begin(self, *members: int) -> None:
        """
        Start to check members.
        """
        self.members.update(dict.fromkeys(members))
        self.sweep.start()

    def test_again(self) -> None:
        """
        Each member is checked at each interval, with one timer.
        """
        self.begin(1, 2)
        self.begin(3)
        self.reactor.advance(9.5)
        self.assertEqual(self.checked, [])
        self.reactor.advance(0.5)
        self.assertEqual(sorted(self.checked), [1, 2, 3])
        del self.members[3]
        self.reactor.advance(10)
        self.assertEqual(sorted(self.checked), [1, 1, 2, 2, 3])
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)

    def test_empty(self) -> None:
        """
        Without members the sweep stops, and starts again with the next member.
        """
        for times in (1, 2):
            self.begin(0)
            self.reactor.advance(10)
            self.assertEqual(self.checked, [0] * times)
            self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_againWhileChecking(self) -> None:
        """
        A check that stops and starts the sweep leaves one timer.
        """

        def check(member: int) -> None:
            sweep.stop()
            sweep.start()

        sweep = Sweep(self.reactor, 10.0, self.members, check)
        self.members[1] = None
        sweep.start()
        self.reactor.advance(10)
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)

    def test_stop(self) -> None:
        """
        After a stop, there is no timer, and the next sweep begins anew.
        """
        self.sweep.stop()
        self.begin(*range(1, AT_ONCE + 2))
        self.reactor.rightNow = 10
        turn(self.reactor)
        self.sweep.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.checked.clear()
        self.sweep.start()
        self.reactor.rightNow = 20
        turn(self.reactor)
        self.assertEqual(len(self.checked), AT_ONCE)

    def test_manyMembers(self) -> None:
        """
        With many members, the reactor does other work in between.  A member that leaves
        meanwhile is not checked, and the next sweep begins one interval after the end.
        """
        self.begin(*range(1, AT_ONCE + 3))
        self.reactor.rightNow = 10
        turn(self.reactor)
        self.assertEqual(len(self.checked), AT_ONCE)
        leaving, staying = set(self.members).difference(self.checked)
        del self.members[leaving]
        self.reactor.rightNow = 11
        turn(self.reactor)
        self.assertEqual(self.checked[AT_ONCE:], [staying])
        self.assertEqual([call.getTime() for call in self.reactor.getDelayedCalls()], [21])

    def test_error(self) -> None:
        """
        An error with one member does not affect the others.
        """
        self.begin(1, -1, 2)
        self.assertRaises(ValueError, self.reactor.advance, 10)
        self.reactor.advance(0)
        self.assertEqual(sorted(self.checked), [1, 2])
