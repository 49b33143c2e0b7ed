"""Development keys: a certificate authority of our own, and every key of every authority, in one key folder.

For a laptop, the demo and the tests. Each certificate says DEVELOPMENT ONLY. Layout: gateway/trust/folder.py; the keys of the
certificate authority itself lie in ca/, so that authorities can be added later under the same anchor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from gateway.errors import TrustInvalid
from gateway.trust.algorithms import DEFAULT as DEFAULT_ALGORITHM
from gateway.trust.algorithms import PrivateKey, PublicKey, SignatureAlgorithm
from gateway.trust.certificates import DEVELOPMENT_ONLY
from gateway.trust.devtsa import KEY_FILE
from gateway.trust.folder import (
    ANCHORS,
    AUTHORITY,
    CA,
    MASTER_KEY,
    PINNED,
    PRIVATE,
    SEALING,
    TIMESTAMP_ANCHORS,
    read_private,
    read_public,
    write_file,
)
from gateway.trust.keys import private_sealing_document, read_signing_key
from gateway.trust.sealing_keys import write_document
from gateway.trust.suites import DEFAULT
from gateway.trust.vault import new_master_key

ANCHOR_FILE = "development-root.pem"
_BACKDATED = timedelta(days=30)  # examples and demos may sign at instants shortly before the keys were made
_CA_LIFE = timedelta(days=3650)
_SIGNING_LIFE = timedelta(days=825)
_SEALING_LIFE = timedelta(days=730)  # ends before the certificate that vouches for it
_DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
_Issuer: TypeAlias = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Purpose:
    """What a certificate is for; a critical purpose must be understood by whoever checks it."""

    of: ObjectIdentifier
    critical: bool


def make_development_keys(
    folder: Path, authorities: Sequence[str], now: datetime, algorithm: SignatureAlgorithm = DEFAULT_ALGORITHM
) -> None:
    """Make what is missing in the key folder; files that exist are kept.

    An authority that is pinned but has no private key here belongs to another installation and is left alone.
    Raises `TrustInvalid` for an authority code of the wrong form or files that cannot be read.
    """
    for authority in authorities:
        if not AUTHORITY.fullmatch(authority):
            raise TrustInvalid("an authority code is a state code, a hyphen and a short name, e.g. BA-MS")
    issuer = _certificate_authority(folder, now)
    _timestamp_authority(folder, issuer, now)
    master = folder / PRIVATE / MASTER_KEY
    if not master.exists():
        write_file(master, new_master_key(), private=True)
    for authority in authorities:
        private = folder / PRIVATE / f"{authority}.signing.pem"
        pinned = folder / PINNED / f"{authority}.pem"
        if not private.exists():
            if pinned.exists():
                continue
            write_file(private, _signing_key(authority, issuer, now, algorithm), private=True)
        _publish(folder, authority, now)


def _publish(folder: Path, authority: str, now: datetime) -> None:
    """Pin the authority's certificate and make its sealing key, where missing."""
    signer = read_signing_key(authority, folder / PRIVATE / f"{authority}.signing.pem")
    pinned = folder / PINNED / f"{authority}.pem"
    if not pinned.exists():
        chain = (x509.load_der_x509_certificate(each) for each in signer.chain)
        write_file(pinned, b"".join(each.public_bytes(Encoding.PEM) for each in chain))
    private, public = folder / PRIVATE / f"{authority}.sealing.json", folder / SEALING / f"{authority}.json"
    if not private.exists():
        raw = DEFAULT.new_private()
        document = write_document(signer, DEFAULT, DEFAULT.public_of(raw), now - _BACKDATED, now + _SEALING_LIFE)
        write_file(private, private_sealing_document(authority, DEFAULT, raw), private=True)
        write_file(public, document)


def _certificate_authority(folder: Path, now: datetime) -> _Issuer:
    """Return certificate and key of the development root, made if missing."""
    key_file, anchor_file = folder / CA / "root.key.pem", folder / ANCHORS / ANCHOR_FILE
    if key_file.exists() and anchor_file.exists():
        try:
            key = load_pem_private_key(read_private(key_file), password=None)
            certificate = x509.load_pem_x509_certificate(read_public(anchor_file))
        except ValueError as error:
            raise TrustInvalid("the development certificate authority in the key folder cannot be read") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            raise TrustInvalid("the development certificate authority in the key folder is not a pair")
        return certificate, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("XX", "Readmission Gateway", f"Root CA, {DEVELOPMENT_ONLY}")
    certificate = (
        _builder(name, name, key=key.public_key(), issuer_key=key.public_key(), now=now, life=_CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(issues=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_file(key_file, _pem(key), private=True)
    write_file(anchor_file, certificate.public_bytes(Encoding.PEM))
    return certificate, key


def _timestamp_authority(folder: Path, issuer: _Issuer, now: datetime) -> None:
    """Make the development timestamp authority and lay its root where timestamps are checked, where missing."""
    key_file, anchor_file = folder / CA / KEY_FILE, folder / TIMESTAMP_ANCHORS / ANCHOR_FILE
    if not key_file.exists():
        subject = _name("XX", "Readmission Gateway", f"Timestamps, {DEVELOPMENT_ONLY}")
        purpose = _Purpose(of=ExtendedKeyUsageOID.TIME_STAMPING, critical=True)  # RFC 3161, 2.3
        write_file(key_file, _issued_key(subject, issuer, now, DEFAULT_ALGORITHM, _CA_LIFE, purpose), private=True)
    if not anchor_file.exists():
        write_file(anchor_file, issuer[0].public_bytes(Encoding.PEM))


def _signing_key(authority: str, issuer: _Issuer, now: datetime, algorithm: SignatureAlgorithm) -> bytes:
    """Return a new private key of an authority and its certificate, in PEM."""
    subject = _name(authority[:2], authority, f"{authority} signing, {DEVELOPMENT_ONLY}")
    return _issued_key(subject, issuer, now, algorithm, _SIGNING_LIFE, _Purpose(of=_DOCUMENT_SIGNING, critical=False))


def _issued_key(
    subject: x509.Name,
    issuer: _Issuer,
    now: datetime,
    algorithm: SignatureAlgorithm,
    life: timedelta,
    purpose: _Purpose,
) -> bytes:
    """Return a new private key and a certificate for it that signs but does not issue, in PEM."""
    root, root_key = issuer
    key = algorithm.new_private()
    certificate = (
        _builder(subject, root.subject, key=key.public_key(), issuer_key=root_key.public_key(), now=now, life=life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(issues=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose.of]), critical=purpose.critical)
        .sign(root_key, hashes.SHA256())
    )
    return _pem(key) + certificate.public_bytes(Encoding.PEM)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    *,
    key: PublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=not issues,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _name(state: str, organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, state),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
