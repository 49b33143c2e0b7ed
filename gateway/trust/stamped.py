"""Profile T: a signed envelope of the one profile with one timestamp over its signature value (ETSI EN 319 132-1, level T).

The timestamp stands at the one place the standard gives it, as fixed bytes around the token. Without it the envelope is, byte
for byte, the one that was signed; so a stamped envelope is read by cutting the timestamp out and verifying what remains.

The digest of a message is always that of the envelope without timestamp: stamping a copy changes nothing of what was exchanged.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

from gateway.errors import SignatureProfile, TimestampMalformed, TooLarge
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.trust import profile
from gateway.trust.timestamps import MAX_TOKEN_BYTES

# In canonical form, as everything of the profile: the prefixes ds and xades are declared on the elements around it.
HEAD = (
    b"<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp>"
    + profile.CANONICALIZATION
    + b"<xades:EncapsulatedTimeStamp>"
)
TAIL = (
    b"</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp></xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
)
_END = profile.SIGNATURE_TAIL + profile.CLOSE
_VALUE = re.compile(rb"<ds:SignatureValue>([A-Za-z0-9+/=]+)</ds:SignatureValue>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A stamped envelope, cut."""

    envelope: bytes  # without its timestamp
    token: bytes  # DER


def over(envelope: bytes) -> bytes:
    """Return what a timestamp of the signed `envelope` is over: its ds:SignatureValue in exclusive canonical form.

    Raises `SignatureProfile` for bytes that are no envelope of the profile.
    """
    start = envelope.rfind(profile.SIGNATURE_START)
    found = _VALUE.search(envelope, max(start, 0))
    if start < 0 or found is None:
        raise SignatureProfile("the envelope carries no signature of the one profile")
    return profile.signature_value_alone(found[1])


def add(envelope: bytes, token: bytes) -> bytes:
    """Return the signed `envelope` with a timestamp token (DER) over its signature value.

    Raises `SignatureProfile` for bytes that are no envelope without timestamp, `TooLarge` where no message may be as large.
    """
    if not envelope.endswith(b"</xades:SignedProperties>" + _END):
        raise SignatureProfile("only an envelope of the one profile, without timestamp, can be stamped")
    body = envelope[: -len(_END)] + HEAD + b64encode(token) + TAIL + _END
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge(f"the envelope with its timestamp has {len(body)} bytes; it may have at most {MAX_MESSAGE_BYTES}")
    return body


def cut(body: bytes) -> Cut | None:
    """Return envelope and timestamp of a stamped envelope, None for what does not end like one.

    Raises `TimestampMalformed` when what stands in the place of the timestamp is not base64 of at most one token.
    """
    if not body.endswith(TAIL + _END):
        return None
    # The last head: whatever stands before it must be an envelope without timestamp, or it is refused for that.
    start = body.rfind(HEAD)
    if start < 0:
        return None
    text = body[start + len(HEAD) : -len(TAIL + _END)]
    try:
        token = b64decode(text, validate=True)
    except ValueError:
        raise TimestampMalformed("the timestamp is not base64") from None
    if b64encode(token) != text or len(token) > MAX_TOKEN_BYTES:
        raise TimestampMalformed("the timestamp is not base64 in its one form, or too large")
    return Cut(envelope=body[:start] + _END, token=token)
