"""The short way through a signed envelope, for bytes that are exactly what `sign` writes.

The profile leaves one way to write an envelope, so such bytes can be cut at the fixed pieces of the profile instead of being
parsed to find the signature: the message is parsed once, after its signature was checked, and from the verified bytes only.
Everything verify.py learns from a tree is a comparison of bytes here. What differs anywhere, or is refused, is not judged here:
it takes the numbered steps of verify.py, which say what is wrong. So this way accepts nothing that the steps would not.
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from gateway.errors import Refused
from gateway.stages import MAX_MESSAGE_BYTES, Opened, Tree
from gateway.trust import policy as rules
from gateway.trust import profile
from gateway.trust.certificates import TrustStore
from gateway.wire.documents import NS, canonicalize, parse_xml

_OWN = f"{{{NS}}}"
# Attributes that some verifier or other takes for an id. In canonical form one space stands before each attribute, and no
# other prefix can stand for the namespace of xml:id; text that happens to look like it takes the long way.
_IDS = (b' id="', b' xml:id="')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """An envelope, cut."""

    message: bytes
    signature: bytes
    claims: profile.Written
    chain: tuple[bytes, ...]  # DER
    value: bytes  # raw
    signed_at: datetime


def open_written(body: bytes, trust: TrustStore, at: datetime | None, policy: rules.Policy) -> Opened | None:
    """Return the verified message, or None for whatever has to take the long way."""
    try:
        parts = _cut(body)
        return None if parts is None else _verified(body, parts, trust, at, policy)
    except (Refused, ValueError):  # ValueError: not base64, or a day that does not exist
        return None


def _cut(body: bytes) -> _Parts | None:
    start = body.rfind(profile.SIGNATURE_START)
    if start < 0 or len(body) > MAX_MESSAGE_BYTES or not body.startswith(profile.OPEN) or not body.endswith(profile.CLOSE):
        return None
    signature = body[start : -len(profile.CLOSE)]
    claims = profile.read_signature(signature)
    if claims is None:
        return None
    return _Parts(
        message=body[len(profile.OPEN) : start],
        signature=signature,
        claims=claims,
        chain=tuple(b64decode(each, validate=True) for each in claims.certificates),
        value=b64decode(claims.value, validate=True),
        signed_at=datetime.fromisoformat(claims.signing_time.decode()),
    )


def _verified(body: bytes, parts: _Parts, trust: TrustStore, at: datetime | None, policy: rules.Policy) -> Opened | None:
    """Go through the steps of verify.py in an order that parses last."""
    claims = parts.claims
    signer = trust.verdict(parts.chain, parts.signed_at, claimed=at is None)
    if at is not None:
        rules.check_time(parts.signed_at, at, policy)
        trust.verdict(parts.chain, max(at, parts.signed_at))
    properties_digest = profile.digest(profile.signed_properties_alone(claims.signing_time, signer.digest))
    rebuilt = profile.signature(
        algorithm=signer.algorithm,
        envelope_digest=claims.envelope_digest,
        properties_digest=properties_digest,
        value=parts.value,
        certificates=profile.key_info(parts.chain),
        signing_time=claims.signing_time,
        certificate_digest=signer.digest,
    )
    content = profile.OPEN + parts.message + profile.CLOSE
    if (
        rebuilt != parts.signature
        or not signer.algorithm.is_only_form(parts.value)
        or profile.digest(content) != claims.envelope_digest
    ):
        return None
    signer.check(profile.signed_info_alone(signer.algorithm, claims.envelope_digest, properties_digest), parts.value)
    document = parse_xml(parts.message)
    if not _is_ours(document, parts.message) or canonicalize(document) != parts.message:
        return None
    rules.check_sender(document, signer)
    return Opened(
        document=document,
        signed=body,
        digest=sha256(body).hexdigest(),
        inside=sha256(parts.message).hexdigest(),
        signer=signer.authority,
        signed_at=parts.signed_at,
        sealed_for=None,
        sealed_id=None,
    )


def _is_ours(document: Tree, message: bytes) -> bool:
    """Tell whether every element is in the namespace of the messages, declared once on the root, and no attribute is an id.

    `message` is the canonical form of `document`, or it is refused for not being it: only there do these bytes mean that.
    """
    tag = str(document.tag)
    declared = f'<{tag.removeprefix(_OWN)} xmlns="{NS}"'.encode()
    if not tag.startswith(_OWN) or not message.startswith(declared) or message.count(b"xmlns") != 1:
        return False
    lower = message.lower()
    return not any(each in lower for each in _IDS)
