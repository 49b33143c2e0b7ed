"""The private keys of the home authorities: one signing key each, sealing keys, and keys for second signatures.

A `SigningKey` is a port: a file here, a hardware module elsewhere. Where the files lie: gateway/trust/folder.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from gateway.errors import KeyMissing, TrustInvalid
from gateway.trust import algorithms
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.folder import PRIVATE, authority_files, read_private
from gateway.trust.mldsa import ML_DSA_65, SecondKey
from gateway.trust.mldsa import SCHEMES as SECOND_SCHEMES
from gateway.trust.private_documents import read_private_document, write_private_document
from gateway.trust.suites import SUITES, PrivateKey, SealingSuite


class SigningKey(Protocol):
    """Signs for one authority with one algorithm."""

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
        """Return the raw signature value. Raises `Unavailable` if a hardware module does not answer."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedKey:
    """A private sealing key with its suite."""

    key_id: str
    suite: SealingSuite
    private_key: PrivateKey

    def __repr__(self) -> str:
        return f"SealedKey({self.key_id})"


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


def private_sealing_document(authority: str, suite: SealingSuite, private: bytes) -> bytes:
    """Return the JSON file of a private sealing key."""
    return write_private_document(authority, "suite", suite, private)


def read_sealing_key(authority: str, path: Path) -> SealedKey:
    """Read a private sealing key. Raises `KeyMissing`, `TrustInvalid`."""
    found = read_private_document(authority, path, "suite", SUITES, "sealing key")
    return SealedKey(key_id=found.key_id, suite=found.scheme, private_key=found.scheme.load_private(found.raw))


def private_second_document(authority: str, private: bytes) -> bytes:
    """Return the JSON file of a private key for second signatures."""
    return write_private_document(authority, "algorithm", ML_DSA_65, private)


def read_second_key(authority: str, path: Path) -> SecondKey:
    """Read a private key for second signatures. Raises `KeyMissing`, `TrustInvalid`."""
    found = read_private_document(authority, path, "algorithm", SECOND_SCHEMES, "key for second signatures")
    return SecondKey(key_id=found.key_id, scheme=found.scheme, private_key=found.scheme.load_private(found.raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The private keys of this installation, read once at start."""

    _signing: Mapping[str, SigningKey]
    _sealing: Mapping[tuple[str, str], SealedKey]  # (authority, key id)
    _second: Mapping[tuple[str, str], SecondKey]  # (authority, key id)

    @classmethod
    def load(cls, folder: Path) -> "KeyRing":
        """Read every private key in the key folder. Raises `KeyMissing` if there is no such folder, `TrustInvalid`."""
        private = folder / PRIVATE
        if not private.is_dir():
            raise KeyMissing("the key folder holds no private keys; 'gateway keys new --development' makes development keys")
        signing: dict[str, SigningKey] = {}
        for authority, path in authority_files(private, ".signing.pem"):
            if authority in signing:  # which one signs must never depend on the order of files
                raise TrustInvalid(f"private/ holds two signing keys of {authority}; keep the one that is in use")
            signing[authority] = read_signing_key(authority, path)
        sealing: dict[tuple[str, str], SealedKey] = {}
        for authority, path in authority_files(private, ".sealing.json"):
            key = read_sealing_key(authority, path)
            sealing[authority, key.key_id] = key
        second: dict[tuple[str, str], SecondKey] = {}
        for authority, path in authority_files(private, ".second.json"):
            other = read_second_key(authority, path)
            second[authority, other.key_id] = other
        return cls(_signing=signing, _sealing=sealing, _second=second)

    def authorities(self) -> tuple[str, ...]:
        """Return the authorities this installation can sign for, in alphabetical order."""
        return tuple(sorted(self._signing))

    def signing(self, authority: str) -> SigningKey:
        """Return the authority's signing key. Raises `KeyMissing`."""
        try:
            return self._signing[authority]
        except KeyError:
            raise KeyMissing(f"there is no private signing key of {authority} in the key folder") from None

    def sealing(self, authority: str, key_id: str) -> SealedKey:
        """Return the authority's private sealing key with that id. Raises `KeyMissing`."""
        try:
            return self._sealing[authority, key_id]
        except KeyError:
            raise KeyMissing(f"there is no private sealing key {key_id} of {authority} in the key folder") from None

    def second(self, authority: str, key_id: str) -> SecondKey | None:
        """Return the authority's private key for second signatures with that id, None if it is not here."""
        return self._second.get((authority, key_id))

    def sealing_ids(self, authority: str) -> tuple[str, ...]:
        """Return the ids of the authority's private sealing keys."""
        return tuple(sorted(found for owner, found in self._sealing if owner == authority))
