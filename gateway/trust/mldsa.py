"""ML-DSA-65 (FIPS 204), the post-quantum algorithm of second signatures, and its private keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondKey:
    """A private key for second signatures."""

    key_id: str
    scheme: MlDsa65
    private_key: MLDSA65PrivateKey

    def __repr__(self) -> str:
        return f"SecondKey({self.key_id})"
