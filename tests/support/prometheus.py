"""
Prometheus rules and dashboards, as the tests read and run them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, STDOUT, run
from typing import Any
from urllib.request import urlopen

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, lacking, program, temporaryDirectory
from tests.support.daemon import PATIENCE

DEPLOY = CHECKOUT / "deploy"

OF_EACH_TARGET = {"up", "ALERTS"}
"""
The metrics that Prometheus makes itself.
"""

LABELS_OF_EACH_TARGET = {"job", "instance", "__name__"}
"""
The labels that Prometheus adds to each series of a target.
"""

KEYWORDS = {
    "sum",
    "count",
    "and",
    "or",
    "unless",
    "by",
    "on",
    "without",
    "ignoring",
    "offset",
    "bool",
}

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')

_METRIC = re.compile(r"(?:echod|echoc|process|python)_\w+|up|ALERTS")

Exported = Mapping[str, Collection[str]]
"""
The labels of each metric that a program exports.
"""


@dataclass(frozen=True)
class Case:
    """
    Series with which one alert fires, and series with which it does not.

    @ivar fires: The values of each series, in the notation of C{promtool}, one a minute.

    @ivar labels: The labels of the alert that fires, except the severity.
    """

    fires: Mapping[str, str]
    quiet: Mapping[str, str]
    labels: Mapping[str, str]


def series(name: str, labels: Mapping[str, str]) -> str:
    """
    @return: A series, in the notation of Prometheus.
    """
    pairs = [f"{label}={json.dumps(value)}" for label, value in labels.items()]
    return f"{name}{{{', '.join(pairs)}}}"


def pair(name: str, fires: str, quiet: str, labels: Mapping[str, str]) -> Case:
    """
    @return: A case with one series.
    """
    one = series(name, labels)
    return Case({one: fires}, {one: quiet}, labels)


def exported(url: str) -> dict[str, set[str]]:
    """
    @return: The labels of each metric at an address.
    """
    from prometheus_client.parser import text_string_to_metric_families

    with urlopen(url, timeout=PATIENCE) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    labels: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


def expressions(dashboard: Path) -> list[str]:
    """
    @return: The queries of a dashboard, with a value for each variable of Grafana in them.
    """
    content = json.loads(dashboard.read_text())
    found = [
        target["expr"] for panel in content["panels"] for target in panel.get("targets", [])
    ]
    for variable in content["templating"]["list"]:
        if isinstance(variable["query"], dict):
            match = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            assert match is not None
            found.append(f"count by ({match[2]}) ({match[1]})")
    return [text.replace("$__rate_interval", "5m") for text in found]


def checkSyntax(test: SynchronousTestCase, expressions: Sequence[str]) -> None:
    """
    Check that Prometheus accepts expressions.
    """
    rules = [{"record": f"test:{n}", "expr": text} for n, text in enumerate(expressions)]
    path = temporaryDirectory(test) / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "test", "rules": rules}]}))
    promtool(test, "check", "rules", "--lint-fatal", str(path))


def promtool(test: SynchronousTestCase, *arguments: str) -> None:
    """
    Run C{promtool}, and check that it finds no fault.
    """
    done = run(
        [program("promtool"), *arguments],
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    test.assertEqual(done.returncode, 0, done.stdout)


def checkNames(test: SynchronousTestCase, expression: str, exported: Exported) -> None:
    """
    Check that a program exports each metric and each label in an expression.
    """
    names = set(re.findall(r"[A-Za-z_:][\w:]*(?!\w*\s*\()\b", _withoutTexts(expression)))
    metrics = {name for name in names if _METRIC.fullmatch(name)} - OF_EACH_TARGET
    metrics |= _byPattern(expression, exported)
    test.assertEqual(metrics - exported.keys(), set(), expression)
    known = LABELS_OF_EACH_TARGET.union(*(exported[name] for name in metrics))
    # The names with a colon are those of recording rules.
    others = {name for name in names if ":" not in name} - metrics - OF_EACH_TARGET - KEYWORDS
    if metrics:
        test.assertEqual(others - known, set(), expression)


def _withoutTexts(expression: str) -> str:
    return re.sub(r"\[[^]]*\]|\b\d+\w*", "", _TEXT.sub("", expression))


def _byPattern(expression: str, exported: Exported) -> set[str]:
    patterns = re.findall(r'__name__=~"([^"]*)"', expression)
    return {name for pattern in patterns for name in exported if re.fullmatch(pattern, name)}


class RulesTests(SynchronousTestCase):
    """
    The tests for one file of rules.  Import the module, not the class: a module that has the
    class in it runs the tests of the class, too.

    @cvar path: The file.

    @cvar cases: The series for each alert.
    """

    path: Path
    cases: Mapping[str, Case]

    def setUp(self) -> None:
        if find_spec("ruamel") is None:
            lacking("ruamel.yaml")
        from ruamel.yaml import YAML

        groups = YAML(typ="safe").load(self.path)["groups"]
        self.rules: list[Any] = [rule for group in groups for rule in group["rules"]]
        self.alerts = {rule["alert"]: rule for rule in self.rules if "alert" in rule}

    def test_valid(self) -> None:
        """
        Prometheus accepts the rules.
        """
        promtool(self, "check", "rules", "--lint-fatal", str(self.path))

    def test_cases(self) -> None:
        """
        Each alert fires with the one series, and not with the other.
        """
        self.assertEqual(self.cases.keys(), self.alerts.keys())
        tests = [test for name, case in self.cases.items() for test in self._tests(name, case)]
        path = temporaryDirectory(self) / "tests.json"
        path.write_text(
            json.dumps(
                {
                    "rule_files": [str(self.path)],
                    "evaluation_interval": "1m",
                    "tests": tests,
                }
            )
        )
        promtool(self, "test", "rules", str(path))

    def test_texts(self) -> None:
        """
        Each alert has a severity, a summary and a description, and they use only labels that
        the alert has.
        """
        for name, rule in self.alerts.items():
            self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"), name)
            self.assertEqual(set(rule["annotations"]), {"summary", "description"}, name)
            for text in rule["annotations"].values():
                self.assertTrue(text.endswith("."), text)
                used = set(re.findall(r"\$labels\.(\w+)", text))
                self.assertEqual(used - self.cases[name].labels.keys(), set(), text)

    def _tests(self, name: str, case: Case) -> Iterator[dict[str, Any]]:
        labels = {**case.labels, "severity": self.alerts[name]["labels"]["severity"]}
        state = {"alertname": name, "alertstate": "firing"}
        firing = series("ALERTS", state)
        expected = {"labels": series("ALERTS", {**state, **labels}), "value": 1}
        yield _test(f"{name} fires", case.fires, firing, [expected])
        yield _test(f"{name} is quiet", case.quiet, f"count_over_time({firing}[30m])", [])


def _test(
    name: str, series: Mapping[str, str], expression: str, samples: list[Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": "30m", "exp_samples": samples}],
    }
