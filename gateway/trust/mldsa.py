"""ML-DSA-65 (FIPS 204), the post-quantum algorithm of second signatures, and its private keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from gateway.trust.folder import authority_files, private_folder
from gateway.trust.private_documents import read_private_document

MU_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MlDsa65:
    """ML-DSA with the middle parameter set; raw keys: private 32 bytes (the seed), public 1952."""

    name: str = "ml-dsa-65"

    def new_private(self) -> bytes:
        return MLDSA65PrivateKey.generate().private_bytes_raw()

    def public_of(self, raw: bytes) -> bytes:
        return self.load_private(raw).public_key().public_bytes_raw()

    def load_private(self, raw: bytes) -> MLDSA65PrivateKey:
        return MLDSA65PrivateKey.from_seed_bytes(raw)

    def load_public(self, raw: bytes) -> MLDSA65PublicKey:
        return MLDSA65PublicKey.from_public_bytes(raw)


ML_DSA_65: Final = MlDsa65()
SCHEMES: Final[Mapping[str, MlDsa65]] = {ML_DSA_65.name: ML_DSA_65}


class SecondSigner(Protocol):
    """Makes second signatures: a key of this process, or of another."""

    @property
    def key_id(self) -> str: ...

    @property
    def scheme(self) -> MlDsa65: ...

    def sign_mu(self, mu: bytes) -> bytes:
        """Return the signature over what ML-DSA calls mu, the digest of public key and message (FIPS 204, 6.2).

        Raises `SignerUnavailable` where another process holds the key.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondKey:
    """A private key for second signatures, in this process's memory."""

    key_id: str
    scheme: MlDsa65
    private_key: MLDSA65PrivateKey

    def __repr__(self) -> str:
        return f"SecondKey({self.key_id})"

    def sign_mu(self, mu: bytes) -> bytes:
        return self.private_key.sign_mu(mu)


def read_second_key(authority: str, path: Path) -> SecondKey:
    """Read a private key for second signatures. Raises `KeyMissing`, `TrustInvalid`."""
    found = read_private_document(authority, path, "algorithm", SCHEMES, "key for second signatures")
    return SecondKey(key_id=found.key_id, scheme=found.scheme, private_key=found.scheme.load_private(found.raw))


def read_second_keys(folder: Path) -> Mapping[tuple[str, str], SecondKey]:
    """Read every private key for second signatures of a key folder, by authority and key id. Raises as `read_second_key`."""
    found: dict[tuple[str, str], SecondKey] = {}
    for authority, path in authority_files(private_folder(folder), ".second.json"):
        key = read_second_key(authority, path)
        found[authority, key.key_id] = key
    return found
