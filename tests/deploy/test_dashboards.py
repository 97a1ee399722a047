"""
Tests for the dashboards in C{deploy/grafana}.

The models of Grafana's foundation SDK are made from the schema of Grafana 11.6.  A
dashboard that they give back unchanged has no unknown key, and no unknown value of an
enumeration; the types of all other values are compared with those of the models.
"""

from __future__ import annotations

import json
import sys
from enum import Enum
from importlib.util import find_spec
from itertools import combinations
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.support import lacking
from tests.support.prometheus import DEPLOY, checkSyntax, expressions

DASHBOARDS = sorted(DEPLOY.glob("grafana/*.json"))

SDK = "grafana_foundation_sdk"

WIDTH = 24
"""
The number of columns of a dashboard.
"""


class SchemaTests(SynchronousTestCase):
    """
    Tests with the models of Grafana's foundation SDK.
    """

    def setUp(self) -> None:
        if sys.version_info < (3, 11):
            raise SkipTest(f"{SDK} needs Python 3.11")
        if find_spec(SDK) is None:
            lacking(SDK)
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard

        register_default_plugins()
        self.dashboard = Dashboard
        self.encoder = JSONEncoder

    def test_keys(self) -> None:
        """
        Grafana knows each key of the dashboards.
        """
        for path in DASHBOARDS:
            content = json.loads(path.read_text())
            made = json.dumps(self.dashboard.from_json(content), cls=self.encoder)
            self.assertEqual(json.loads(made), content, path)

    def test_types(self) -> None:
        """
        Each value has the type that Grafana expects.
        """
        for path in DASHBOARDS:
            self.checkTypes(self.dashboard.from_json(json.loads(path.read_text())))

    def checkTypes(self, value: Any) -> None:
        """
        Check a value and all that it contains.
        """
        if isinstance(value, list):
            for each in value:
                self.checkTypes(each)
        elif type(value).__module__.startswith(SDK) and hasattr(value, "__dict__"):
            hints = get_type_hints(type(value))
            for name, each in vars(value).items():
                self.assertTrue(fits(each, hints[name]), (type(value), name, each))
                self.checkTypes(each)


def fits(value: Any, hint: Any) -> bool:
    """
    @return: True if a value has a type.  Unlike in Python, the values of an enumeration are
        plain values, and a number is no truth value.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Union:
        return any(fits(value, each) for each in arguments)
    if origin is list:
        return isinstance(value, list) and all(fits(each, *arguments) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            fits(each, arguments[1]) for each in value.values()
        )
    if origin is Literal:
        return value in arguments
    if hint in (Any, object):
        return True
    if issubclass(hint, Enum):
        return value in [member.value for member in hint]
    if hint is float:
        hint = (int, float)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


class ContentTests(SynchronousTestCase):
    """
    Tests for what the dashboards show.
    """

    def panels(self) -> list[list[Any]]:
        """
        @return: The panels of each dashboard.
        """
        return [json.loads(path.read_text())["panels"] for path in DASHBOARDS]

    def test_texts(self) -> None:
        """
        Each panel has a title of its own, and says what it shows.
        """
        for panels in self.panels():
            titles = [panel["title"] for panel in panels]
            self.assertEqual(len(set(titles)), len(titles))
            for panel in panels:
                if panel["type"] != "row":
                    self.assertTrue(panel["description"].endswith("."), panel["title"])

    def test_layout(self) -> None:
        """
        Each panel has a number of its own, and no panel covers another one.
        """
        for panels in self.panels():
            self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
            for panel in panels:
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], WIDTH, panel["title"])
            for one, other in combinations(panels, 2):
                apart = any(
                    first[axis] + first[size] <= second[axis]
                    for axis, size in ("xw", "yh")
                    for first, second in (
                        (one["gridPos"], other["gridPos"]),
                        (other["gridPos"], one["gridPos"]),
                    )
                )
                self.assertTrue(apart, (one["title"], other["title"]))

    def test_syntax(self) -> None:
        """
        Prometheus accepts each query.
        """
        for path in DASHBOARDS:
            checkSyntax(self, expressions(path))
