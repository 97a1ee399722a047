"""
Tests for L{echod.config.options}.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError

from twisted.trial.unittest import SynchronousTestCase

from echod.config.addresses import Address
from echod.config.options import Options


class OptionsTests(SynchronousTestCase):
    """
    Tests for L{Options}.
    """

    def test_config(self) -> None:
        """
        The parser returns values that cannot change, without a reactor.
        """
        options = Options()
        options.parseOptions(["--tcp=8000", "--tcp=haproxy:[::]:80", "--udp=systemd:index=0"])
        config = options.config
        self.assertEqual(
            dict(config.servers),
            {
                "greeting": (),
                "tcp": (
                    Address("127.0.0.1:8000", "127.0.0.1", 8000, thisMachine=True),
                    Address("haproxy:[::]:80", "::", 80),
                ),
                "udp": (Address("systemd:index=0"),),
            },
        )
        self.assertRaises(FrozenInstanceError, setattr, config, "workers", 2)
