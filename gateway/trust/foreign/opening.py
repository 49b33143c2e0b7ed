"""Open an envelope with a foreign signature: the refusals of verify.py, a library in place of the comparison of bytes."""

from datetime import datetime
from hashlib import sha256

from lxml import etree

from gateway.errors import MalformedXml, SignatureInvalid, SignatureProfile
from gateway.stages import Opened, Tree
from gateway.trust import policy as rules
from gateway.trust.certificates import TrustStore
from gateway.trust.envelope import only_signature
from gateway.trust.foreign.claims import DIGESTS, EXCLUSIVE, Claims, instant, read_claims
from gateway.trust.foreign.verifiers import check_by
from gateway.wire.documents import MAX_DEPTH, NS, canonicalize, parse_xml

_CREATED = f"{{{NS}}}Header/{{{NS}}}Created"


def open_foreign(body: bytes, trust: TrustStore, at: datetime | None, policy: rules.Policy) -> Opened:
    """Return the message inside an envelope with a foreign signature, verified by each verifier its sender's folder names.

    Arguments and errors as `verify_by_steps`; `SignatureProfile` where the sender's folder names none. Unlike the one profile
    a foreign signature leaves more than one way to write an envelope: the digest is that of the bytes that came.
    """
    # 1 parse, and require one message, then one signature, and nothing else
    envelope = parse_xml(body, deepest=MAX_DEPTH + 1)
    signature = only_signature(envelope)

    # 2 read what the signature claims; whatever is not listed is refused
    claims = read_claims(signature)
    signed_at = claims.signed_at or _created(envelope[0])

    # 3 the signer's certificate is pinned and valid, then and now, and its folder allows what it uses
    signer = trust.verdict(claims.chain, signed_at, claimed=at is None)
    if at is not None:
        rules.check_time(signed_at, at, policy)
        trust.verdict(claims.chain, max(at, signed_at))
    verifiers = trust.rules(signer.authority).foreign
    if not verifiers:
        raise SignatureProfile("the signature is not the one profile, and its sender's folder allows no other")
    if claims.method != signer.algorithm.uri or not claims.names(claims.chain[0]):
        raise SignatureProfile("the signature names another method or certificate than its signer's")

    # 4 the digest covers the whole envelope without the signature
    envelope.remove(signature)
    content = _canonical(envelope, claims)
    if DIGESTS[claims.digest_method](content).digest() != claims.digest:
        raise SignatureInvalid("the message was changed after it was signed")

    # 5 every verifier that the folder names finds the signature good
    for name in verifiers:
        check_by(name, body, claims, claims.chain[0], content)

    # 6 read again from the verified bytes; the tree of step 1 is not used any more
    inside = canonicalize(parse_xml(content, deepest=MAX_DEPTH + 1)[0])
    document = parse_xml(inside)

    # 7 the signer is the sender
    rules.check_sender(document, signer)

    return Opened(
        document=document,
        signed=body,
        digest=sha256(body).hexdigest(),
        inside=sha256(inside).hexdigest(),
        signer=signer.authority,
        signed_at=signed_at,
        sealed_for=None,
        sealed_id=None,
    )


def _created(message: Tree) -> datetime:
    """Return the time of the message itself, for a signature that tells none; the signature covers it."""
    times = message.findall(_CREATED)
    try:
        return instant(times[0].text or "" if len(times) == 1 else "")
    except ValueError:
        raise SignatureProfile("neither the signature nor the header of the message tells a time") from None


def _canonical(envelope: Tree, claims: Claims) -> bytes:
    """Return the canonical form of the envelope that its reference names; for a whole document C14N 1.1 is C14N 1.0."""
    try:
        return etree.tostring(envelope, method="c14n", exclusive=claims.canonical == EXCLUSIVE, with_comments=False)
    except etree.C14NError as error:
        raise MalformedXml("the document has no canonical form (a namespace name that is not absolute)") from error
