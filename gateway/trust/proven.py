"""Checks roots of the journal and proofs of its entries: offline, with nothing but trust anchors and pinned certificates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gateway.domain import merkle
from gateway.domain.proofs import EntryProof
from gateway.domain.roots import Root, SignedRoot
from gateway.errors import RootInvalid, TimestampTimeInvalid
from gateway.trust import timestamps
from gateway.trust.certificates import TrustStore
from gateway.trust.keys import SigningKey
from gateway.trust.policy import STANDARD
from gateway.trust.timestamps import Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What a good proof says about an entry of a journal."""

    entry: int
    signer: str  # authority that signed the root over it
    rooted_at: datetime  # UTC, as the signer says
    stamped_at: datetime | None  # UTC, as the timestamp authority says; None where no timestamp was had yet
    timestamp_authority: str | None  # subject of its certificate, RFC 4514


def sign_root(root: Root, key: SigningKey) -> SignedRoot:
    """Return the root, signed. Raises what the key raises."""
    return SignedRoot(root=root, signature=key.algorithm.to_only_form(key.sign(root.covered())), chain=key.chain)


def check_root(signed: SignedRoot, trust: TrustStore, stamped_at: datetime | None) -> None:
    """Check the signature of one root; `stamped_at` is when a timestamp proves that it was there, None if none does.

    Raises `RootInvalid`, `SignatureInvalid`, and what `TrustStore.verdict` raises: its certificate must be good when the root
    was made, and when it was stamped. Nobody but the signer says when an unstamped root was made.
    """
    signer = trust.verdict(signed.chain, signed.root.made_at, claimed=stamped_at is None)
    if stamped_at is not None:
        trust.verdict(signed.chain, max(stamped_at, signed.root.made_at))
    if (signer.authority, signer.fingerprint) != (signed.root.authority, signed.root.certificate):
        raise RootInvalid("a root of the journal is signed by another authority or certificate than it names")
    if not signer.algorithm.is_only_form(signed.signature):
        raise RootInvalid("the signature of a root is not written in its one form")
    signer.check(signed.root.covered(), signed.signature)


def check_stamp(signed: SignedRoot, token: bytes, trust: TrustStore) -> Stamp:
    """Return the timestamp over one root. Raises what `timestamps.check` raises, and `TimestampTimeInvalid`."""
    stamp = timestamps.check(token, signed.stamped_data(), trust.timestamp_anchors)
    if stamp.at < signed.root.made_at - STANDARD.clock_skew:
        raise TimestampTimeInvalid("the timestamp is from before the root that it covers")
    return stamp


def check_entry(proof: EntryProof, trust: TrustStore) -> Proven:
    """Return what the proof shows of its entry.

    Raises `RootInvalid` where the entry is not under its root or the roots do not follow each other, and what `check_root`
    and `check_stamp` raise.
    """
    under, last = proof.roots[0], proof.roots[-1]
    reached = merkle.climb(bytes.fromhex(proof.hash), proof.entry - under.root.first, under.root.count, proof.path)
    if reached.hex() != under.root.root:
        raise RootInvalid("the entry is not in the tree of the root that is said to be over it")
    check_chain(proof.roots)
    stamp = None if proof.token is None else check_stamp(last, proof.token, trust)
    for each in proof.roots:
        check_root(each, trust, stamp.at if stamp else None)
    return Proven(
        entry=proof.entry,
        signer=under.root.authority,
        rooted_at=under.root.made_at,
        stamped_at=stamp.at if stamp else None,
        timestamp_authority=stamp.authority if stamp else None,
    )


def check_chain(roots: Sequence[SignedRoot]) -> None:
    """Raise `RootInvalid` unless each root follows the one before it, in number, entries and digest."""
    for before, after in pairwise(roots):
        expected = (before.root.number + 1, before.root.last + 1, before.digest())
        if (after.root.number, after.root.first, after.root.previous) != expected:
            raise RootInvalid(f"root {after.root.number} does not follow the root before it")
