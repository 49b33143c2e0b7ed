"""The signature algorithms an authority may sign with, under stable names.

A signature value is written as XML Signature 1.1 says: r || s of fixed length for ECDSA, the RSA block for RSA.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from gateway.errors import SignatureInvalid

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class SignatureAlgorithm(Protocol):
    """One way to sign. `name` stands in partner folders and key documents, `uri` in a ds:SignatureMethod."""

    @property
    def name(self) -> str: ...

    @property
    def uri(self) -> str: ...

    def fits(self, key: PublicKey) -> bool:
        """Tell whether `key` is of the kind and strength this algorithm asks for."""
        ...

    def new_private(self) -> PrivateKey: ...

    def sign(self, key: PrivateKey, data: bytes) -> bytes: ...

    def check(self, key: PublicKey, signature: bytes, data: bytes) -> None:
        """Raise `SignatureInvalid` unless `signature` over `data` was made with the private part of `key`."""
        ...

    def is_only_form(self, signature: bytes) -> bool:
        """Tell whether these bytes are the one form of the signature that the profile allows."""
        ...

    def to_only_form(self, signature: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecdsa:
    """ECDSA on one curve.

    With (r, s) also (r, n - s) is a valid signature. The profile allows the one with s in the lower half, so that nobody can
    change the bytes, and with them the digest, of a message that somebody else signed.
    """

    name: str
    uri: str
    curve: ec.EllipticCurve
    order: int  # n of the curve
    scalar_bytes: int  # of r and of s
    hash: hashes.HashAlgorithm

    def fits(self, key: PublicKey) -> bool:
        return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == self.curve.name

    def new_private(self) -> PrivateKey:
        return ec.generate_private_key(self.curve)

    def sign(self, key: PrivateKey, data: bytes) -> bytes:
        assert isinstance(key, ec.EllipticCurvePrivateKey), "the key was checked when it was read"
        return self.from_der(key.sign(data, ec.ECDSA(self.hash)))

    def from_der(self, signature: bytes) -> bytes:
        """Return r || s of an ECDSA-Sig-Value in DER."""
        r, s = utils.decode_dss_signature(signature)
        return r.to_bytes(self.scalar_bytes, "big") + s.to_bytes(self.scalar_bytes, "big")

    def to_der(self, signature: bytes) -> bytes:
        """Return the ECDSA-Sig-Value in DER of r || s, as CMS has it."""
        r, s = (int.from_bytes(part, "big") for part in (signature[: self.scalar_bytes], signature[self.scalar_bytes :]))
        return utils.encode_dss_signature(r, s)

    def check(self, key: PublicKey, signature: bytes, data: bytes) -> None:
        assert isinstance(key, ec.EllipticCurvePublicKey), "the key was checked when it was read"
        if len(signature) != 2 * self.scalar_bytes:
            raise SignatureInvalid("the signature value has the wrong length")
        r, s = (int.from_bytes(signature[part], "big") for part in (slice(self.scalar_bytes), slice(self.scalar_bytes, None)))
        try:
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(self.hash))
        except InvalidSignature:
            raise SignatureInvalid("the signature value is not the signer's") from None

    def is_only_form(self, signature: bytes) -> bool:
        # The length first: of a longer value the bytes where s should stand are now and then a small number by chance.
        fits = len(signature) == 2 * self.scalar_bytes
        return fits and int.from_bytes(signature[self.scalar_bytes :], "big") <= self.order // 2

    def to_only_form(self, signature: bytes) -> bytes:
        if self.is_only_form(signature):
            return signature
        s = self.order - int.from_bytes(signature[self.scalar_bytes :], "big")
        return signature[: self.scalar_bytes] + s.to_bytes(self.scalar_bytes, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rsa:
    """RSASSA-PKCS1-v1_5: one message has one signature, which is its only form."""

    name: str
    uri: str
    min_bits: int
    max_bits: int
    hash: hashes.HashAlgorithm

    def fits(self, key: PublicKey) -> bool:
        return isinstance(key, rsa.RSAPublicKey) and self.min_bits <= key.key_size <= self.max_bits

    def new_private(self) -> PrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=self.min_bits)

    def sign(self, key: PrivateKey, data: bytes) -> bytes:
        assert isinstance(key, rsa.RSAPrivateKey), "the key was checked when it was read"
        return key.sign(data, padding.PKCS1v15(), self.hash)

    def check(self, key: PublicKey, signature: bytes, data: bytes) -> None:
        assert isinstance(key, rsa.RSAPublicKey), "the key was checked when it was read"
        if len(signature) != (key.key_size + 7) // 8:
            raise SignatureInvalid("the signature value has the wrong length")
        try:
            key.verify(signature, data, padding.PKCS1v15(), self.hash)
        except InvalidSignature:
            raise SignatureInvalid("the signature value is not the signer's") from None

    def is_only_form(self, signature: bytes) -> bool:
        del signature
        return True

    def to_only_form(self, signature: bytes) -> bytes:
        return signature


_MORE = "http://www.w3.org/2001/04/xmldsig-more#"

# Orders of the curves: NIST SP 800-186, 3.2.1.
ECDSA_P256: Final = Ecdsa(
    name="ecdsa-p256-sha256",
    uri=f"{_MORE}ecdsa-sha256",
    curve=ec.SECP256R1(),
    order=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    scalar_bytes=32,
    hash=hashes.SHA256(),
)
ECDSA_P384: Final = Ecdsa(
    name="ecdsa-p384-sha384",
    uri=f"{_MORE}ecdsa-sha384",
    curve=ec.SECP384R1(),
    order=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    scalar_bytes=48,
    hash=hashes.SHA384(),
)
RSA_3072: Final = Rsa(name="rsa3072-sha256", uri=f"{_MORE}rsa-sha256", min_bits=3072, max_bits=4096, hash=hashes.SHA256())
DEFAULT: Final[SignatureAlgorithm] = ECDSA_P256
ALGORITHMS: Final[Mapping[str, SignatureAlgorithm]] = {each.name: each for each in (ECDSA_P256, ECDSA_P384, RSA_3072)}


def of_key(key: object) -> SignatureAlgorithm | None:
    """Return the algorithm that a public key signs with, None if no algorithm takes such a key."""
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return None
    return next((each for each in ALGORITHMS.values() if each.fits(key)), None)


def names() -> str:
    """Return the names of all algorithms, for an error or a help text."""
    return ", ".join(ALGORITHMS)
