"""
Tests for L{echod.impair.options}.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.impair.options import ImpairmentOptions


class ImpairmentOptionsTests(SynchronousTestCase):
    """
    Tests for L{ImpairmentOptions}.
    """

    def impairments(self, *specifications: str, served: str = "tcp udp") -> dict[str, str]:
        """
        @return: The impairments of each server, as specifications.
        """
        options = ImpairmentOptions()
        for specification in specifications:
            options.add(specification)
        impairments = options.forServers(served.split())
        return {server: str(value) for server, value in impairments.items()}

    def test_nothing(self) -> None:
        """
        Without C{--impair}, no server is impaired.
        """
        self.assertEqual(self.impairments(), {})

    def test_whatFits(self) -> None:
        """
        An item impairs every server that it fits.
        """
        self.assertEqual(
            self.impairments("delay=1ms,drop=1%,seed=7", "pieces=5"),
            {"tcp": "delay=1ms,pieces=5-5,seed=7", "udp": "delay=1ms,drop=1%,seed=7"},
        )

    def test_onlyWhatFits(self) -> None:
        """
        A server that no item fits is not impaired.
        """
        self.assertEqual(self.impairments("drop=1%,seed=7"), {"udp": "drop=1%,seed=7"})

    def test_oneServer(self) -> None:
        """
        A specification for one server impairs that server only, and overrides there the
        specification for all.
        """
        self.assertEqual(
            self.impairments("delay=1ms,seed=7", "udp:delay=2ms", served="greeting tcp udp"),
            {
                "greeting": "delay=1ms,seed=7",
                "tcp": "delay=1ms,seed=7",
                "udp": "delay=2ms,seed=7",
            },
        )

    def test_sharedSeed(self) -> None:
        """
        All servers share the drawn seed.
        """
        options = ImpairmentOptions()
        options.add("delay=1ms")
        seeds = {value.seed for value in options.forServers(["tcp", "udp"]).values()}
        self.assertEqual(len(seeds), 1)

    def test_inVain(self) -> None:
        """
        A specification that impairs no server is refused.
        """
        for specifications, problem in (
            (["pieces=5,drop=1%"], "pieces fits nothing that is served"),
            (["tcp:pieces=5"], "tcp: no --tcp is served"),
            (["udp:pieces=5"], "pieces is not for datagrams: "),
            (["smtp:delay=1s"], "smtp is no server: greeting, tcp and udp are"),
            (["drop=1%", "drop=2%"], "drop is given twice"),
            (["seed=7"], "a seed alone impairs nothing"),
            (["udp:seed=7"], "a seed alone impairs nothing"),
        ):
            wanted: Any = specifications
            error = self.assertRaises(ValueError, self.impairments, *wanted, served="udp")
            self.assertIn(problem, str(error))
