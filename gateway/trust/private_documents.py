"""The file of a private key that is raw bytes: a sealing key, a key for second signatures.

    {"v": 1, "authority": "PK-MOI", "key_id": ..., "suite": ..., "private_key": base64}

A signing key lies in PEM with its certificates instead (gateway/trust/keys.py).
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from gateway.errors import TrustInvalid
from gateway.trust.folder import read_private


class HasName(Protocol):
    """What a raw key is used with, by its stable name."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A name alone, of a key that is not used here."""

    name: str


class Scheme(HasName, Protocol):
    """What a raw key is used with: a sealing suite, a second signature algorithm."""

    @property
    def public_of(self) -> Any:
        """Return a function from a raw private key to the raw public key; ValueError if it is none."""
        ...


AnyScheme = TypeVar("AnyScheme", bound=Scheme)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateDocument(Generic[AnyScheme]):
    """A private key as read from its file."""

    key_id: str
    scheme: AnyScheme
    raw: bytes

    def __repr__(self) -> str:
        return f"PrivateDocument({self.key_id})"


def key_id(public: bytes) -> str:
    """Return the id of a key: the first 16 hex digits of the SHA-256 of its raw public key."""
    return sha256(public).hexdigest()[:16]


def write_private_document(authority: str, member: str, scheme: Scheme, private: bytes) -> bytes:
    """Return the JSON file of a private key; `member` is the word under which the scheme is named."""
    content = {
        "v": 1,
        "authority": authority,
        "key_id": key_id(scheme.public_of(private)),
        member: scheme.name,
        "private_key": b64encode(private).decode(),
    }
    return (json.dumps(content, indent=2) + "\n").encode()


def private_key_id(path: Path) -> str:
    """Return the id of the key in the file of a private key. Raises `KeyMissing`, `TrustInvalid`."""
    data = read_private(path)
    try:
        return str(json.loads(data)["key_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise TrustInvalid(f"private/{path.name} is not the file of a private key") from error


def read_private_document(
    authority: str, path: Path, member: str, schemes: Mapping[str, AnyScheme], noun: str
) -> PrivateDocument[AnyScheme]:
    """Read the file of a private key. Raises `KeyMissing`, `TrustInvalid`."""
    data = read_private(path)
    try:
        content = json.loads(data)
        scheme = schemes[content[member]]
        raw = b64decode(content["private_key"], validate=True)
        found = key_id(scheme.public_of(raw))
        fits = content["v"] == 1 and content["authority"] == authority and content["key_id"] == found
    except (ValueError, KeyError, TypeError) as error:
        raise TrustInvalid(f"private/{path.name} is not a private {noun}") from error
    if not fits:
        raise TrustInvalid(f"private/{path.name} names another authority or another key than it holds")
    return PrivateDocument(key_id=found, scheme=scheme, raw=raw)
