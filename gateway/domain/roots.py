"""Roots of the journal: what a signature and a timestamp say about many entries at once (docs/decisions/0021).

Each root is over the entries since the root before it and names the digest of that root, signature included. So the roots are a
chain, and a timestamp over one of them is a timestamp over all that came before.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from gateway.errors import RootInvalid

GENESIS = "0" * 64  # stands where the first root names the root before it
# Another kind of document signed by the same key can never be mistaken for this one.
CONTEXT = b"readmission-gateway journal root 1\n"
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST = 1 << 63  # row ids of the database are below


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """What is signed: the Merkle root over the hashes of the journal entries from `first` to `last`."""

    number: int  # from 1, without gaps
    first: int  # journal entry
    last: int  # journal entry
    root: str  # of the Merkle tree, hex
    previous: str  # digest of the signed root before this one, hex
    made_at: datetime  # UTC, whole seconds
    authority: str  # home authority whose key signs
    certificate: str  # SHA-256 of its signing certificate, hex

    @property
    def count(self) -> int:
        """Return how many entries it is over."""
        return self.last - self.first + 1

    def members(self) -> dict[str, Any]:
        """Return the members of its JSON form."""
        return {
            "v": 1,
            "number": self.number,
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "root": self.root,
            "previous": self.previous,
            "made_at": instant_text(self.made_at),
            "authority": self.authority,
            "certificate": self.certificate,
        }

    def covered(self) -> bytes:
        """Return the bytes that are signed: a fixed first line, then JSON with sorted keys and without spaces."""
        return CONTEXT + _text(self.members()).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRoot:
    """A root with the signature of a home authority."""

    root: Root
    signature: bytes  # raw, as XML Signature writes it
    chain: tuple[bytes, ...]  # DER, leaf first

    def stamped_data(self) -> bytes:
        """Return what a timestamp of this root is over: statement and signature."""
        return self.root.covered() + self.signature

    def digest(self) -> str:
        """Return what the next root names as the root before it, hex."""
        return sha256(self.stamped_data()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RootStamp:
    """A timestamp over a root, and so over every root before it."""

    number: int  # of the root
    token: bytes  # DER of the TimeStampToken
    authority: str  # subject of the timestamp authority's certificate, RFC 4514
    at: datetime  # UTC


def _text(members: Mapping[str, Any]) -> str:
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


def instant_text(instant: datetime) -> str:
    """Return e.g. "2026-11-24T12:00:00Z"."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_root(members: Mapping[str, Any]) -> Root:
    """Return the root of a JSON object as `Root.members` writes it. Raises `RootInvalid`."""
    try:
        made_at = members["made_at"]
        if not isinstance(made_at, str) or not _INSTANT.fullmatch(made_at):
            raise RootInvalid("a root of the journal names no instant at which it was made")
        found = Root(
            number=members["number"],
            first=members["first"],
            last=members["last"],
            root=members["root"],
            previous=members["previous"],
            made_at=datetime.fromisoformat(made_at),
            authority=members["authority"],
            certificate=members["certificate"],
        )
        numbers = (found.number, found.first, found.last)
        right = all(type(one) is int and 0 < one < _MOST for one in numbers) and found.first <= found.last
        right = right and all(_HASH.fullmatch(one) for one in (found.root, found.previous, found.certificate))
        if not right or _text(found.members()) != _text(members):  # as text: 1.0 and true are no numbers here
            raise RootInvalid("what should be a root of the journal is none")
    except (KeyError, TypeError, ValueError):
        raise RootInvalid("what should be a root of the journal is none") from None
    return found
