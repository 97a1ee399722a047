"""
Check the files of TLS endpoints before Twisted reads them.

Twisted's errors do not name the file, some of them come only with the first handshake, and
for an encrypted key OpenSSL asks the terminal for a passphrase.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.logger import Logger

from echod.net.descriptions import fields
from echod.net.format import quoted

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_log = Logger(namespace="echod.tls")


class WrongFile(ValueError):
    """
    A file is missing or wrong.  The message names it.
    """


def checkServerFiles(description: str) -> None:
    """
    Check the files of a server endpoint description: C{ssl:} or C{tls:}.

    @raise WrongFile: if one is wrong.

    @raise ImportError: if cryptography is missing.
    """
    kind, given = fields(description, ("port", "privateKey", "certKey"))
    if kind == "ssl":
        key = given.get("privateKey", "server.pem")
        _checkPair(key, given.get("certKey", key), "privateKey= and certKey=")
        if "extraCertChain" in given:
            _checkCertificate(given["extraCertChain"])
        if "dhParameters" in given:
            _checkContent(given["dhParameters"], b"BEGIN DH PARAMETERS", "parameters")
    elif kind == "tls":
        _, given = fields(description, ("path",))
        _checkFolder(given.get("path", ""))


def checkClientFiles(description: str) -> None:
    """
    Check the files of a client endpoint description: C{ssl:} or C{tls:}.

    @raise WrongFile: if one is wrong.

    @raise ImportError: if cryptography is missing.
    """
    kind, given = fields(description, ())
    if kind not in ("ssl", "tls"):
        return
    name = "certKey" if kind == "ssl" else "certificate"
    certificate = given.get(name)
    if certificate is not None:
        _checkPair(
            given.get("privateKey", certificate), certificate, name + "= and privateKey="
        )
    folder = given.get("caCertsDir" if kind == "ssl" else "trustRoots")
    if folder is not None:
        _checkFolder(folder)


def _checkPair(key: str, certificate: str, names: str) -> None:
    """
    Check a key and its certificate.

    @param names: The arguments that name two files, if both are in one file.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if Path(key).is_fifo() or Path(certificate).is_fifo():
        # A pipe can be read only once.
        return
    hint = f"; {names} name two files" if key == certificate else ""
    content = _checkContent(key, b"PRIVATE KEY-----", "private key", hint)
    try:
        public = load_pem_private_key(content, None).public_key()
    except TypeError:
        raise WrongFile(
            f"{quoted(key)}: the key is encrypted; 'openssl pkey -in {key}' decrypts it"
        ) from None
    except ValueError:
        raise WrongFile(f"{quoted(key)}: the private key is damaged") from None
    if _checkCertificate(certificate, hint).public_key() != public:
        raise WrongFile(
            f"{quoted(key)}: the key does not fit the certificate in {quoted(certificate)}"
        )


def _checkCertificate(path: str, hint: str = "") -> Certificate:
    """
    @return: The first certificate in a file.
    """
    from cryptography.x509 import load_pem_x509_certificates

    content = _checkContent(path, b"BEGIN CERTIFICATE-----", "certificate", hint)
    try:
        first, *_ = load_pem_x509_certificates(content)
    except ValueError:
        raise WrongFile(f"{quoted(path)}: the certificate is damaged") from None
    if first.not_valid_after_utc < datetime.now(timezone.utc):
        _log.warn("{path}: the certificate has expired; peers may refuse it", path=path)
    return first


def _checkFolder(path: str) -> None:
    """
    Check a folder with certificates in C{.pem} files.  Twisted ignores the wrong ones.
    """
    try:
        files = [str(each) for each in Path(path).iterdir() if each.suffix.lower() == ".pem"]
    except OSError as error:
        raise WrongFile(f"{quoted(path)}: {error.strerror}") from None
    problems = []
    for file in files:
        try:
            _checkCertificate(file)
        except WrongFile as error:
            problems.append(str(error))
        else:
            return
    raise WrongFile("; ".join(problems) or f"{quoted(path)}: the folder has no .pem file")


def _checkContent(path: str, mark: bytes, what: str, hint: str = "") -> bytes:
    """
    @param mark: The text that the file must contain.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise WrongFile(f"{quoted(path)}: {error.strerror}") from None
    if mark not in content:
        raise WrongFile(f"{quoted(path)}: no {what} in PEM format{hint}")
    return content
