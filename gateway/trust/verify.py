"""Verify a signed envelope: one function in numbered steps that accepts nothing but the one profile.

The verifier does not follow what a signature says about itself (transforms, algorithms, references). It reads four values,
makes the signature again from the profile, and compares bytes. What it returns is parsed again from the verified bytes only.
`verify` first takes the short way of written.py, which a good message passes; a message that does not goes through the steps.
A timestamp (profile T, stamped.py) is cut off first and judged last: what lies between is the same for both profiles.
"""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from gateway.errors import Refused, SignatureInvalid, SignatureMissing, SignatureProfile, Unavailable
from gateway.stages import Opened, Tree
from gateway.trust import policy as rules
from gateway.trust import profile, stamped, timestamps
from gateway.trust.certificates import TrustStore
from gateway.trust.written import open_written
from gateway.wire.documents import ENVELOPE_NS, MAX_DEPTH, NS, canonicalize, parse_xml

_OWN = f"{{{NS}}}"
_ENVELOPE = f"{{{ENVELOPE_NS}}}Envelope"
_DS = f"{{{profile.DS}}}"
_XADES = f"{{{profile.XADES}}}"
_SIGNATURE = f"{_DS}Signature"
_DIGESTS = f"{_DS}SignedInfo/{_DS}Reference/{_DS}DigestValue"
_CERTIFICATES = f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate"
_PROPERTIES = f"{_DS}Object/{_XADES}QualifyingProperties/{_XADES}SignedProperties/{_XADES}SignedSignatureProperties"
_SIGNING_TIME = f"{_PROPERTIES}/{_XADES}SigningTime"
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_REFERENCES = 2  # the envelope and the signed properties
_CHILDREN = 2  # the message and the signature
_MAX_CERTIFICATES = 4

STEPS = (
    "parse the envelope",
    "one message, then one signature, and nothing else",
    "read what the signature claims",
    "the signer's certificate is pinned and valid at the time of signing",
    "the signing time is not in the future",
    "the signature is the one profile, byte for byte",
    "the signature value is the signer's",
    "the digest covers the whole envelope",
    "the envelope is the canonical form, byte for byte",
    "read again from the verified bytes",
    "the signer is the sender",
    "the timestamp is over this signature, by a trusted authority",  # begun for a stamped envelope only
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a verification that was begun."""

    step: int  # 1-based
    name: str
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """How far a verification came. `refusal` is None exactly if `opened` is not."""

    steps: tuple[Step, ...]  # those that were begun; only the last may have failed
    opened: Opened | None
    refusal: Refused | Unavailable | None  # unavailable: it is not known whether a certificate was revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claims:
    """The values a signature of the profile may choose; all else is fixed."""

    envelope_digest: bytes  # base64
    value: bytes  # raw
    chain: tuple[bytes, ...]  # DER
    signing_time: bytes
    signed_at: datetime


def _no_trace(_step: int) -> None:
    pass


def verify(body: bytes, trust: TrustStore, at: datetime | None = None, policy: rules.Policy = rules.STANDARD) -> Opened:
    """Return the message inside a signed envelope, verified. Arguments and errors as `verify_by_steps`."""
    return open_written(body, trust, at, policy) or verify_by_steps(body, trust, at, policy)


def verify_by_steps(
    body: bytes,
    trust: TrustStore,
    at: datetime | None = None,
    policy: rules.Policy = rules.STANDARD,
    *,
    trace: Callable[[int], None] = _no_trace,
) -> Opened:
    """Return the message inside a signed envelope, verified.

    `at` is the instant at which the envelope is judged: the signer's certificate must be valid then, and the signing time not
    after it. Without `at` the claimed time of signing alone decides (a record is verified long after its certificate ended).
    An envelope with a timestamp (profile T) is judged at the time of its timestamp instead: its certificate must be valid then,
    whatever `at` is. The result is that of the envelope without timestamp, digest included, and says when it was stamped.
    `trace` is told the number of each step as it begins.

    Raises what `parse_xml` raises, `SignatureMissing`, `SignatureProfile`, `SignerNotTrusted`, `CertificateNotValid`,
    `CertificateRevoked`, `SigningTimeInvalid`, `SignatureInvalid` or `SignerMismatch`; for a timestamp `TimestampMalformed`,
    `TimestampMismatch`, `TimestampNotTrusted` or `TimestampTimeInvalid`; and `Unavailable` while it is not known whether a
    certificate of the signer was revoked.
    """
    # 1 parse the envelope: hardened; no DOCTYPE, comment or processing instruction gets past this line
    trace(1)
    timestamp = stamped.cut(body)
    if timestamp is not None:
        body = timestamp.envelope
    envelope = parse_xml(body, deepest=MAX_DEPTH + 1)  # a message may have all levels, and the envelope is one around it

    # 2 one message, then one signature, and nothing else
    trace(2)
    signature = _only_signature(envelope)

    # 3 read what the signature claims
    trace(3)
    claims = _read_claims(signature)

    # 4 the signer's certificate is pinned and valid at the time of signing
    trace(4)
    signer = trust.verdict(claims.chain, claims.signed_at, claimed=at is None and timestamp is None)

    # 5 the signing time is not in the future, and the certificate is still valid when it is judged
    trace(5)
    if at is not None:
        rules.check_time(claims.signed_at, at, policy)
        if timestamp is None:
            trust.verdict(claims.chain, max(at, claims.signed_at))

    # 6 the signature is the one profile, byte for byte: made again from the claims, with our own digest of the properties
    trace(6)
    properties_digest = profile.digest(profile.signed_properties_alone(claims.signing_time, signer.digest))
    rebuilt = profile.signature(
        algorithm=signer.algorithm,
        envelope_digest=claims.envelope_digest,
        properties_digest=properties_digest,
        value=claims.value,
        certificates=profile.key_info(claims.chain),
        signing_time=claims.signing_time,
        certificate_digest=signer.digest,
    )
    if canonicalize(signature) != rebuilt or not signer.algorithm.is_only_form(claims.value):
        raise SignatureProfile("the signature is not the one profile")

    # 7 the signature value is the signer's
    trace(7)
    signer.check(profile.signed_info_alone(signer.algorithm, claims.envelope_digest, properties_digest), claims.value)

    # 8 the digest covers the whole envelope without the signature
    trace(8)
    envelope.remove(signature)
    content = canonicalize(envelope)
    if profile.digest(content) != claims.envelope_digest:
        raise SignatureInvalid("the message was changed after it was signed")

    # 9 the envelope is the canonical form, byte for byte: what has one meaning has one digest
    trace(9)
    end = len(content) - len(profile.CLOSE)
    if not content.startswith(profile.OPEN) or body != content[:end] + rebuilt + profile.CLOSE:
        raise SignatureProfile("the envelope is not written in the canonical form")

    # 10 read again from the verified bytes; the tree of step 1 is not used any more
    trace(10)
    inside = content[len(profile.OPEN) : end]
    document = parse_xml(inside)

    # 11 the signer is the sender
    trace(11)
    rules.check_sender(document, signer)

    # 12 the timestamp is over this signature, by a trusted authority; not before signing, and the certificate was valid then
    stamp = None
    if timestamp is not None:
        trace(12)
        stamp = timestamps.check(timestamp.token, stamped.over(body), trust.timestamp_anchors)
        rules.check_stamp(claims.signed_at, stamp.at, at, policy)
        trust.verdict(claims.chain, max(stamp.at, claims.signed_at))

    return Opened(
        document=document,
        signed=body,
        digest=sha256(body).hexdigest(),
        inside=sha256(inside).hexdigest(),
        signer=signer.authority,
        signed_at=claims.signed_at,
        sealed_for=None,
        sealed_id=None,
        stamped_at=stamp.at if stamp else None,
        timestamp_authority=stamp.authority if stamp else None,
    )


def examine(body: bytes, trust: TrustStore, at: datetime | None = None, policy: rules.Policy = rules.STANDARD) -> Examination:
    """Verify, and tell how far it came: the same steps, for a person to read."""
    begun: list[int] = []
    opened: Opened | None = None
    refusal: Refused | Unavailable | None = None
    try:
        opened = verify_by_steps(body, trust, at, policy, trace=begun.append)
    except (Refused, Unavailable) as reason:
        refusal = reason
    failed = begun[-1] if refusal is not None else None
    steps = tuple(Step(step=number, name=STEPS[number - 1], ok=number != failed) for number in begun)
    return Examination(steps=steps, opened=opened, refusal=refusal)


def _only_signature(envelope: Tree) -> Tree:
    """Return the signature of an envelope that has the one allowed shape."""
    if envelope.tag != _ENVELOPE:
        raise SignatureMissing("the document is not a signed envelope")
    signatures = sum(1 for _ in envelope.iter(_SIGNATURE))
    if signatures == 0:
        raise SignatureMissing("the envelope carries no signature")
    if signatures > 1:
        raise SignatureProfile("the envelope carries more than one signature")
    if len(envelope) != _CHILDREN or envelope[1].tag != _SIGNATURE:
        raise SignatureProfile("the envelope must hold one message, then one signature as its last child")
    message, signature = envelope
    if envelope.items() != [("version", "1.0")]:
        raise SignatureProfile("the envelope must have the attribute version, of value 1.0, and no other")
    if envelope.text or message.tail or signature.tail:
        raise SignatureProfile("text stands in the envelope beside the message")
    if not str(message.tag).startswith(_OWN):
        raise SignatureProfile("the envelope does not hold a canonical message")
    # Elements of the envelope or of a signature inside the message, and ids another verifier could look up, are the
    # material of signature wrapping; no message has them.
    if next(message.iter(f"{_DS}*", f"{_XADES}*", f"{{{ENVELOPE_NS}}}*", "{}*"), None) is not None:
        raise SignatureProfile("an element inside the message is foreign to it")
    names = (str(name) for element in message.iter() for name in element.keys())  # noqa: SIM118  # iteration gives children
    if any(name.rpartition("}")[2].lower() == "id" for name in names):  # wsu:Id and xml:id, too
        raise SignatureProfile("an attribute named id stands inside the message")
    return signature


def _read_claims(signature: Tree) -> _Claims:
    """Read the values a signature may choose. Loose on purpose: step 6 compares every byte of the signature."""
    digests = [each.text or "" for each in signature.findall(_DIGESTS)]
    time = signature.findtext(_SIGNING_TIME) or ""
    certificates = signature.findall(_CERTIFICATES)
    if len(digests) != _REFERENCES or not 1 <= len(certificates) <= _MAX_CERTIFICATES or not _INSTANT.fullmatch(time):
        raise SignatureProfile("the signature is not the one profile")
    try:
        return _Claims(
            envelope_digest=digests[0].encode("ascii"),
            value=b64decode(signature.findtext(f"{_DS}SignatureValue") or "", validate=True),
            chain=tuple(b64decode(each.text or "", validate=True) for each in certificates),
            signing_time=time.encode("ascii"),
            signed_at=datetime.fromisoformat(time),
        )
    except ValueError:  # not base64, not ASCII, or a day that does not exist
        raise SignatureProfile("the signature is not the one profile") from None
