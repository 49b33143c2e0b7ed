"""A new certificate or a new published key of a home authority, and what partners are given of it.

Old and new are valid side by side: the old certificate stays pinned, the old sealing key still opens. Everything is checked,
and signed, before the first file is written; what is refused changes nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.errors import CertificateMismatch, CertificateNotValid, SignerMismatch
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import ANCHORS, PINNED, PRIVATE, SEALING, SECOND, authority_files, read_public, write_file
from gateway.trust.hardware import HardwareKey
from gateway.trust.key_documents import Kind, PublishedKey, write_document
from gateway.trust.keys import FileKey
from gateway.trust.mldsa import MlDsa65
from gateway.trust.pending import PendingKey, pending_files, read_pending
from gateway.trust.places import KeyPlace
from gateway.trust.private_documents import Named, private_key_id, write_private_document
from gateway.trust.revocation.states import Mode
from gateway.trust.sealing_keys import SEALING_KEYS
from gateway.trust.second import SECOND_KEYS
from gateway.trust.signing_key import SigningKey
from gateway.trust.strangers import names
from gateway.trust.suites import DEFAULT, SealingSuite

PUBLISHED_LIFE = timedelta(days=730)
_MOST = 9999  # files of one kind and authority: folder.py reads as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A certificate that was brought in."""

    fingerprint: str  # SHA-256 of the DER, lower-case hex
    subject: str
    number: str  # "" for the first of the authority, then ".2", ".3": part of the names of its files
    signs_from: datetime  # UTC
    not_after: datetime  # UTC
    names_authority: bool  # whether a stranger would take its signatures for the authority's


def bring_in(folder: Path, authority: str, pem: bytes, at: datetime, signs_from: datetime | None) -> Installed:
    """Make the pending key the signing key of the authority: its certificate, then its intermediates, in PEM.

    `at` is now; the key signs from `signs_from` on, or at once. Raises `KeyMissing` if no key is pending,
    `CertificateMismatch`, `SignerNotTrusted`, `CertificateNotValid`, and what the token raises that holds the key.
    """
    pending = read_pending(folder, authority)
    chain = _chain(folder, pem, pending)
    leaf = chain[0]
    start = max(signs_from or at, leaf.not_valid_before_utc)
    if start > leaf.not_valid_after_utc:
        raise CertificateNotValid(f"the certificate ends on {leaf.not_valid_after_utc:%Y-%m-%d}, before its key would sign")
    _judge(folder, authority, chain, max(at, leaf.not_valid_before_utc))
    key = _key(pending, chain)
    starts = max(at, leaf.not_valid_before_utc)
    published = [*_sealing_again(folder, key, leaf, starts), *_again(SECOND_KEYS, folder, key, leaf, starts)]
    certificates = b"".join(each.public_bytes(Encoding.PEM) for each in chain)
    number = _free_number(folder, authority, certificates)
    place = KeyPlace(signs_from=signs_from, token=pending.place)
    write_file(folder / PINNED / f"{authority}{number}.pem", certificates)
    if place.written():
        write_file(folder / PRIVATE / f"{authority}{number}.signing.toml", place.written(), private=True)
    write_file(folder / PRIVATE / f"{authority}{number}.signing.pem", _private_pem(pending) + certificates, private=True)
    for path, data, private in published:
        write_file(path, data, private=private)
    for path in pending_files(folder, authority):
        path.unlink(missing_ok=True)
    return Installed(
        fingerprint=_fingerprint(leaf),
        subject=leaf.subject.rfc4514_string(),
        number=number,
        signs_from=start,
        not_after=leaf.not_valid_after_utc,
        names_authority=names(chain, authority),
    )


def rotate(kind: Kind[Any], folder: Path, signer: SigningKey, scheme: SealingSuite | MlDsa65, not_before: datetime) -> str:
    """Make a new key of one kind that holds from `not_before` on; the old one stays. Return its file's number.

    Raises `CertificateNotValid` if the signer's certificate does not hold then, and what the signer raises.
    """
    leaf = x509.load_der_x509_certificate(signer.chain[0])
    number = _free_number_of(kind, folder, signer.authority)
    for path, data, private in _new(kind, folder, signer, leaf, scheme, not_before, number):
        write_file(path, data, private=private)
    return number


def renew_published(kind: Kind[Any], folder: Path, signer: SigningKey, at: datetime) -> None:
    """Sign the document of the newest key of one kind again, by another signing key. Raises as `rotate`."""
    for path, data, private in _again(kind, folder, signer, x509.load_der_x509_certificate(signer.chain[0]), at):
        write_file(path, data, private=private)


def publication(folder: Path, authority: str) -> bytes:
    """Return what partners are given, as JSON: all that is pinned for the authority, and the documents of its keys.

    They lay the files into their key folders under the same names, after comparing the fingerprints by another way than this
    file. Raises `TrustInvalid`.
    """
    pinned = {path.name: read_public(path) for owner, path in authority_files(folder / PINNED, ".pem") if owner == authority}
    documents = {
        kind.folder: {
            path.name: json.loads(read_public(path))
            for owner, path in authority_files(folder / kind.folder, ".json")
            if owner == authority
        }
        for kind in (SEALING_KEYS, SECOND_KEYS)
    }
    content = {
        "v": 1,
        "authority": authority,
        "fingerprints": {name: _fingerprint(x509.load_pem_x509_certificate(data)) for name, data in pinned.items()},
        PINNED: {name: data.decode() for name, data in pinned.items()},
        **documents,
    }
    return (json.dumps(content, indent=2) + "\n").encode()


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _chain(folder: Path, pem: bytes, pending: PendingKey) -> list[x509.Certificate]:
    """Return the certificates without the anchor. Raises `CertificateMismatch`."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CertificateMismatch("the file holds no certificate in PEM") from error
    if found[0].public_key() != pending.public_key:
        raise CertificateMismatch(f"the certificate belongs to another key than the pending key of {pending.authority}")
    anchors = {
        each.public_bytes(Encoding.DER)
        for path in (folder / ANCHORS).glob("*.pem")
        for each in x509.load_pem_x509_certificates(read_public(path))
    }
    return [each for each in found if each.public_bytes(Encoding.DER) not in anchors]


def _judge(folder: Path, authority: str, chain: Sequence[x509.Certificate], at: datetime) -> None:
    """Judge the chain as that of any signer, as if it were pinned, and refuse what is known to be revoked.

    Lists are fetched for what is pinned; that one is missing cannot count against a certificate that is about to be.
    Raises `SignerNotTrusted`, `CertificateNotValid`, `CertificateRevoked`.
    """
    with TemporaryDirectory(prefix="gateway-keys-") as name:
        stage = Path(name)
        for each in folder.iterdir():
            if each.name not in {PINNED, SEALING, SECOND, PRIVATE}:
                (stage / each.name).symlink_to(each.resolve())
        write_file(stage / PINNED / f"{authority}.pem", b"".join(each.public_bytes(Encoding.PEM) for each in chain))
        found = TrustStore.load(stage, revocation=Mode.OFF).verdict(
            tuple(each.public_bytes(Encoding.DER) for each in chain), at
        )
    pinned = TrustStore.load(folder)
    others = [
        code for code in pinned.authorities() if any(each.fingerprint == found.fingerprint for each in pinned.pinned(code))
    ]
    if others and others != [authority]:
        raise SignerMismatch(f"the certificate is pinned for {others[0]}: one key, one authority")


def _key(pending: PendingKey, chain: Sequence[x509.Certificate]) -> SigningKey:
    der = tuple(each.public_bytes(Encoding.DER) for each in chain)
    if pending.place is not None:
        return HardwareKey(
            authority=pending.authority,
            chain=der,
            algorithm=pending.algorithm,
            public_key=pending.public_key,
            place=pending.place,
        )
    assert pending.private_key is not None, "one of the two is given"
    return FileKey(authority=pending.authority, chain=der, algorithm=pending.algorithm, private_key=pending.private_key)


def _private_pem(pending: PendingKey) -> bytes:
    if pending.private_key is None:
        return b""
    return pending.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _free_number(folder: Path, authority: str, certificates: bytes) -> str:
    """Return the first number under which neither another certificate nor a private key lies."""
    for number in ("", *(f".{count}" for count in range(2, _MOST))):
        pinned = folder / PINNED / f"{authority}{number}.pem"
        private = folder / PRIVATE / f"{authority}{number}.signing.pem"
        if not private.exists() and (not pinned.exists() or read_public(pinned) == certificates):
            return number
    raise CertificateMismatch(f"there are too many certificates of {authority} in the key folder")


_File = tuple[Path, bytes, bool]  # where, what, whether it is private


def _sealing_again(folder: Path, signer: SigningKey, leaf: x509.Certificate, at: datetime) -> list[_File]:
    """Return the newest sealing key's document signed anew, or a first sealing key with its document."""
    number = _free_number_of(SEALING_KEYS, folder, signer.authority)
    return _again(SEALING_KEYS, folder, signer, leaf, at) or _new(SEALING_KEYS, folder, signer, leaf, DEFAULT, at, number)


def _again(kind: Kind[Any], folder: Path, signer: SigningKey, leaf: x509.Certificate, at: datetime) -> list[_File]:
    """Return the document of the newest key of one kind, of those that are held here, signed anew; none if none is held."""
    published = TrustStore.load(folder).published(kind, signer.authority)
    for key in published:
        path = _document_of(kind, folder, key)
        if path is not None:
            start = max(at.replace(microsecond=0), key.not_before)
            end = min(start + PUBLISHED_LIFE, leaf.not_valid_after_utc)
            scheme = Named(name=key.scheme)
            data = write_document(kind, signer, scheme, key.raw, start, end, version=published[0].version + 1)
            return [(path, data, False)]
    return []


def _document_of(kind: Kind[Any], folder: Path, key: PublishedKey) -> Path | None:
    """Return where the document of a key lies whose private part is here: it has the number of the private file."""
    suffix = f".{kind.private}.json"
    for owner, path in authority_files(folder / PRIVATE, suffix):
        if owner == key.authority and private_key_id(path) == key.key_id:
            return folder / kind.folder / f"{path.name.removesuffix(suffix)}.json"
    return None


def _new(
    kind: Kind[Any],
    folder: Path,
    signer: SigningKey,
    leaf: x509.Certificate,
    scheme: SealingSuite | MlDsa65,
    not_before: datetime,
    number: str,
) -> list[_File]:
    start = not_before.astimezone(UTC).replace(microsecond=0)
    if not leaf.not_valid_before_utc <= start < leaf.not_valid_after_utc:
        raise CertificateNotValid(
            f"the certificate of {signer.authority} is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to "
            f"{leaf.not_valid_after_utc:%Y-%m-%d}; it cannot vouch for a {kind.noun} from {start:%Y-%m-%d} on"
        )
    raw = scheme.new_private()
    known = TrustStore.load(folder).published(kind, signer.authority)
    version = 1 + max((each.version for each in known), default=0)
    end = min(start + PUBLISHED_LIFE, leaf.not_valid_after_utc)
    document = write_document(kind, signer, scheme, scheme.public_of(raw), start, end, version=version)
    return [
        (
            folder / PRIVATE / f"{signer.authority}{number}.{kind.private}.json",
            write_private_document(signer.authority, kind.member, scheme, raw),
            True,
        ),
        (folder / kind.folder / f"{signer.authority}{number}.json", document, False),
    ]


def _free_number_of(kind: Kind[Any], folder: Path, authority: str) -> str:
    for number in ("", *(f".{count}" for count in range(2, _MOST))):
        private = folder / PRIVATE / f"{authority}{number}.{kind.private}.json"
        if not private.exists() and not (folder / kind.folder / f"{authority}{number}.json").exists():
            return number
    raise CertificateMismatch(f"there are too many documents of a {kind.noun} of {authority} in the key folder")
