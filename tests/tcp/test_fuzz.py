"""
Tests with arguments that nobody would think of.
"""

from __future__ import annotations

from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from echod.tap import Options, makeService
from tests.support import lacking
from tests.support.properties import given, st


class OptionsTests(SynchronousTestCase):
    """
    Tests for L{Options}.
    """

    def test_anyArguments(self) -> None:
        """
        All arguments are understood, or refused in one line.
        """
        if given is None:
            lacking("hypothesis")
        known = Options(MemoryReactorClock())
        # These two print and exit, whatever else there is.
        names = sorted(set(known.longOpt) - {"help", "version"})
        piece = st.one_of(
            st.sampled_from(
                [
                    *("0", "1", "8080", "65535", "65536", "-1", "1e9", "nan", "inf", "0.5"),
                    *("127.0.0.1", "[::]", "[", "]", ":", "/", "/24", "/129", "%lo", "=", ","),
                    *("tcp:", "unix:", "ssl:", "systemd:", "haproxy:", "interface=", "\\", " "),
                ]
            ),
            st.integers().map(str),
            st.ip_addresses().map(str),
            # Arguments have no NUL, and a byte that is no UTF-8 is a surrogate.
            st.text(st.characters(exclude_characters="\0"), max_size=5),
        )
        value = st.lists(piece, max_size=5).map("".join)
        option = st.sampled_from(names)
        argument = st.one_of(
            st.tuples(option, value).map(lambda both: [f"--{both[0]}{both[1]}"]),
            st.tuples(option, value).map(lambda both: [f"--{both[0]}", both[1]]),
            value.map(lambda stray: [stray]),
        )

        @given(st.lists(argument, max_size=4))
        def check(arguments: list[list[str]]) -> None:
            options = Options(MemoryReactorClock())
            try:
                options.parseOptions([word for words in arguments for word in words])
                makeService(options)
            except UsageError as error:
                self.assertEqual(str(error).splitlines(), [str(error)])

        check()
