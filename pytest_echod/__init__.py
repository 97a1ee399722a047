"""
A pytest plugin: the fixture C{echod} is a running echod, to test clients with.

It is a package of its own, as C{echod} imports Twisted, which no test session that
does without this should wait for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_echod.daemon import Daemon

__all__ = ["Daemon"]

MARKER = (
    "echod(*options, impair=...): run the echod of the fixture with these options of the "
    "command line, and misbehaving so on purpose (a specification, or several)."
)

_RUNNING = pytest.StashKey["Daemon"]()


def __getattr__(name: str) -> Any:
    """
    Import L{Daemon} only when it is asked for: most test sessions do not use it.
    """
    if name != "Daemon":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pytest_echod.daemon import Daemon

    return Daemon


def pytest_configure(config: pytest.Config) -> None:
    """
    Make the marker known.
    """
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(name="echod")
def fixture(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """
    A running echod: echod.tcp, echod.udp and echod.greeting are (host, port).
    """
    from pytest_echod.daemon import CannotRun, Daemon

    try:
        daemon = Daemon(*_options(request.node))
    except CannotRun as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    request.node.stash[_RUNNING] = daemon
    with daemon:
        yield daemon


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """
    Show the log where a test fails.
    """
    outcome = yield
    report = outcome.get_result()
    daemon = item.stash.get(_RUNNING, None)
    if daemon is not None and report.failed:
        report.sections.append(("echod log", daemon.log))


def _options(node: pytest.Item) -> list[str]:
    """
    @return: The options of all markers, those of the test itself last.
    """
    options: list[str] = []
    for marker in reversed(list(node.iter_markers("echod"))):
        impair = marker.kwargs.get("impair", ())
        specifications = [impair] if isinstance(impair, str) else impair
        options += map(str, marker.args)
        if marker.kwargs.keys() - {"impair"} or not isinstance(specifications, (list, tuple)):
            pytest.fail(f"{marker.kwargs}: the marker is {MARKER}", pytrace=False)
        for specification in specifications:
            options += ["--impair", str(specification)]
    return options
