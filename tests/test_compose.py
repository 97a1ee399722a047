"""
Tests for C{deploy/compose.yaml}.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from subprocess import run
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.tap import Options
from tests.support import CHECKOUT, ENVIRONMENT, lacking
from tests.support.daemon import PATIENCE, Daemon

COMPOSE = CHECKOUT / "deploy" / "compose.yaml"


class ComposeTests(SynchronousTestCase):
    """
    The service in C{deploy/compose.yaml}.
    """

    def setUp(self) -> None:
        for module in ("check_jsonschema", "prometheus_client"):
            if find_spec(module) is None:
                lacking(module)
        from ruamel.yaml import YAML

        self.service: Any = YAML(typ="safe").load(COMPOSE)["services"]["echod"]

    def options(self) -> Options:
        """
        @return: The options of echod there, parsed.
        """
        options = Options(MemoryReactorClock())
        options.parseOptions(self.service["command"])
        return options

    def test_valid(self) -> None:
        """
        It fits the schema of the Compose Specification, and has no unknown key.
        """
        done = run(
            [
                *(sys.executable, "-m", "check_jsonschema"),
                *("--builtin-schema", "vendor.compose-spec", str(COMPOSE)),
            ],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_build(self) -> None:
        """
        It is built from the Containerfile, with the checkout as the context.
        """
        build = self.service["build"]
        context = COMPOSE.parent / build["context"]
        self.assertTrue(context.samefile(CHECKOUT))
        self.assertTrue(
            (context / build["dockerfile"]).samefile(COMPOSE.with_name("Containerfile"))
        )

    def test_ports(self) -> None:
        """
        It publishes the port of each server, and not that of the status page.
        """
        options = self.options()
        served = {
            f"{address.port}/{'udp' if server == 'udp' else 'tcp'}"
            for server, addresses in options.config.servers.items()
            for address in addresses
        }
        self.assertEqual({port.partition(":")[2] for port in self.service["ports"]}, served)

    def test_hardened(self) -> None:
        """
        It has no capability, gains no privilege, and can write to nothing.
        """
        self.assertTrue(self.service["read_only"])
        self.assertEqual(self.service["cap_drop"], ["ALL"])
        self.assertIn("no-new-privileges:true", self.service["security_opt"])

    def test_drains(self) -> None:
        """
        It gets more time to stop than sessions may take to drain.
        """
        grace = float(self.service["stop_grace_period"].removesuffix("s"))
        self.assertGreater(grace, self.options()["drain-timeout"])

    def test_healthy(self) -> None:
        """
        The health check succeeds while echod serves, and fails when it does not.
        """
        ((address, _),) = self.options().status
        kind, _, *arguments = self.service["healthcheck"]["test"]
        self.assertEqual(kind, "CMD")

        def check(place: str) -> int:
            """
            @return: The exit status of the health check, for another address.
            """
            command = [argument.replace(address.text, place) for argument in arguments]
            self.assertNotEqual(command, arguments)
            return run(
                [sys.executable, *command],
                env=ENVIRONMENT,
                capture_output=True,
                timeout=PATIENCE,
            ).returncode

        with Daemon("--tcp", "0", "--status", "0") as daemon:
            place = daemon.expect(r"HTTP status listens on ([^,\n]*)")[1]
            self.assertEqual(check(place), 0)
        self.assertEqual(check(place), 1)
