"""The public document of a sealing key: which key to seal with for an authority, signed by that authority.

    {"v": 1, "authority": "PK-MOI", "key_id": ..., "suite": ..., "public_key": base64,
     "not_before": instant, "not_after": instant, "certificates": [base64 DER, leaf first], "signature": base64 of r || s}

The signature covers a fixed first line and the JSON of all members but `signature`, keys sorted, no spaces.
"""

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.errors import Refused, TrustInvalid
from gateway.trust.signing_key import SigningKey
from gateway.trust.suites import SUITES, PublicKey, SealingSuite, key_id

# Another kind of document signed by the same key can never be mistaken for this one.
_CONTEXT = b"readmission-gateway sealing key 1\n"
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_MEMBERS = {"v", "authority", "key_id", "suite", "public_key", "not_before", "not_after", "certificates", "signature"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """A partner's public sealing key, its document checked."""

    authority: str
    key_id: str
    suite: SealingSuite
    public_key: PublicKey
    raw: bytes  # the public key as the document carries it
    not_before: datetime  # UTC; also the instant at which the document was signed
    not_after: datetime  # UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A document as read, its signature not yet checked."""

    key: SealingKey
    chain: tuple[bytes, ...]  # DER, leaf first
    covered: bytes
    signature: bytes  # r || s


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError("not an instant in UTC")
    return datetime.fromisoformat(text)


def _covered(content: dict[str, Any]) -> bytes:
    rest = {name: value for name, value in content.items() if name != "signature"}
    return _CONTEXT + json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()


def write_document(signer: SigningKey, suite: SealingSuite, public: bytes, not_before: datetime, not_after: datetime) -> bytes:
    """Return the signed document of the raw public key `public`, owned by the signer's authority."""
    content: dict[str, Any] = {
        "v": 1,
        "authority": signer.authority,
        "key_id": key_id(public),
        "suite": suite.name,
        "public_key": b64encode(public).decode(),
        "not_before": _text(not_before),
        "not_after": _text(not_after),
        "certificates": [b64encode(each).decode() for each in signer.chain],
    }
    content["signature"] = b64encode(signer.sign(_covered(content))).decode()
    return (json.dumps(content, indent=2) + "\n").encode()


def read_document(data: bytes, authority: str, name: str) -> Claimed:
    """Read a document that should belong to `authority`; `name` is the file named in an error. Raises `TrustInvalid`."""
    try:
        content = json.loads(data)
        if not isinstance(content, dict) or set(content) != _MEMBERS or content["v"] != 1:
            raise TrustInvalid(f"sealing/{name} is not a sealing key document of version 1")
        suite = SUITES[content["suite"]]
        public = b64decode(content["public_key"], validate=True)
        key = SealingKey(
            authority=content["authority"],
            key_id=content["key_id"],
            suite=suite,
            public_key=suite.load_public(public),
            raw=public,
            not_before=_instant(content["not_before"]),
            not_after=_instant(content["not_after"]),
        )
        chain = tuple(b64decode(each, validate=True) for each in content["certificates"])
        signature = b64decode(content["signature"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise TrustInvalid(f"sealing/{name} is not a sealing key document") from error
    if key.authority != authority or key.key_id != key_id(public):
        raise TrustInvalid(f"sealing/{name} names another authority or another key than it holds")
    return Claimed(key=key, chain=chain, covered=_covered(content), signature=signature)


def not_accepted(name: str, reason: Refused) -> TrustInvalid:
    """Return the error for a document whose signature or signer is refused."""
    return TrustInvalid(f"sealing/{name} is not signed by a pinned certificate of its authority: {reason.message}")
