"""A new signing key that waits for its certificate: made here, its request (CSR) handed out, its certificate brought in.

private/<AUTHORITY>.pending.pem    the private key; or, for a key that was made in a token,
private/<AUTHORITY>.pending.toml   where it lies, as gateway/trust/places.py writes it
"""

from dataclasses import dataclass
from pathlib import Path

from asn1crypto import csr, keys, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from gateway.errors import KeyMissing, TrustInvalid
from gateway.trust import algorithms
from gateway.trust.algorithms import Ecdsa, PrivateKey, PublicKey, SignatureAlgorithm
from gateway.trust.folder import PRIVATE, authority_files, read_private, write_file
from gateway.trust.places import KeyPlace, TokenPlace, read_place
from gateway.trust.tokens import module_of

_DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"  # RFC 9336
_REQUEST_ALGORITHMS = {
    "ecdsa-p256-sha256": "sha256_ecdsa",
    "ecdsa-p384-sha384": "sha384_ecdsa",
    "rsa3072-sha256": "sha256_rsa",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingKey:
    """A key without a certificate. Exactly one of `private_key` and `place` is given."""

    authority: str
    algorithm: SignatureAlgorithm
    public_key: PublicKey
    private_key: PrivateKey | None
    place: TokenPlace | None

    def __repr__(self) -> str:
        return f"PendingKey({self.authority})"

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature value. Raises `SigningKeyUnavailable`, `TokenPinRefused`."""
        if self.private_key is not None:
            return self.algorithm.sign(self.private_key, data)
        assert self.place is not None, "one of the two is given"
        return module_of(self.place).sign(self.place, self.algorithm, data)


def pending_files(folder: Path, authority: str) -> tuple[Path, Path]:
    """Return where a pending key lies: in a file, in a token."""
    private = folder / PRIVATE
    return private / f"{authority}.pending.pem", private / f"{authority}.pending.toml"


def pending_authorities(private: Path) -> dict[str, str]:
    """Return where the key of each authority lies that waits for a certificate: "file" or "pkcs11"."""
    found = {authority: "file" for authority, _ in authority_files(private, ".pending.pem")}
    return found | {authority: "pkcs11" for authority, _ in authority_files(private, ".pending.toml")}


def new_pending(folder: Path, authority: str, algorithm: SignatureAlgorithm, place: TokenPlace | None) -> PendingKey:
    """Make a key pair, in a file or in a token. A key that is pending already is kept, and is what is returned.

    Raises `TrustInvalid` if that one is of another algorithm or lies elsewhere, `SigningKeyUnavailable`, `TokenPinRefused`.
    """
    in_file, in_token = pending_files(folder, authority)
    if in_file.exists() or in_token.exists():
        return _same(read_pending(folder, authority), algorithm, place)
    if place is None:
        key = algorithm.new_private()
        pem_bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_file(in_file, pem_bytes, private=True)
    else:
        module_of(place).generate(place, algorithm)
        write_file(in_token, KeyPlace(token=place).written(), private=True)
    return read_pending(folder, authority)


def _same(known: PendingKey, algorithm: SignatureAlgorithm, place: TokenPlace | None) -> PendingKey:
    wanted = (place.module, place.token) if place is not None else None
    found = (known.place.module, known.place.token) if known.place is not None else None
    if known.algorithm is not algorithm or wanted != found:
        raise TrustInvalid(
            f"another key of {known.authority} waits for its certificate ({known.algorithm.name}, in a "
            f"{'token' if known.place else 'file'}); bring that in, or remove private/{known.authority}.pending.*"
        )
    return known


def read_pending(folder: Path, authority: str) -> PendingKey:
    """Read the pending key of an authority. Raises `KeyMissing` if there is none, `TrustInvalid`, `SigningKeyUnavailable`."""
    in_file, in_token = pending_files(folder, authority)
    if in_token.exists():
        place = read_place(in_token).token
        if place is None:
            raise TrustInvalid(f"private/{in_token.name} names no token")
        return _pending(authority, module_of(place).public_key(place), None, place)
    if not in_file.exists():
        raise KeyMissing(f"no key of {authority} waits for a certificate; make one: gateway keys new {authority} --csr FILE")
    try:
        private_key = load_pem_private_key(read_private(in_file), password=None)
    except (ValueError, TypeError) as error:
        raise TrustInvalid(f"private/{in_file.name} is not a private key in PEM") from error
    if not isinstance(private_key, algorithms.PrivateKey):
        raise TrustInvalid(f"private/{in_file.name} is not a key of an algorithm we sign with ({algorithms.names()})")
    return _pending(authority, private_key.public_key(), private_key, None)


def _pending(authority: str, public_key: PublicKey, private_key: PrivateKey | None, place: TokenPlace | None) -> PendingKey:
    algorithm = algorithms.of_key(public_key)
    if algorithm is None:
        raise TrustInvalid(f"the pending key of {authority} is not of an algorithm we sign with ({algorithms.names()})")
    return PendingKey(authority=authority, algorithm=algorithm, public_key=public_key, private_key=private_key, place=place)


def subject_of(text: str | None, *, state: str, organisation: str, authority: str) -> x509.Name:
    """Return the subject to ask for: as given (RFC 4514, "CN=...,O=...,C=.."), or made of the authority's names.

    Raises `ValueError` for a text that is no name.
    """
    if text is not None:
        return x509.Name.from_rfc4514_string(text)
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, state),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{authority} signing"),
        ]
    )


def certificate_request(key: PendingKey, subject: x509.Name) -> bytes:
    """Return a certificate request (PKCS#10, RFC 2986) in PEM, signed by the key: for signatures, and for documents only.

    Raises `SigningKeyUnavailable`, `TokenPinRefused`.
    """
    spki = key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    extensions = [
        {"extn_id": "key_usage", "critical": True, "extn_value": {"digital_signature", "non_repudiation"}},
        {"extn_id": "extended_key_usage", "critical": False, "extn_value": [_DOCUMENT_SIGNING]},
    ]
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": asn1_x509.Name.load(subject.public_bytes()),
            "subject_pk_info": keys.PublicKeyInfo.load(spki),
            "attributes": [{"type": "extension_request", "values": [extensions]}],
        }
    )
    value = key.sign(info.dump())
    if isinstance(key.algorithm, Ecdsa):
        size = key.algorithm.scalar_bytes
        value = encode_dss_signature(int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big"))
    request = csr.CertificationRequest(
        {
            "certification_request_info": info,
            "signature_algorithm": {"algorithm": _REQUEST_ALGORITHMS[key.algorithm.name]},
            "signature": value,
        }
    )
    armoured: bytes = pem.armor("CERTIFICATE REQUEST", request.dump())
    return armoured
