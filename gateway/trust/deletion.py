"""The signed record of an erasure: what is left of a case once its key is destroyed. It names no person.

    {"record": {...}, "certificates": [base64 DER, leaf first], "signature": base64}

The signature covers a fixed first line and the JSON of the record, keys sorted, no spaces.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from gateway.errors import Refused, SignatureInvalid, SignerMismatch
from gateway.trust.certificates import TrustStore
from gateway.trust.keys import SigningKey
from gateway.wire.documents import parse_json

# Another kind of document signed by the same key can never be mistaken for this one.
_CONTEXT = b"readmission-gateway deletion record 1\n"
_MEMBERS = {"record", "certificates", "signature"}
# Why a case may be erased. Codes, not sentences: the record outlives the person's data and must hold none of it.
WHY = {
    "retention-ended": "the time for which the data may be kept is over",
    "person-request": "the person asked for it, and was right",
    "court-order": "a court or the supervisory authority ordered it",
    "unlawful": "the data should never have been processed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionRecord:
    """Which case was erased, by whom, why, and what of it."""

    case: str  # SHA-256 of home and reference: only who knows the reference finds it again
    home: str
    erased_at: datetime  # UTC
    by: str  # the person who decided
    why: str  # one of flow/erasure.py, WHY
    although_open: bool
    key_destroyed: bool  # False: the key was older than the tree of keys, and a backup made before still opens it
    destroyed: Mapping[str, int]  # number of rows made unreadable or removed, by table
    exports: tuple[str, ...] = field(default=())  # SHA-256 of case files that were handed out and are out of reach
    journal_entry: int = 0  # the last entry before the erasure
    journal_hash: str = ""


def case_digest(home: str, reference: str) -> str:
    """Return what names a case in a deletion record."""
    return sha256(f"{home}\n{reference}".encode()).hexdigest()


def _covered(record: Mapping[str, Any]) -> bytes:
    return _CONTEXT + json.dumps(dict(record), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def write_record(record: DeletionRecord, key: SigningKey) -> bytes:
    """Return the signed document of a record."""
    plain = asdict(record) | {
        "erased_at": record.erased_at.astimezone(UTC).isoformat(),
        "destroyed": dict(sorted(record.destroyed.items())),
        "exports": list(record.exports),
    }
    whole = {
        "record": plain,
        "certificates": [b64encode(each).decode() for each in key.chain],
        "signature": b64encode(key.algorithm.to_only_form(key.sign(_covered(plain)))).decode(),
    }
    return (json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def chain_of_record(body: bytes) -> tuple[bytes, ...]:
    """Return the certificates (DER) that travel in a record. Nothing is verified. Raises `SignatureInvalid`."""
    return _read(body).chain


def read_record(body: bytes, trust: TrustStore) -> DeletionRecord:
    """Return a record whose signature is that of its own authority, trusted when it was made.

    Raises `SignatureInvalid`, `SignerMismatch`, and what `TrustStore.verdict` raises.
    """
    read = _read(body)
    signer = trust.verdict(read.chain, read.record.erased_at, claimed=True)
    if not signer.algorithm.is_only_form(read.signature):
        raise SignatureInvalid("the signature of the deletion record is not written in its one form")
    signer.check(read.covered, read.signature)
    if signer.authority != read.record.home:
        raise SignerMismatch("the deletion record is signed by another authority than the one whose case it was")
    return read.record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    record: DeletionRecord
    chain: tuple[bytes, ...]
    covered: bytes
    signature: bytes


def _read(body: bytes) -> _Read:
    try:
        whole = parse_json(body)
        plain = whole["record"]
        erased_at = datetime.fromisoformat(plain["erased_at"])
        if set(whole) != _MEMBERS or erased_at.tzinfo is None or not _well_formed(plain):
            raise SignatureInvalid("this is no signed deletion record")
        record = DeletionRecord(**plain | {"erased_at": erased_at.astimezone(UTC), "exports": tuple(plain["exports"])})
        return _Read(
            record=record,
            chain=tuple(b64decode(each, validate=True) for each in whole["certificates"]),
            covered=_covered(plain),
            signature=b64decode(whole["signature"], validate=True),
        )
    except (Refused, ValueError, KeyError, TypeError, OverflowError) as error:
        raise SignatureInvalid("this is no signed deletion record") from error


def _well_formed(plain: Mapping[str, Any]) -> bool:
    """Tell whether the values of a record are of their kinds; that there are these members and no other, its class asks for."""
    destroyed, exports = plain["destroyed"], plain["exports"]
    return (
        all(isinstance(plain[name], str) for name in ("case", "home", "by", "why", "journal_hash"))
        and plain["why"] in WHY
        and all(isinstance(plain[name], bool) for name in ("although_open", "key_destroyed"))
        and type(plain["journal_entry"]) is int
        and isinstance(destroyed, dict)
        and all(type(rows) is int for rows in destroyed.values())
        and isinstance(exports, list)
        and all(isinstance(each, str) for each in exports)
    )
