"""
A pytest plugin: the fixture C{echod} is a running echod, to test clients with.

The plugin is a package of its own because importing C{echod} imports Twisted, and a
test session without the fixture should not wait for that.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pluggy

    from pytest_echod.daemon import Daemon

__all__ = ["Daemon"]

MARKER = (
    "echod(*options, impair=...): run the echod of the fixture with these options of "
    "twistd echod, and with one impairment or a list of them."
)

_RUNNING = pytest.StashKey["Daemon"]()


def __getattr__(name: str) -> type[Daemon]:
    """
    Import L{Daemon} when it is used: most test sessions do not use it.
    """
    if name != "Daemon":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pytest_echod.daemon import Daemon

    return Daemon


def pytest_configure(config: pytest.Config) -> None:
    """
    Register the marker.
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
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pluggy.Result[pytest.TestReport], None]:
    """
    Show the log of echod in the report of a test that failed.
    """
    outcome = yield
    report = outcome.get_result()
    daemon = item.stash.get(_RUNNING, None)
    if daemon is not None and report.failed:
        report.sections.append(("echod log", daemon.log))


def _options(node: pytest.Item) -> list[str]:
    """
    @return: The options of all markers.  Those of the test come last: where options
        conflict, the last one counts.
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
