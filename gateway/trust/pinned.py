"""A signing certificate that we believe belongs to an authority, and the files certificates lie in."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import TrustInvalid
from gateway.trust import algorithms
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.chains import UNREADABLE
from gateway.trust.folder import read_public

DEVELOPMENT_ONLY = "DEVELOPMENT ONLY"  # stands in the subject of every development certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A signing certificate we believe belongs to an authority."""

    authority: str
    fingerprint: str  # SHA-256 of the DER, lower-case hex
    digest: bytes  # the same in base64, as the signed properties carry it
    subject: str  # RFC 4514
    algorithm: SignatureAlgorithm
    public_key: algorithms.PublicKey
    not_before: datetime  # UTC
    not_after: datetime  # UTC
    file: str  # name of the file in `pinned/`
    chain: tuple[x509.Certificate, ...]  # what the file holds: the certificate, then its issuers without the anchor

    @property
    def development(self) -> bool:
        """Tell whether it is a development certificate; such a certificate proves nothing."""
        return DEVELOPMENT_ONLY in self.subject

    def check(self, data: bytes, signature: bytes) -> None:
        """Check a raw signature over `data`. Raises `SignatureInvalid`."""
        self.algorithm.check(self.public_key, signature, data)


def pin(authority: str, path: Path) -> Pinned:
    """Return the certificate in a file of `pinned/`, believed to be the authority's. Raises `TrustInvalid`."""
    chain = read_certificates(path)
    leaf = chain[0]
    key = leaf.public_key()
    algorithm = algorithms.of_key(key)
    if algorithm is None:
        raise TrustInvalid(f"pinned/{path.name}: the certificate holds no key of an algorithm we accept ({algorithms.names()})")
    assert isinstance(key, algorithms.PublicKey), "of_key takes no other kind"
    digest = sha256(leaf.public_bytes(Encoding.DER)).digest()
    return Pinned(
        authority=authority,
        fingerprint=digest.hex(),
        digest=b64encode(digest),
        subject=leaf.subject.rfc4514_string(),
        algorithm=algorithm,
        public_key=key,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        file=path.name,
        chain=tuple(chain),
    )


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file, at least one. Raises `TrustInvalid`."""
    try:
        return x509.load_pem_x509_certificates(read_public(path))
    except UNREADABLE as error:
        raise TrustInvalid(f"{path.parent.name}/{path.name} holds no certificate in PEM") from error


def read_folder(folder: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates of all PEM files in a folder, in the order of their names. Raises `TrustInvalid`."""
    return tuple(each for path in sorted(folder.glob("*.pem")) for each in read_certificates(path))
