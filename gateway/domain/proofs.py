"""The proof that one entry of the journal existed when it is said to: everything a stranger needs, without the database.

In JSON:
    {"v": 1, "entry": id, "hash": hex, "path": [hex, ...],
     "roots": [{"statement": {...}, "signature": base64, "certificates": [base64 DER, ...]}, ...],
     "timestamp": {"token": base64 DER} or null}

The first root is the one over the entry; those after it lead to the root that was timestamped.
gateway/trust/proven.py checks it.
"""

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

from gateway.domain.roots import SignedRoot, read_root
from gateway.errors import RootInvalid

MAX_PROOF_BYTES = 64 * 1024 * 1024  # a month without timestamp authority, one root a minute, is some 60 MB
_MEMBERS = {"v", "entry", "hash", "path", "roots", "timestamp"}
_ROOT_MEMBERS, _STAMP_MEMBERS = {"statement", "signature", "certificates"}, {"token"}
# A value stands on some 70 bytes of a proof. Values without end on a few bytes each would take thirty times their size to read.
_BYTES_PER_VALUE = 24
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryProof:
    """One entry, its place under a root, and the way from there to a timestamp."""

    entry: int  # id of the journal entry
    hash: str  # of the entry, hex; how it is made of the entry: gateway/store/journal.py
    path: tuple[bytes, ...]  # audit path in the tree of the first root
    roots: tuple[SignedRoot, ...]  # at least one
    token: bytes | None  # DER of a timestamp over the last root; None when none was had yet


def to_json(proof: EntryProof) -> bytes:
    """Return the proof as a JSON document."""
    content = {
        "v": 1,
        "entry": proof.entry,
        "hash": proof.hash,
        "path": [each.hex() for each in proof.path],
        "roots": [
            {
                "statement": each.root.members(),
                "signature": b64encode(each.signature).decode(),
                "certificates": [b64encode(one).decode() for one in each.chain],
            }
            for each in proof.roots
        ],
        "timestamp": None if proof.token is None else {"token": b64encode(proof.token).decode()},
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def from_json(data: bytes) -> EntryProof:
    """Read a proof; nothing of it is proven by that. Raises `RootInvalid`."""
    if len(data) > MAX_PROOF_BYTES:
        raise RootInvalid("the proof of a journal entry is too large")
    if data.count(b",") > 100 + len(data) // _BYTES_PER_VALUE:
        raise RootInvalid("what should be the proof of a journal entry is none")
    try:
        content = json.loads(data)
        if not isinstance(content, dict) or set(content) != _MEMBERS or content["v"] != 1 or not content["roots"]:
            raise RootInvalid("what should be the proof of a journal entry is none")
        entry, timestamp = content["entry"], content["timestamp"]
        if type(entry) is not int or type(content["v"]) is not int:
            raise RootInvalid("what should be the proof of a journal entry is none")
        return EntryProof(
            entry=entry,
            hash=_hash(content["hash"]),
            path=tuple(bytes.fromhex(_hash(each)) for each in content["path"]),
            roots=tuple(_root(each) for each in content["roots"]),
            token=None if timestamp is None else _bytes(_only(timestamp, _STAMP_MEMBERS)["token"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RootInvalid("what should be the proof of a journal entry is none") from None


def _only(content: Any, members: set[str]) -> Any:
    if not isinstance(content, dict) or set(content) != members:
        raise ValueError("not an object of these members")
    return content


def _root(content: Any) -> SignedRoot:
    _only(content, _ROOT_MEMBERS)
    return SignedRoot(
        root=read_root(content["statement"]),
        signature=_bytes(content["signature"]),
        chain=tuple(_bytes(each) for each in content["certificates"]),
    )


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise ValueError("not a SHA-256 in hex")
    return text


def _bytes(text: str) -> bytes:
    return b64decode(text, validate=True)
