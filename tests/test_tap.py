"""
Tests for L{echod.tap}.
"""

from __future__ import annotations

from time import monotonic

from twisted.internet import reactor as installed
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from echod.service.sdnotify import Notifier
from echod.tap import Options, makeService
from tests.support.config import options


class TapTests(SynchronousTestCase):
    """
    Tests for L{Options} and L{makeService} under twistd and in another program.
    """

    def test_notifier(self) -> None:
        """
        Under twistd, echod notifies systemd if that asks for it; embedded in another
        program, it does not.
        """
        for parent, told in ((usage.Options(), [Notifier]), (None, [])):
            parsed = options("--tcp=0")
            parsed.parent = parent
            _, *others = makeService(parsed, {"NOTIFY_SOCKET": "/run/systemd/notify"})
            self.assertEqual([type(other) for other in others], told)

    def test_reactor(self) -> None:
        """
        The default reactor is the installed one.  Under twistd it gets a steady clock.
        """
        self.patch(installed, "seconds", installed.seconds)
        for parent in (None, usage.Options()):
            parsed = Options()
            parsed.parent = parent
            self.assertIs(parsed.reactor, installed)
            self.assertEqual(installed.seconds is monotonic, parent is not None)
