"""
Tests that say goodbye with real clients, key by key, at a terminal.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.goodbyeecho import GOODBYE
from tests.story.typist import Terminal
from tests.support import ENVIRONMENT, needs, temporaryDirectory
from tests.support.daemon import Daemon


class ClientTests(SynchronousTestCase):
    """
    Tests for programs with which people talk to an echo server.
    """

    def start(self, command: str) -> Terminal:
        """
        Start a client at a terminal, and a daemon for it.
        """
        needs("setsid", command.partition(" ")[0])
        self.daemon = Daemon("--tcp", "127.0.0.1:0", "--show-messages")
        self.addCleanup(self.daemon.stop)
        terminal = Terminal(temporaryDirectory(self), ENVIRONMENT)
        self.addCleanup(terminal.close)
        terminal.start(command.format(port=self.daemon.tcp[1]))
        self.daemon.expect("connected$")
        return terminal

    def test_nc(self) -> None:
        """
        C{nc} sends the line with its end.
        """
        terminal = self.start("nc 127.0.0.1 {port}")
        for key in "bye\n":
            terminal.press(key)
        self.daemon.expect(f"ended: {GOODBYE}; 4 bytes in, 0 bytes out")

    def assertHeard(self, terminal: Terminal) -> None:
        """
        Check that the goodbye is heard if it is typed slowly after another line: its
        letters are returned, and only the NUL and the Enter before it are not.
        """
        # The client takes a moment to leave line mode.
        received = ""
        while received != r"\r\x00":
            terminal.press("\r")
            received = self.daemon.expect(r"from .*?:\d+: (\S*)$")[1]
        for key in "bye\r":
            terminal.pause()
            terminal.press(key)
        match = self.daemon.expect(rf"ended: {GOODBYE}; (\d+) bytes in, (\d+) bytes out")
        self.assertEqual(int(match[1]) - int(match[2]), len("\r\0"))

    def test_telnet(self) -> None:
        """
        C{telnet} in character mode sends each key by itself, and a NUL after Enter.  It
        negotiates first, and the returned commands do not make it negotiate again.
        """
        terminal = self.start("telnet 127.0.0.1 {port}")
        terminal.waitFor("Escape character")
        # Keys before telnet has set its mode are lost.
        terminal.pause()
        terminal.press("\x1d")
        terminal.waitFor("telnet> ")
        terminal.press("mode character\n")
        self.daemon.expect(r"from .*: \\xff\\xfb\\x03\\xff\\xfc\\x01$")
        self.assertHeard(terminal)
        terminal.waitFor("Connection closed by foreign host")

    def test_plink(self) -> None:
        """
        So does C{plink -telnet}, the PuTTY of the command line.
        """
        terminal = self.start("plink -telnet -P {port} 127.0.0.1")
        self.daemon.expect(r"from .*: \\xff\\xfe\$$")
        self.assertHeard(terminal)
