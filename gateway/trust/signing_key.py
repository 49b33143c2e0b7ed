"""The port of a signing key, and the key that lies in a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from gateway.errors import TrustInvalid
from gateway.trust import algorithms
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.folder import read_private


class SigningKey(Protocol):
    """Signs for one authority with one algorithm.

    The key lies in a file, in a token (gateway/trust/hardware.py), or in another process (gateway/trust/remote.py).
    """

    @property
    def authority(self) -> str:
        """Return the code of the authority, e.g. "BA-MS"."""
        ...

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Return the certificates in DER: the signing certificate, then its intermediates, without the root."""
        ...

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """Return how it signs; it depends on the kind of key."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature value.

        Raises `Unavailable` if what holds the key does not answer, `Misconfigured` if it cannot sign as it is set up.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKey:
    """A signing key that lies in a file and in this process's memory."""

    authority: str
    chain: tuple[bytes, ...]  # DER, leaf first
    algorithm: SignatureAlgorithm
    private_key: algorithms.PrivateKey

    def __repr__(self) -> str:
        return f"FileKey({self.authority})"

    def sign(self, data: bytes) -> bytes:
        return self.algorithm.sign(self.private_key, data)


def read_signing_key(authority: str, path: Path) -> FileKey:
    """Read a PEM file that holds a private key and its chain. Raises `KeyMissing`, `TrustInvalid`."""
    data = read_private(path)
    try:
        private_key = load_pem_private_key(data, password=None)
        chain = x509.load_pem_x509_certificates(data)
    except (ValueError, TypeError) as error:  # TypeError: the key is encrypted
        raise TrustInvalid(f"private/{path.name} is not a private key followed by its certificates, in PEM") from error
    algorithm = algorithms.of_key(private_key.public_key())
    if algorithm is None:
        raise TrustInvalid(f"private/{path.name} is not a key of an algorithm we sign with ({algorithms.names()})")
    assert isinstance(private_key, algorithms.PrivateKey), "the public part is of one of these kinds"
    if chain[0].public_key() != private_key.public_key():
        raise TrustInvalid(f"private/{path.name}: the first certificate belongs to another key")
    return FileKey(
        authority=authority,
        chain=tuple(each.public_bytes(Encoding.DER) for each in chain),
        algorithm=algorithm,
        private_key=private_key,
    )
