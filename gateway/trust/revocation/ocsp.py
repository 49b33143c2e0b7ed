"""Answers of OCSP responders (RFC 6960): how one is asked for, whom we believe, and what it says about one certificate."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from gateway.trust.chains import UNREADABLE
from gateway.trust.revocation.crl import COMPROMISE, is_issuer
from gateway.trust.revocation.states import MOST_BYTES, STRONG, Said, Source, UnusableError, in_whole_bytes

NONCE_BYTES = 32  # RFC 9654, 2.1
WITHOUT_END = timedelta(days=1)  # an answer that promises no next one counts for so long
_MOST_CERTIFICATES = 8  # beside an answer; one is the responder's
# The hash in a certificate id is a name, not a protection: that is the signature. SHA-1 is what all responders know.
_ID_HASH = hashes.SHA1()  # noqa: S303
_ID_HASHES = (hashes.SHA1, hashes.SHA256, hashes.SHA384, hashes.SHA512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an answer says about one certificate, named by its number and two hashes of its issuer."""

    serial_number: int
    hash: hashes.HashAlgorithm
    issuer: tuple[bytes, bytes]  # hash of the name, hash of the key
    status: ocsp.OCSPCertStatus
    this_update: datetime  # UTC
    next_update: datetime  # UTC
    revoked_at: datetime | None  # UTC
    reason: x509.ReasonFlags | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that can be read; its signature is not yet checked."""

    parsed: ocsp.OCSPResponse
    about: tuple[Entry, ...]
    produced_at: datetime  # UTC
    nonce: bytes | None


def _entry(found: ocsp.OCSPSingleResponse) -> Entry:
    return Entry(
        serial_number=found.serial_number,
        hash=found.hash_algorithm,
        issuer=(found.issuer_name_hash, found.issuer_key_hash),
        status=found.certificate_status,
        this_update=found.this_update_utc,
        next_update=found.next_update_utc or found.this_update_utc + WITHOUT_END,
        revoked_at=found.revocation_time_utc,
        reason=found.revocation_reason,
    )


def new_nonce() -> bytes:
    """Return random bytes that the answer to one question must carry."""
    return secrets.token_bytes(NONCE_BYTES)


def question(certificate: x509.Certificate, issuer: x509.Certificate, nonce: bytes) -> bytes:
    """Return the request, in DER, for the status of one certificate."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, _ID_HASH)
    return builder.add_extension(x509.OCSPNonce(nonce), critical=False).build().public_bytes(Encoding.DER)


def read(data: bytes) -> Answer:
    """Read an answer in DER. Raises `UnusableError` for what is none, or says that there is none."""
    if len(data) > MOST_BYTES:
        raise UnusableError(f"the answer is larger than {MOST_BYTES} bytes")
    try:
        parsed = ocsp.load_der_ocsp_response(data)
        if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise UnusableError(f"the responder gave no answer: {parsed.response_status.name.lower().replace('_', ' ')}")
        about = tuple(map(_entry, parsed.responses))
        produced_at, extensions = parsed.produced_at_utc, list(parsed.extensions)
    except UNREADABLE as error:
        if isinstance(error, UnusableError):
            raise
        raise UnusableError("what is there is not an answer of a responder, in DER") from error
    strange = [each.oid.dotted_string for each in extensions if each.critical and not isinstance(each.value, x509.OCSPNonce)]
    if strange:
        raise UnusableError(f"the answer has the critical extension {strange[0]}, which is not understood")
    nonces = [each.value.nonce for each in extensions if isinstance(each.value, x509.OCSPNonce)]
    return Answer(parsed=parsed, about=about, produced_at=produced_at, nonce=nonces[0] if nonces else None)


def require_nonce(answer: Answer, sent: bytes, *, may_be_absent: bool) -> None:
    """Raise `UnusableError` unless the answer carries the nonce that was sent: any other may be an old one played again."""
    if answer.nonce is None and may_be_absent:
        return
    if answer.nonce != sent:
        raise UnusableError(
            "the answer does not carry the nonce that was sent" if answer.nonce else "the answer carries no nonce"
        )


def responder(answer: Answer, issuer: x509.Certificate) -> x509.Certificate:
    """Return the certificate whose key signed the answer: the issuer's, or one that the issuer made a responder.

    Raises `UnusableError`: not signed by such a key, a weak signature, or a responder that was not entitled when it answered.
    """
    try:
        for signer in _candidates(answer, issuer):
            if _signed(answer, signer):
                if signer != issuer:
                    _require_entitled(signer, issuer, answer.produced_at)
                return signer
    except UNREADABLE as error:
        if isinstance(error, UnusableError):
            raise
        raise UnusableError("a certificate beside the answer cannot be read") from error
    raise UnusableError("the answer is not signed by the issuer of the certificate, nor by a responder of the issuer")


def needs_status(signer: x509.Certificate) -> bool:
    """Tell whether a responder that is not the issuer itself must be known not to be revoked (RFC 6960, 4.2.2.2.1)."""
    return not _has(signer, x509.OCSPNoCheck)


def speaks_of(answer: Answer, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether the answer is about this certificate of this issuer."""
    try:
        return _find(answer, certificate, issuer) is not None
    except UnusableError:
        return False


def said(answer: Answer, certificate: x509.Certificate, issuer: x509.Certificate) -> Said:
    """Return what the answer, its signature checked, says about a certificate. Raises `UnusableError`."""
    entry = _find(answer, certificate, issuer)
    if entry is None:
        raise UnusableError("the answer is about another certificate")
    if entry.status is ocsp.OCSPCertStatus.GOOD and certificate.not_valid_after_utc < entry.this_update:
        raise UnusableError("the answer is younger than the end of the certificate: a responder need not know ended ones")
    return Said(
        source=Source.OCSP,
        known=entry.status is not ocsp.OCSPCertStatus.UNKNOWN,
        this_update=entry.this_update,
        next_update=entry.next_update,
        revoked_at=entry.revoked_at if entry.status is ocsp.OCSPCertStatus.REVOKED else None,
        compromised=entry.reason in COMPROMISE,
    )


def _candidates(answer: Answer, issuer: x509.Certificate) -> list[x509.Certificate]:
    """Return the issuer and the certificates beside the answer, as far as the answer names them as its signer."""
    beside = answer.parsed.certificates
    if len(beside) > _MOST_CERTIFICATES:
        raise UnusableError("too many certificates stand beside the answer")
    name, key_hash = answer.parsed.responder_name, answer.parsed.responder_key_hash
    return [each for each in (issuer, *beside) if (each.subject == name if name is not None else _key_hash(each) == key_hash)]


def _signed(answer: Answer, signer: x509.Certificate) -> bool:
    key, parsed = signer.public_key(), answer.parsed
    algorithm = parsed.signature_hash_algorithm
    if not isinstance(algorithm, STRONG):
        raise UnusableError("the answer is signed with a weak or unknown algorithm")
    if not in_whole_bytes(parsed.signature, parsed.public_bytes(Encoding.DER)):
        raise UnusableError("the signature of the answer is not written in its one form")
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(parsed.signature, parsed.tbs_response_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:  # noqa: PLR2004  # as for issuers of certificates
            key.verify(parsed.signature, parsed.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _require_entitled(signer: x509.Certificate, issuer: x509.Certificate, at: datetime) -> None:
    try:
        signer.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE) as error:
        raise UnusableError("the responder's certificate is not of the issuer itself") from error
    if not in_whole_bytes(signer.signature, signer.public_bytes(Encoding.DER)):
        raise UnusableError("the signature of the responder's certificate is not written in its one form")
    if not isinstance(signer.signature_hash_algorithm, STRONG):
        raise UnusableError("the responder's certificate is signed with a weak or unknown algorithm")
    purposes = _value(signer, x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.OCSP_SIGNING not in purposes:
        raise UnusableError("the responder's certificate is not for signing such answers")
    usage = _value(signer, x509.KeyUsage)
    if (usage is not None and not usage.digital_signature) or is_issuer(signer):
        raise UnusableError("the responder's certificate is not for signatures")
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        raise UnusableError("the responder's certificate was not valid when it answered")
    known = {
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.OCSP_NO_CHECK,
    }
    if any(each.critical and each.oid not in known for each in signer.extensions):
        raise UnusableError("the responder's certificate has a critical extension that is not understood")


def _find(answer: Answer, certificate: x509.Certificate, issuer: x509.Certificate) -> Entry | None:
    for each in answer.about:
        if each.serial_number == certificate.serial_number and isinstance(each.hash, _ID_HASHES):
            name, key = _hashed(each.hash, issuer.subject.public_bytes()), _hashed(each.hash, _key_bits(issuer))
            if each.issuer == (name, key):
                return each
    return None


def _hashed(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Return the bits of the public key as they stand in the certificate, without the algorithm (RFC 6960, 4.1.1)."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    raise UnusableError("the issuer has a key of a kind that is not taken")


def _key_hash(certificate: x509.Certificate) -> bytes:
    """Return how an answer names its signer by key (RFC 6960, 4.2.1: SHA-1, as a name, not as protection)."""
    return sha1(_key_bits(certificate), usedforsecurity=False).digest()


_T = TypeVar("_T", bound=x509.ExtensionType)


def _value(certificate: x509.Certificate, kind: type[_T]) -> _T | None:
    return next((each.value for each in certificate.extensions if isinstance(each.value, kind)), None)


def _has(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> bool:
    return any(isinstance(each.value, kind) for each in certificate.extensions)
