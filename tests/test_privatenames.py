"""
The private names of Twisted that echod uses, and that it uses no others.

A new version of Twisted may rename or change any of them without notice, so setup.cfg
has an upper bound.  To raise it, run this test with the new version, and read what
Twisted has changed about each name.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, lacking
from tests.support.privatenames import OURS, classes, defined, imported, inherited, source, used

MODULES: set[str] = set()
"""
The private modules that are imported.
"""

NAMES = {
    "twisted.internet._signals._MultiSignalHandling": {"_signalHandlings"},
    "twisted.internet.abstract.FileDescriptor": {
        "_getLogPrefix",
        "_maybePauseProducer",
        "_tempDataBuffer",
        "_tempDataLen",
        "_writeDisconnected",
        "_writeDisconnecting",
    },
    "twisted.internet.asyncioreactor.AsyncioSelectorReactor": {
        "_asyncioEventloop",
        "_cancelCallLater",
        "_cancellations",
        "_disconnectSelectable",
        "_onTimer",
        "_pendingTimedCalls",
        "_reschedule",
        "_scheduledAt",
        "_signalsFactory",
        "_timerHandle",
    },
    "twisted.internet.tcp.Connector": {"_makeTransport"},
    "twisted.internet.tcp.Port": {"_buildAddr", "_fromListeningDescriptor", "_realPortNumber"},
    "twisted.internet.tcp.Server": {
        "_addressType",
        "_closeSocket",
        "_closeWriteConnection",
        "_fromConnectedSocket",
        "_shouldShutdown",
    },
    "twisted.internet.udp.Port": {
        "_bindSocket",
        "_connectToProtocol",
        "_fromListeningDescriptor",
    },
    "twisted.internet.unix.Port": {
        "_fromListeningDescriptor",
        "_preexistingSocket",
        "_shouldShutdown",
    },
    "twisted.protocols.basic.LineReceiver": {"_buffer"},
    "twisted.protocols.tls.TLSMemoryBIOProtocol": {
        "_aborted",
        "_handshakeDone",
        "_reason",
        "_shutdownTLS",
        "_tlsConnection",
        "_tlsShutdownFinished",
    },
    "twisted.web.http.HTTPChannel": {"_networkProducer", "_waitingForTransport"},
}
"""
The private names that are used or overridden, by the class that has them.  uvloop is not
among them: nothing private of it is used.
"""

NEEDED = {"prometheus_client": "status", "OpenSSL": "tls", "uvloop": "uvloopreactor"}
"""
Packages that modules of echod need for their import.
"""


@cache
def trees() -> dict[str, ast.Module]:
    """
    @return: The modules of this project, by their names.
    """
    paths = [path for folder in OURS for path in (CHECKOUT / folder).rglob("*.py")]
    paths += CHECKOUT.glob("twisted/plugins/*.py")
    return {
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts): ast.parse(
            path.read_text("utf-8")
        )
        for path in paths
    }


class PrivateNamesTests(SynchronousTestCase):
    """
    The list of private names is complete, and right for the installed Twisted.
    """

    def setUp(self) -> None:
        for package in NEEDED:
            if find_spec(package) is None:
                lacking(package)
        self.trees = trees()
        self.listed = set().union(*NAMES.values())

    def test_there(self) -> None:
        """
        The installed Twisted has each name that is listed.
        """
        for module in MODULES:
            import_module(module)
        for owner, names in NAMES.items():
            self.assertEqual(names - inherited(namedAny(owner)).keys(), set(), owner)

    def test_modules(self) -> None:
        """
        The private modules that are imported are those that are listed.
        """
        found = {name for tree in self.trees.values() for name in imported(tree)}
        self.assertEqual(found, MODULES)

    def test_attributes(self) -> None:
        """
        Each private attribute that is used is either defined in this project or listed.
        """
        ours = set().union(*map(defined, self.trees.values()))
        for module, tree in self.trees.items():
            self.assertEqual(used(tree) - ours - self.listed, set(), module)

    def test_subclasses(self) -> None:
        """
        No class of this project uses, overrides or sets a private name of its bases
        that is not listed.
        """
        modules = [
            import_module(name)
            for name in self.trees
            if name.partition(".")[0] in OURS and not name.endswith("__main__")
        ]
        for kind in classes(modules):
            tree = source(kind)
            shared = (used(tree) | defined(tree)) & inherited(kind).keys()
            listed = set().union(
                *(names for owner, names in NAMES.items() if namedAny(owner) in kind.__mro__)
            )
            self.assertEqual(shared - listed, set(), kind)

    def test_nothingElse(self) -> None:
        """
        Each name that is listed is used.
        """
        names = {name for tree in self.trees.values() for name in used(tree) | defined(tree)}
        self.assertEqual(self.listed - names, set())


class ScannerTests(SynchronousTestCase):
    """
    Tests for L{tests.support.privatenames}.
    """

    def test_imported(self) -> None:
        """
        A private module or name is found however it is imported; our own is not.
        """
        for text, names in (
            ("import a._b.c", ["a._b"]),
            ("from a import b, _c", ["a._c"]),
            ("def f():\n    from a._b import c", ["a._b"]),
            ("from echod._version import x", []),
            ("from __future__ import annotations", []),
        ):
            self.assertEqual(list(imported(ast.parse(text))), names, text)

    def test_used(self) -> None:
        """
        A private attribute is found where it is read, set, called, or named in a text.
        """
        for text in ("a._b", "a._b = 1", "a._b()", "getattr(a, '_b')", "super()._b()"):
            self.assertEqual(used(ast.parse(text)), {"_b"}, text)
        for text in ("a.b", "a.__b__", "_b", "a._replace(b=1)", "'_b'"):
            self.assertEqual(used(ast.parse(text)), set(), text)

    def test_defined(self) -> None:
        """
        A private name is defined by a function, a variable, a slot, or on C{self}.
        """
        for text in (
            "def _b(): pass",
            "class A:\n    _b = 1",
            "class A:\n    _b: int",
            "class A:\n    __slots__ = ('_b', 'c')",
            "class A:\n    def f(self):\n        self._b, c = 1, 2",
        ):
            self.assertEqual(defined(ast.parse(text)), {"_b"}, text)
        for text in ("a._b = 1", "self._b", "_b"):
            self.assertEqual(defined(ast.parse(text)), set(), text)
