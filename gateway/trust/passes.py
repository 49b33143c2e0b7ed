"""Signs conformance passes and checks them: offline, with trust anchors and pinned certificates only."""

import binascii
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.conformance import Pass
from gateway.errors import PassExpired, PassInvalid
from gateway.trust.certificates import TrustStore
from gateway.trust.keys import SigningKey

MAX_PASS_BYTES = 262_144
_KEYS = {"pass", "signature", "certificates"}
_MOST_CERTIFICATES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPass:
    """A pass whose signature is its signer's."""

    stated: Pass
    signer: str  # authority

    def require_current(self, now: datetime) -> None:
        """Raise `PassExpired` once its time is over."""
        if now >= self.stated.ends_at:
            raise PassExpired(f"the conformance pass of {self.stated.partner} ended on {self.stated.ends_at:%Y-%m-%d}")


def sign_pass(stated: Pass, key: SigningKey) -> bytes:
    """Return the pass as a file: the statement, its signature, the signer's certificates. Raises what the key raises."""
    document = {
        "pass": stated.members(),
        "signature": b64encode(key.algorithm.to_only_form(key.sign(stated.covered()))).decode(),
        "certificates": [b64encode(each).decode() for each in key.chain],
    }
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def check_pass(body: bytes, trust: TrustStore) -> CheckedPass:
    """Return what a pass states, once its signature is known to be that of a pinned certificate, good when it was made.

    Raises `PassInvalid`, `SignatureInvalid`, and what `TrustStore.verdict` raises. Whether its time is over is asked apart.
    """
    document = _read(body)
    stated = Pass.read(document["pass"])
    try:
        signature = b64decode(document["signature"], validate=True)
        chain = tuple(b64decode(each, validate=True) for each in document["certificates"])
    except (binascii.Error, TypeError, ValueError) as error:
        raise PassInvalid("signature and certificates of a conformance pass are base64") from error
    signer = trust.verdict(chain, stated.made_at, claimed=True)
    if (signer.authority, signer.fingerprint) != (stated.authority, stated.certificate):
        raise PassInvalid("the conformance pass is signed by another authority or certificate than it names")
    if not signer.algorithm.is_only_form(signature):
        raise PassInvalid("the signature of the conformance pass is not written in its one form")
    signer.check(stated.covered(), signature)
    return CheckedPass(stated=stated, signer=signer.authority)


def _read(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_PASS_BYTES:
        raise PassInvalid("this is too large for a conformance pass")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PassInvalid("this is no conformance pass: it is not JSON") from error
    if not isinstance(document, dict) or set(document) != _KEYS or not isinstance(document["signature"], str):
        raise PassInvalid("this is no conformance pass")
    certificates = document["certificates"]
    if not isinstance(certificates, list) or not 0 < len(certificates) <= _MOST_CERTIFICATES:
        raise PassInvalid("a conformance pass brings the certificates of its signer")
    if not all(isinstance(each, str) for each in certificates):
        raise PassInvalid("a certificate of the conformance pass is not base64")
    return document
