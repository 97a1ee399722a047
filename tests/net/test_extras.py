"""
Tests for L{echod.net.extras}.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from echod.net.extras import ROOT, isInstalled, needed
from tests.support import temporaryDirectory


class ExtrasTests(SynchronousTestCase):
    """
    Tests for L{needed}.
    """

    def test_installed(self) -> None:
        """
        pip finds the extra of an installed package by its name, whether it was installed
        from a checkout or not.
        """
        for root in (ROOT, temporaryDirectory(self)):
            self.assertEqual(
                needed("tls", root, lambda: True), "needs pyOpenSSL: pip install 'txechod[tls]'"
            )

    def test_checkout(self) -> None:
        """
        In a checkout that is not installed, pip needs its path.
        """
        root = temporaryDirectory(self) / "a b"
        root.mkdir()
        (root / "setup.cfg").touch()
        self.assertEqual(
            needed("plot", root, lambda: False), f"needs rich: pip install '{root}[plot]'"
        )
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(root)
        self.assertEqual(
            needed("status", root, lambda: False),
            "needs prometheus_client: pip install '.[status]'",
        )

    def test_withoutMetadata(self) -> None:
        """
        Files without metadata that are no checkout come from a package of the system, and
        have its name.
        """
        self.assertIn("'txechod[tls]'", needed("tls", temporaryDirectory(self), lambda: False))

    def test_isInstalled(self) -> None:
        """
        The metadata is looked up without an error.
        """
        self.assertIsInstance(isInstalled(), bool)
