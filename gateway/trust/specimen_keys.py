"""Keys that follow from names: for samples that are made anew and must be the same bytes each time. They prove nothing.

Whoever reads this can make every one of them. They are never written into a key folder of an installation; a conformance kit
holds the certificates alone, so that its samples can be verified.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gateway.errors import KeyMissing
from gateway.trust.algorithms import ECDSA_P256, Ecdsa, PrivateKey
from gateway.trust.keys import FileKey, KeyRing, SigningKey

BEGINS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
_SEED = b"readmission-gateway specimen key 1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecimenEcdsa(Ecdsa):
    """ECDSA whose keys follow from a seed, and whose signatures follow from key and data (RFC 6979)."""

    seed: str

    def new_private(self) -> PrivateKey:
        return self.private(f"new {self.seed}")

    def private(self, name: str) -> ec.EllipticCurvePrivateKey:
        """Return the key of a name."""
        number = int.from_bytes(sha256(_SEED + name.encode()).digest(), "big")
        return ec.derive_private_key(number % (self.order - 1) + 1, self.curve)

    def sign(self, key: PrivateKey, data: bytes) -> bytes:
        assert isinstance(key, ec.EllipticCurvePrivateKey), "specimen keys are made here"
        return self.from_der(key.sign(data, ec.ECDSA(self.hash, deterministic_signing=True)))


SPECIMEN_ECDSA = SpecimenEcdsa(**{field.name: getattr(ECDSA_P256, field.name) for field in fields(Ecdsa)}, seed="of the forger")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecimenSigners:
    """The signing keys of some authorities, with certificates of one root."""

    root: x509.Certificate
    root_key: ec.EllipticCurvePrivateKey
    keys: dict[str, FileKey]

    @classmethod
    def make(cls, authorities: Sequence[str]) -> "SpecimenSigners":
        """Return the keys of these authorities; the same each time."""
        root_key = SPECIMEN_ECDSA.private("root")
        root = _certificate("Specimen root, proves nothing", root_key, None, ca=True)
        keys = {}
        for authority in authorities:
            private = SPECIMEN_ECDSA.private(authority)
            certificate = _certificate(f"{authority} signing, specimen", private, (root, root_key), ca=False)
            chain = (certificate.public_bytes(Encoding.DER),)
            keys[authority] = FileKey(authority=authority, chain=chain, algorithm=SPECIMEN_ECDSA, private_key=private)
        return cls(root=root, root_key=root_key, keys=keys)

    def authorities(self) -> tuple[str, ...]:
        return tuple(sorted(self.keys))

    def key(self, authority: str, at: datetime) -> SigningKey:
        """Return the key of an authority. Raises `KeyMissing`."""
        del at
        if authority not in self.keys:
            raise KeyMissing(f"there is no specimen key of {authority}")
        return self.keys[authority]

    def second(self, authority: str, key_id: str) -> None:
        """Return nothing: there are no second signatures on samples."""
        del authority, key_id

    def ring(self) -> KeyRing:
        """Return them as a ring without sealing keys."""
        return KeyRing.of(self, sealing=None)

    def root_pem(self) -> bytes:
        """Return the root certificate."""
        return self.root.public_bytes(Encoding.PEM)

    def certificate_pem(self, authority: str) -> bytes:
        """Return the certificate of an authority."""
        return x509.load_der_x509_certificate(self.keys[authority].chain[0]).public_bytes(Encoding.PEM)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    *,
    ca: bool,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_key = issuer[1] if issuer else key
    usage = x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=not ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(sha256(_SEED + name.encode()).digest()[:15], "big") + 1)
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256(), ecdsa_deterministic=True)
    )
