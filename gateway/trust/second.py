"""The second signature: ML-DSA-65 (FIPS 204) beside the profile's signature, for the day on which the first can be forged.

It travels inside the seal, as one line of JSON in front of the envelope, whose bytes and digest stay as they are:

    {"v":1,"algorithm":"ml-dsa-65","key":<id of a published key>,"signature":<base64>}

and covers a fixed first line and the bytes of the envelope. The keys that sign are published like sealing keys, signed by the
authority's signing key (gateway/trust/key_documents.py). Whether one is made or asked for: gateway/partners/trust_rules.py.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey, MLDSAMuHasher

from gateway.errors import SecondSignatureInvalid
from gateway.trust.folder import SECOND
from gateway.trust.key_documents import Kind, PublishedKey
from gateway.trust.mldsa import SCHEMES, SecondSigner

_CONTEXT: Final = b"readmission-gateway second signature 1\n"
MAX_LINE_BYTES: Final = 4608  # ML-DSA-65: 3309 bytes, 4412 in base64, and about 90 around them


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPublicKey(PublishedKey):
    """An authority's public key for second signatures."""

    public_key: MLDSA65PublicKey


def _make(fields: dict[str, Any]) -> SecondPublicKey:
    return SecondPublicKey(**fields, public_key=SCHEMES[fields["scheme"]].load_public(fields["raw"]))


SECOND_KEYS: Final = Kind(noun="second signature key", folder=SECOND, private="second", member="algorithm", make=_make)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondSignature:
    """A second signature as it came; nothing of it is proven."""

    algorithm: str
    key: str
    signature: bytes

    def as_line(self) -> bytes:
        """Return the one form of the line, without its newline."""
        content = {"v": 1, "algorithm": self.algorithm, "key": self.key, "signature": b64encode(self.signature).decode()}
        return json.dumps(content, separators=(",", ":")).encode()

    def check(self, key: SecondPublicKey, envelope: bytes) -> None:
        """Raise `SecondSignatureInvalid` unless it was made over `envelope` with the private part of `key`."""
        if self.algorithm != key.scheme:
            raise SecondSignatureInvalid("the second signature names another algorithm than its key has")
        try:
            key.public_key.verify(self.signature, _CONTEXT + envelope)
        except InvalidSignature:
            raise SecondSignatureInvalid("the second signature is not the signer's") from None


def sign_second(envelope: bytes, key: SecondSigner, published: SecondPublicKey) -> bytes:
    """Return `envelope` with the line of its second signature in front; `published` is the public part of `key`.

    The digest is made here, so that a key in another process is never sent the envelope. Raises as `SecondSigner.sign_mu`.
    """
    hasher = MLDSAMuHasher(published.public_key)
    hasher.update(_CONTEXT)
    hasher.update(envelope)
    value = key.sign_mu(hasher.finalize())
    return SecondSignature(algorithm=key.scheme.name, key=key.key_id, signature=value).as_line() + b"\n" + envelope


def split_second(plain: bytes) -> tuple[SecondSignature | None, bytes]:
    """Return the second signature in front of an envelope, if there is one, and the envelope.

    Raises `SecondSignatureInvalid` for a line that has not its one form.
    """
    if not plain.startswith(b"{"):
        return None, plain
    line, newline, envelope = plain[: MAX_LINE_BYTES + 1].partition(b"\n")
    envelope = plain[len(line) + 1 :]
    try:
        content = json.loads(line) if newline else {}
        found = SecondSignature(
            algorithm=content["algorithm"],
            key=content["key"],
            signature=b64decode(content["signature"], validate=True),
        )
        one_form = found.as_line() == line
    except (ValueError, KeyError, TypeError, RecursionError):
        one_form = False
    if not one_form:
        raise SecondSignatureInvalid("the line before the envelope is not a second signature")
    return found, envelope
