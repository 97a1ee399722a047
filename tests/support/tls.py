"""
A certificate, and a TLS client to talk to a daemon with: Python's C{ssl}, with
the closing alert at the test's command.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Lock

READ_SIZE = 1 << 16
"""
How many bytes are read from the socket at once.
"""


def makeCertificate(path: Path, days: int = 1) -> Path:
    """
    Write a new key and its self-signed certificate to a file.

    @param days: How long the certificate is valid; it has expired if this is negative.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


class TLSClient:
    """
    A socket's methods, over TLS.  One thread may send while another one reads.
    """

    def __init__(
        self,
        client: socket.socket,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        verify: bool = False,
    ) -> None:
        """
        @param verify: True to refuse the certificate, which nobody known has signed.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        self.socket = client
        self._lock = Lock()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing)
        self._unsent = b""
        self._unread = b""
        self._ended = False
        self._shakeHands()
        # A greeting may have come along.
        self._decrypt()

    def fileno(self) -> int:
        """
        @return: The descriptor of the socket.
        """
        return self.socket.fileno()

    def setblocking(self, blocking: bool) -> None:
        """
        Set the mode of the socket.
        """
        self.socket.setblocking(blocking)

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """
        Set an option of the socket.
        """
        self.socket.setsockopt(level, option, value)

    def close(self) -> None:
        """
        Close the socket without an alert.
        """
        self.socket.close()

    def sendall(self, data: bytes) -> None:
        """
        Encrypt and send.
        """
        self._encrypt(data)
        self._flush()

    def send(self, data: bytes) -> int:
        """
        Send what the socket takes of what was encrypted before, or else of this.

        @return: How many bytes of this were taken.
        """
        taken = 0
        if not self._unsent:
            self._encrypt(data)
            taken = len(data)
        self._unsent = self._unsent[self.socket.send(self._unsent) :]
        return taken

    def shutdown(self, how: int) -> None:
        """
        Send the closing alert, and nothing else.
        """
        self.finish(b"")

    def finish(self, data: bytes) -> None:
        """
        Send the last data and the closing alert in one piece.
        """
        self._encrypt(data)
        with self._lock:
            # It would wait for the peer's.
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
            self._unsent += self._outgoing.read()
        self._flush()

    def recv(self, size: int) -> bytes:
        """
        @return: Some of what has come; nothing after the peer's closing alert.

        @raise AssertionError: if the stream ends without one.
        """
        while not self._unread and not self._ended:
            data = self.socket.recv(READ_SIZE)
            assert data, "no closing alert"
            with self._lock:
                self._incoming.write(data)
                self._decrypt()
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _shakeHands(self) -> None:
        while True:
            try:
                return self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._unsent += self._outgoing.read()
                self._flush()
                self._incoming.write(self.socket.recv(READ_SIZE))
            finally:
                self._unsent += self._outgoing.read()
                self._flush()

    def _encrypt(self, data: bytes) -> None:
        with self._lock:
            if data:
                self._tls.write(data)
            self._unsent += self._outgoing.read()

    def _decrypt(self) -> None:
        """
        Leave nothing behind: an alert could not be sent with data unread.
        """
        try:
            while data := self._tls.read(READ_SIZE):
                self._unread += data
            self._ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._ended = True

    def _flush(self) -> None:
        data, self._unsent = self._unsent, b""
        self.socket.sendall(data)
