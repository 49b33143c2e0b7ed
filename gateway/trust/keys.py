"""The private keys of the home authorities: signing keys and sealing keys, one or more of each.

Which files there are: gateway/trust/folder.py. A process that only seals and sends holds none of them: its ring asks another
process for each signature.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from gateway.errors import KeyMissing, TrustInvalid
from gateway.trust.folder import authority_files, private_folder, read_private
from gateway.trust.held import HeldKeys
from gateway.trust.signing_key import FileKey, SigningKey, read_signing_key
from gateway.trust.suites import SUITES, PrivateKey, SealingSuite, key_id

__all__ = [
    "FileKey",
    "KeyRing",
    "SealedKey",
    "Signers",
    "SigningKey",
    "private_sealing_document",
    "read_sealing_key",
    "read_sealing_keys",
    "read_signing_key",
]


class Signers(Protocol):
    """What signs for the home authorities: keys of this process, or another process."""

    def authorities(self) -> tuple[str, ...]:
        """Return the authorities in alphabetical order. Raises `SignerUnavailable`."""
        ...

    def key(self, authority: str, at: datetime) -> SigningKey:
        """Return the key with which the authority signs at an instant. Raises `KeyMissing`, `SignerUnavailable`."""
        ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedKey:
    """A private sealing key with its suite."""

    key_id: str
    suite: SealingSuite
    private_key: PrivateKey

    def __repr__(self) -> str:
        return f"SealedKey({self.key_id})"


def private_sealing_document(authority: str, suite: SealingSuite, private: bytes) -> bytes:
    """Return the JSON file of a private sealing key."""
    content = {
        "v": 1,
        "authority": authority,
        "key_id": key_id(suite.public_of(private)),
        "suite": suite.name,
        "private_key": b64encode(private).decode(),
    }
    return (json.dumps(content, indent=2) + "\n").encode()


def read_sealing_key(authority: str, path: Path) -> SealedKey:
    """Read a private sealing key. Raises `KeyMissing`, `TrustInvalid`."""
    data = read_private(path)
    try:
        content = json.loads(data)
        suite = SUITES[content["suite"]]
        raw = b64decode(content["private_key"], validate=True)
        private_key = suite.load_private(raw)
        found = key_id(suite.public_of(raw))
        fits = content["v"] == 1 and content["authority"] == authority and content["key_id"] == found
    except (ValueError, KeyError, TypeError) as error:
        raise TrustInvalid(f"private/{path.name} is not a private sealing key") from error
    if not fits:
        raise TrustInvalid(f"private/{path.name} names another authority or another key than it holds")
    return SealedKey(key_id=found, suite=suite, private_key=private_key)


def read_sealing_keys(folder: Path) -> Mapping[tuple[str, str], SealedKey]:
    """Read every private sealing key of a key folder, by authority and key id. Raises `KeyMissing`, `TrustInvalid`."""
    found: dict[tuple[str, str], SealedKey] = {}
    for authority, path in authority_files(private_folder(folder), ".sealing.json"):
        key = read_sealing_key(authority, path)
        found[authority, key.key_id] = key
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The private keys that this process may use."""

    _signers: Signers
    _sealing: Mapping[tuple[str, str], SealedKey]  # (authority, key id)
    _clock: Callable[[], datetime] = _utc_now

    @classmethod
    def load(
        cls, folder: Path, *, environment: Mapping[str, str] = os.environ, clock: Callable[[], datetime] = _utc_now
    ) -> "KeyRing":
        """Read every private key of this installation. Raises `KeyMissing` if there is no key folder, `TrustInvalid`."""
        return cls(_signers=HeldKeys.load(folder, environment), _sealing=read_sealing_keys(folder), _clock=clock)

    @classmethod
    def of(cls, signers: Signers, *, sealing: Path | None, clock: Callable[[], datetime] = _utc_now) -> "KeyRing":
        """Return a ring whose signing keys are elsewhere; sealing keys are read from a key folder only if one is named."""
        return cls(_signers=signers, _sealing=read_sealing_keys(sealing) if sealing is not None else {}, _clock=clock)

    def authorities(self) -> tuple[str, ...]:
        """Return the authorities this installation can sign for, in alphabetical order. Raises `SignerUnavailable`."""
        return self._signers.authorities()

    def signing(self, authority: str, at: datetime | None = None) -> SigningKey:
        """Return the key with which the authority signs at an instant; not given: now.

        Raises `KeyMissing` if it has none that is valid then, `SignerUnavailable`.
        """
        return self._signers.key(authority, at or self._clock())

    def sealing(self, authority: str, key_id: str) -> SealedKey:
        """Return the authority's private sealing key with that id. Raises `KeyMissing`."""
        try:
            return self._sealing[authority, key_id]
        except KeyError:
            raise KeyMissing(f"there is no private sealing key {key_id} of {authority} in the key folder") from None

    def sealing_ids(self, authority: str) -> tuple[str, ...]:
        """Return the ids of the authority's private sealing keys."""
        return tuple(sorted(found for owner, found in self._sealing if owner == authority))
