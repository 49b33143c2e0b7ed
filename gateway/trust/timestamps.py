"""RFC 3161 timestamps: what is asked, and what must hold before a token is believed.

The library decodes the answer and checks the signature, the chain at the time of the timestamp, the purpose (critical, time
stamping alone), status, nonce and digest. It does not look at the imprint's algorithm, the kind of content, the certificate
identifier that RFC 3161 (2.4.1) and RFC 5816 ask for, unsigned attributes, or the strength of what the authority signs with;
that is done here, before the library is asked. Every sentence of an error is ours: a token comes from outside.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from gateway.errors import TimestampMalformed, TimestampMismatch, TimestampNotTrusted, TimestampTimeInvalid
from gateway.trust.chains import UNREADABLE

MAX_TOKEN_BYTES = 32_768  # with a chain of four RSA-4096 certificates it is below 12 kB
TOLERANCE = timedelta(minutes=5)  # how far a timestamp that was just made may be from our own clock
_HASHES = {"sha256", "sha384", "sha512"}  # what an authority may sign with today
_VERSIONS = ("v3", "v1")  # RFC 5652: of SignedData with content that is not plain data, of a SignerInfo with a serial number
_MIN_RSA_BITS = 2048
# The curves of the SOG-IS agreed mechanisms that the library knows; secp256k1 is as long as P-256, and not among them.
_CURVES = {"secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"}

Anchors = Sequence[
    x509.Certificate
]  # roots of timestamp authorities; intermediates that an authority does not send may be here


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One good timestamp."""

    token: bytes  # DER of the TimeStampToken
    at: datetime  # UTC, as the authority says
    authority: str  # subject of the authority's certificate, RFC 4514
    serial: int  # the authority's number for it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """A token as it is written, nothing of it proven."""

    at: datetime
    algorithm: str  # of the imprint
    imprint: bytes
    nonce: int | None
    serial: int
    leaf: bytes  # DER of the certificate that should have signed


def query(data: bytes) -> TimeStampRequest:
    """Return a request for a timestamp over `data` (SHA-256): with a nonce, and asking for the certificate."""
    return (
        TimestampRequestBuilder()
        .data(data)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce()
        .cert_request(cert_request=True)
        .build()
    )


def accept(answer: bytes, asked: TimeStampRequest, data: bytes, anchors: Anchors, now: datetime) -> Stamp:
    """Return the timestamp in an authority's answer (DER of a TimeStampResp) to `asked`, which was for `data`.

    Raises `TimestampMalformed`, `TimestampMismatch`, `TimestampNotTrusted`, and `TimestampTimeInvalid` when it is not of now:
    then one of the two clocks is wrong.
    """
    try:
        response = decode_timestamp_response(answer)
        granted = response.status == 0
        token = response.time_stamp_token() if granted else b""
    except ValueError:
        raise TimestampMalformed("the answer of the timestamp authority cannot be read") from None
    if not granted:
        raise TimestampMalformed(f"the timestamp authority did not grant it, status {int(response.status)}")
    if _shape(token).nonce != asked.nonce:
        raise TimestampMismatch("the timestamp answers another request: its nonce is not ours")
    stamp = check(token, data, anchors)
    if abs(stamp.at - now) > TOLERANCE:
        raise TimestampTimeInvalid("the time of the timestamp is too far from our own clock")
    return stamp


def check(token: bytes, data: bytes, anchors: Anchors) -> Stamp:
    """Return what a token (DER of a TimeStampToken) over `data` proves; needs no network and no clock.

    The authority's certificate must have been valid at the time of the timestamp; whether it still is does not matter.
    Raises `TimestampMalformed`, `TimestampMismatch` or `TimestampNotTrusted`.
    """
    shape = _shape(token)
    imprint = sha256(data).digest()
    if shape.algorithm != "sha256" or shape.imprint != imprint:
        raise TimestampMismatch("the timestamp is not over these bytes by SHA-256")
    if not anchors:
        raise TimestampNotTrusted("no certificate of a timestamp authority is trusted here")
    try:
        leaf = x509.load_der_x509_certificate(shape.leaf)
        response = decode_timestamp_response(_granted(token))
        VerifierBuilder(roots=list(anchors)).build().verify(response, imprint)
        authority = leaf.subject.rfc4514_string()  # after it is trusted: a stranger's name may be written in any way
        issues = any(each.oid == ExtensionOID.BASIC_CONSTRAINTS and each.value.ca for each in leaf.extensions)
    except (VerificationError, *UNREADABLE):
        raise TimestampNotTrusted(
            "the timestamp is not signed by a trusted authority whose certificate was for timestamps and valid at its time"
        ) from None
    if issues:
        raise TimestampNotTrusted("the timestamp is signed by a certificate authority, not by a timestamp authority")
    _require_strong(leaf)
    return Stamp(token=token, at=shape.at, authority=authority, serial=shape.serial)


def _granted(token: bytes) -> bytes:
    """Return the token inside a response, which is what the library takes."""
    made: bytes = tsp.TimeStampResp(
        {"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(token, strict=True)}
    ).dump()
    return made


def _require_strong(leaf: x509.Certificate) -> None:
    key = leaf.public_key()
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES
    )
    if not strong:
        raise TimestampNotTrusted("the key of the timestamp authority is too weak, or of a kind that is not accepted")


def _shape(token: bytes) -> _Shape:
    """Read a token: exactly one, by exactly one signer, about a timestamp, naming the certificate that signed."""
    if len(token) > MAX_TOKEN_BYTES:
        raise TimestampMalformed(f"a timestamp has at most {MAX_TOKEN_BYTES} bytes")
    try:
        # The strict reader of the library first; asn1crypto reads lazily and would leave much unread.
        whole = cms.ContentInfo.load(token, strict=True)
        if whole["content_type"].native != "signed_data":
            raise TimestampMalformed("what should be a timestamp is other content")
        decoded = decode_timestamp_response(_granted(token))
        signed = whole["content"]
        if decoded.time_stamp_token() != token or len(signed["signer_infos"]) != 1:
            raise TimestampMalformed("a timestamp is one token in DER, signed once")
        if signed["encap_content_info"]["content_type"].native != "tst_info":
            raise TimestampMalformed("what should be a timestamp is signed content of another kind")
        signer = signed["signer_infos"][0]
        if (signed["version"].native, signer["version"].native) != _VERSIONS:
            raise TimestampMalformed("a timestamp is signed data of version 3, by a signer of version 1")
        if len(signer["unsigned_attrs"]):
            raise TimestampMalformed("a timestamp carries nothing beside what its authority signed")
        info = signed["encap_content_info"]["content"].parsed
        imprint = info["message_imprint"]
        at = info["gen_time"].native
        return _Shape(
            at=at.astimezone(UTC),
            algorithm=imprint["hash_algorithm"]["algorithm"].native,
            imprint=imprint["hashed_message"].native,
            nonce=info["nonce"].native,
            serial=info["serial_number"].native,
            leaf=_leaf(signed, signer),
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):  # LookupError: a list or set that is empty
        raise TimestampMalformed("what should be a timestamp cannot be read") from None


def _leaf(signed: Any, signer: Any) -> bytes:
    """Return the certificate that the signer is said to have used; the signed attributes must name it by its digest."""
    named = signer["sid"].chosen
    hashed = signer["digest_algorithm"]["algorithm"].native
    by = signer["signature_algorithm"]["algorithm"].native  # the library takes any name here and goes by the key
    if hashed not in _HASHES or by not in {"rsassa_pkcs1v15", f"{hashed}_rsa", f"{hashed}_ecdsa"}:
        raise TimestampNotTrusted("the timestamp is signed by an algorithm that is not accepted")
    found = [
        each.chosen
        for each in signed["certificates"]
        if each.name == "certificate"
        and (each.chosen.serial_number, each.chosen.issuer.dump()) == (named["serial_number"].native, named["issuer"].dump())
    ]
    if len(found) != 1:
        raise TimestampNotTrusted("the timestamp does not carry the one certificate of its signer")
    der: bytes = found[0].dump()
    if _certificate_digest(signer) not in {(name, hashlib.new(name, der).digest()) for name in (*_HASHES, "sha1")}:
        raise TimestampNotTrusted("the timestamp does not say by which certificate it is signed")
    return der


def _certificate_digest(signer: Any) -> tuple[str, bytes] | None:
    """Return algorithm and digest by which the signed attributes name the signer's certificate (ESSCertID or ESSCertIDv2).

    The older attribute knows SHA-1 only (RFC 2634). It may name the certificate, since the chain decides whom we believe.
    """
    for attribute in signer["signed_attrs"]:
        kind = attribute["type"].native
        if kind in {"signing_certificate", "signing_certificate_v2"}:
            first = attribute["values"][0]["certs"][0]
            name = "sha1" if kind == "signing_certificate" else first["hash_algorithm"]["algorithm"].native
            return name, first["cert_hash"].native
    return None
