"""The HPKE suites (RFC 9180) a message may be sealed with, and how their keys are written.

Raw keys: X25519 32 bytes; P-256 32 bytes, public 65 (an uncompressed point); the hybrid is the ML-KEM-768 key (seed 64,
public 1184 bytes) followed by the X25519 key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PrivateKey: TypeAlias = X25519PrivateKey | MLKEM768X25519PrivateKey | ec.EllipticCurvePrivateKey
PublicKey: TypeAlias = X25519PublicKey | MLKEM768X25519PublicKey | ec.EllipticCurvePublicKey

_X25519_BYTES = 32
_P256_BYTES = 32
_P256_PUBLIC_BYTES = 65


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingSuite:
    """One suite under its stable name; `name` stands in key documents and sealed headers."""

    name: str
    hpke: Suite
    new_private: Callable[[], bytes]  # raw private key
    public_of: Callable[[bytes], bytes]  # raw private key -> raw public key
    load_private: Callable[[bytes], PrivateKey]  # ValueError if the bytes are not a key
    load_public: Callable[[bytes], PublicKey]  # ValueError if the bytes are not a key


def _hybrid_private(raw: bytes) -> MLKEM768X25519PrivateKey:
    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(raw[:-_X25519_BYTES]), X25519PrivateKey.from_private_bytes(raw[-_X25519_BYTES:])
    )


def _hybrid_public(raw: bytes) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(raw[:-_X25519_BYTES]), X25519PublicKey.from_public_bytes(raw[-_X25519_BYTES:])
    )


def _hybrid_new() -> bytes:
    return MLKEM768PrivateKey.generate().private_bytes_raw() + X25519PrivateKey.generate().private_bytes_raw()


def _hybrid_public_of(raw: bytes) -> bytes:
    mlkem = MLKEM768PrivateKey.from_seed_bytes(raw[:-_X25519_BYTES]).public_key().public_bytes_raw()
    return mlkem + X25519PrivateKey.from_private_bytes(raw[-_X25519_BYTES:]).public_key().public_bytes_raw()


def _p256_private(raw: bytes) -> ec.EllipticCurvePrivateKey:
    if len(raw) != _P256_BYTES:
        raise ValueError("a private key on P-256 has 32 bytes")
    return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())


def _p256_public(raw: bytes) -> ec.EllipticCurvePublicKey:
    if len(raw) != _P256_PUBLIC_BYTES:  # one form: the compressed one would be the same key under another id
        raise ValueError("a public key on P-256 is an uncompressed point")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)


def _p256_new() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(_P256_BYTES, "big")


HYBRID = SealingSuite(
    name="mlkem768-x25519-hkdf-sha256-aes256gcm",
    hpke=Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    new_private=_hybrid_new,
    public_of=_hybrid_public_of,
    load_private=_hybrid_private,
    load_public=_hybrid_public,
)
X25519 = SealingSuite(
    name="x25519-hkdf-sha256-aes256gcm",
    hpke=Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    new_private=lambda: X25519PrivateKey.generate().private_bytes_raw(),
    public_of=lambda raw: X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw(),
    load_private=X25519PrivateKey.from_private_bytes,
    load_public=X25519PublicKey.from_public_bytes,
)
P256 = SealingSuite(
    name="p256-hkdf-sha256-aes256gcm",
    hpke=Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    new_private=_p256_new,
    public_of=lambda raw: _p256_private(raw).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
    load_private=_p256_private,
    load_public=_p256_public,
)
# What is sent today must stay closed to machines that break X25519 tomorrow: the hybrid is the default.
DEFAULT = HYBRID
SUITES: Mapping[str, SealingSuite] = {suite.name: suite for suite in (HYBRID, X25519, P256)}
