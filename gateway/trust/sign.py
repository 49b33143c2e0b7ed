"""Sign a canonical message: an enveloped XAdES signature of the one fixed profile."""

from datetime import UTC, datetime
from hashlib import sha256

from gateway.errors import SignatureProfile, TooLarge
from gateway.stages import Signed, Tree
from gateway.trust import profile
from gateway.trust.keys import SigningKey
from gateway.wire.documents import NS, canonicalize


def sign(document: Tree, key: SigningKey, at: datetime) -> Signed:
    """Return `document` in a signed envelope. `at` is the claimed instant of signing; fractions of a second are dropped.

    Raises `SignatureProfile` if the document is not a message of the family (it would be read differently inside the
    envelope), `TooLarge` if the envelope exceeds the limit for a message.
    """
    if not str(document.tag).startswith(f"{{{NS}}}"):
        raise SignatureProfile("only a canonical message can be signed")
    if next(document.iter("{}*"), None) is not None:
        raise SignatureProfile("an element without a namespace would take the namespace of the envelope")
    signed_at = at.astimezone(UTC).replace(microsecond=0)
    signing_time = signed_at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    content = profile.OPEN + canonicalize(document)
    envelope_digest = profile.digest(content + profile.CLOSE)
    certificate_digest = profile.digest(key.chain[0])
    properties_digest = profile.digest(profile.signed_properties_alone(signing_time, certificate_digest))
    value = key.algorithm.to_only_form(key.sign(profile.signed_info_alone(key.algorithm, envelope_digest, properties_digest)))
    signature = profile.signature(
        algorithm=key.algorithm,
        envelope_digest=envelope_digest,
        properties_digest=properties_digest,
        value=value,
        certificates=profile.key_info(key.chain),
        signing_time=signing_time,
        certificate_digest=certificate_digest,
    )
    body = content + signature + profile.CLOSE
    if len(body) > profile.MAX_ENVELOPE_BYTES:
        raise TooLarge(f"the signed envelope has {len(body)} bytes; it may have at most {profile.MAX_ENVELOPE_BYTES}")
    return Signed(body=body, digest=sha256(body).hexdigest(), signer=key.authority, signed_at=signed_at)
