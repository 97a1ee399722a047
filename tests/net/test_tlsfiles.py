"""
Tests for L{echod.net.tlsfiles}.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from echod.client.endpoints import streamEndpoint as clientEndpoint
from echod.client.target import Description
from echod.config.addresses import Address, streamEndpoint
from echod.net.tlsfiles import WrongFile, checkClientFiles, checkServerFiles
from echod.service.inherited import inherited
from tests.support import lacking, logged, temporaryDirectory
from tests.support.tls import makeCertificate

MARK = b"-----BEGIN CERTIFICATE-----"


class TLSFilesTests(SynchronousTestCase):
    """
    Tests with real files.
    """

    def setUp(self) -> None:
        if not (find_spec("OpenSSL") and find_spec("cryptography")):
            lacking("the tls extra")
        self.directory = temporaryDirectory(self)
        self.both = makeCertificate(self.directory / "both.pem")
        key, mark, certificate = self.both.read_bytes().partition(MARK)
        self.key = self.write("good.key", key)
        self.certificate = self.write("good.crt", mark + certificate)
        other = makeCertificate(self.directory / "other.pem").read_bytes()
        self.other = self.write("other.crt", other[other.index(MARK) :])
        self.junk = self.write("junk", b"junk")
        self.damagedKey = self.write("damaged.key", key[:60] + b"\n" + key[-30:])
        self.damaged = self.write("damaged.crt", mark + b"\nAAAA\n-----END CERTIFICATE-----\n")
        self.encrypted = self.write("encrypted.key", self.encrypt(key))
        self.missing = self.directory / "missing"

    def write(self, name: str, content: bytes) -> Path:
        """
        @return: The path of a new file.
        """
        path = self.directory / name
        path.write_bytes(content)
        return path

    def encrypt(self, key: bytes) -> bytes:
        """
        @return: The key, protected by a passphrase.
        """
        from cryptography.hazmat.primitives import serialization

        return serialization.load_pem_private_key(key, None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )

    def folder(self, name: str, *files: Path) -> Path:
        """
        @return: A folder with copies of files, whose names end in C{.pem}.
        """
        folder = self.directory / name
        folder.mkdir()
        for file in files:
            (folder / f"{file.stem}.pem").write_bytes(file.read_bytes())
        return folder

    def test_rightServer(self) -> None:
        """
        Valid files of a server get no message, however the description names them.
        """
        for description in (
            f"ssl:0:privateKey={self.key}:certKey={self.certificate}",
            f"ssl:0:{self.key}:{self.certificate}",
            f"SSL:0:privateKey={self.both}",
            f"ssl:0:privateKey={self.both}:extraCertChain={self.other}",
            f"tls:{self.folder('sni', self.both)}:0",
            "tcp:0",
            "unix:/run/privateKey=x",
        ):
            checkServerFiles(description)

    def test_wrongServer(self) -> None:
        """
        The message about a wrong file of a server names the file and the problem.
        """
        key, certificate = self.key, self.certificate
        for arguments, file, problem in (
            (f"{self.missing}:{certificate}", self.missing, "No such file or directory"),
            (f"{key}:certKey={self.missing}", self.missing, "No such file or directory"),
            (f"{self.directory}:{certificate}", self.directory, "Is a directory"),
            (f"{key}:{self.directory}", self.directory, "Is a directory"),
            (f"{self.junk}:{certificate}", self.junk, "no private key in PEM format"),
            (f"{key}:{self.junk}", self.junk, "no certificate in PEM format"),
            (
                f"{key}",
                key,
                "no certificate in PEM format; privateKey= and certKey= name two",
            ),
            (f"{self.damagedKey}:{certificate}", self.damagedKey, "the private key is damaged"),
            (f"{key}:{self.damaged}", self.damaged, "the certificate is damaged"),
            (
                f"{key}:{self.other}",
                key,
                f"the key does not fit the certificate in {self.other}",
            ),
            (
                f"{self.encrypted}:{certificate}",
                self.encrypted,
                f"the key is encrypted; 'openssl pkey -in {self.encrypted}' decrypts it",
            ),
            (f"{key}:{certificate}:extraCertChain={self.junk}", self.junk, "no certificate"),
            (f"{key}:{certificate}:dhParameters={self.missing}", self.missing, "No such file"),
            (f"{key}:{certificate}:dhParameters={self.junk}", self.junk, "no parameters"),
        ):
            error = self.assertRaises(WrongFile, checkServerFiles, f"ssl:0:{arguments}")
            self.assertTrue(str(error).startswith(f"{file}: {problem}"), str(error))
        error = self.assertRaises(WrongFile, checkServerFiles, f"tls:{self.missing}:0")
        self.assertEqual(str(error), f"{self.missing}: No such file or directory")

    def test_defaultKey(self) -> None:
        """
        Without C{privateKey=}, the file is the one that Twisted would read.
        """
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(self.directory)
        error = self.assertRaises(WrongFile, checkServerFiles, "ssl:0")
        self.assertEqual(str(error), "server.pem: No such file or directory")

    def test_colonInName(self) -> None:
        """
        The name of a file may contain an escaped colon.
        """
        self.both.rename(self.directory / "a:b")
        checkServerFiles(f"ssl:0:privateKey={self.directory}/a\\:b")

    def test_pipe(self) -> None:
        """
        A pipe is not read: only its first reader gets the key.
        """
        os.mkfifo(self.directory / "pipe")
        checkServerFiles(f"ssl:0:privateKey={self.directory}/pipe:certKey={self.certificate}")

    def test_expired(self) -> None:
        """
        A certificate that has expired is served, with a warning.
        """
        expired = makeCertificate(self.directory / "expired.pem", days=-1)
        with logged() as lines:
            checkServerFiles(f"ssl:0:privateKey={expired}")
        self.assertEqual(
            lines, [f"{expired}: the certificate has expired; peers may refuse it"]
        )

    def test_rightClient(self) -> None:
        """
        Valid files of a client get no message.
        """
        for description in (
            f"tls:host:1:trustRoots={self.folder('one', self.other, self.junk)}",
            f"tls:host:1:certificate={self.certificate}:privateKey={self.key}",
            f"tls:host:1:certificate={self.both}",
            f"ssl:host:1:caCertsDir={self.folder('two', self.other)}:certKey={self.both}",
            f"tcp:host:1:trustRoots={self.missing}",
            "tls:host:1",
        ):
            checkClientFiles(description)

    def test_wrongClient(self) -> None:
        """
        The message about a wrong file of a client names the file and the problem.
        """
        empty, wrong = self.folder("empty"), self.folder("wrong", self.junk)
        for arguments, file, problem in (
            (f"trustRoots={self.missing}", self.missing, "No such file or directory"),
            (f"trustRoots={self.other}", self.other, "Not a directory"),
            (f"trustRoots={empty}", empty, "the folder has no .pem file"),
            (f"trustRoots={wrong}", wrong / "junk.pem", "no certificate in PEM format"),
            (f"certificate={self.missing}", self.missing, "No such file or directory"),
            (
                f"certificate={self.certificate}",
                self.certificate,
                "no private key in PEM format; certificate= and privateKey= name two",
            ),
            (f"certificate={self.other}:privateKey={self.key}", self.key, "the key does not"),
        ):
            error = self.assertRaises(WrongFile, checkClientFiles, f"tls:host:1:{arguments}")
            self.assertTrue(str(error).startswith(f"{file}: {problem}"), str(error))

    def test_endpoints(self) -> None:
        """
        Both programs check the files before anything else, and add nothing to the message.
        """
        problem = f"{self.missing}: No such file or directory"
        address = Address(f"ssl:0:privateKey={self.missing}")
        error = self.assertRaises(WrongFile, streamEndpoint, address, None, inherited)
        self.assertEqual(str(error), problem)
        target = Description(f"tls:host:1:trustRoots={self.missing}")
        error = self.assertRaises(WrongFile, clientEndpoint, None, target, 1)
        self.assertEqual(str(error), problem)
