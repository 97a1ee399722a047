"""
Tests for L{echod.limits.thismachine}.
"""

from __future__ import annotations

import errno

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.thismachine import ADDRESSES_AGE, ThisMachine, onThisMachine, sourceFor


class OnThisMachineTests(SynchronousTestCase):
    """
    Tests for L{ThisMachine}.
    """

    def setUp(self) -> None:
        self.asked: list[str] = []
        self.answers: list[str | OSError] = []
        self.machine = ThisMachine(self.answer)

    def answer(self, host: str) -> str:
        """
        Answer as the system would.
        """
        self.asked.append(host)
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def test_onThisMachine(self) -> None:
        """
        The addresses of this machine are told from those of others.
        """
        for host, local in (
            ("127.0.0.1", True),
            ("127.0.1.1", True),
            ("::1", True),
            ("::ffff:127.0.0.1", True),
            ("192.0.2.1", False),
            ("2001:db8::1", False),
        ):
            self.assertEqual(onThisMachine(host, 0), local, host)

    def test_source(self) -> None:
        """
        The way to an address of this machine starts at the same address.
        """
        self.assertEqual(sourceFor("127.0.0.1"), "127.0.0.1")
        self.assertNotEqual(sourceFor("192.0.2.1"), "192.0.2.1")

    def test_mapped(self) -> None:
        """
        The system is asked for the IPv4 address where a socket sees it as IPv6.
        """
        self.answers = ["192.0.2.1", "192.0.2.9"]
        self.assertTrue(self.machine.has("::ffff:192.0.2.1", 0))
        self.assertFalse(self.machine.has("192.0.2.2", 0))
        self.assertEqual(self.asked, ["192.0.2.1", "192.0.2.2"])

    def test_age(self) -> None:
        """
        An answer is cached for a minute; then the system is asked again.
        """
        self.answers = ["192.0.2.1", "192.0.2.9"]
        for now in (0.0, ADDRESSES_AGE - 0.1):
            self.assertTrue(self.machine.has("192.0.2.1", now))
        self.assertFalse(self.machine.has("192.0.2.1", ADDRESSES_AGE))
        self.assertEqual(len(self.asked), 2)

    def test_noSocket(self) -> None:
        """
        If no socket can be opened, the address counts as foreign, until one can be opened.
        """
        self.answers = [OSError(errno.EMFILE, "Too many open files"), "192.0.2.1"]
        self.assertFalse(self.machine.has("192.0.2.1", 0))
        self.assertTrue(self.machine.has("192.0.2.1", 0))
