"""A certificate that a person here takes back, and what follows for keys of our own."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from gateway.errors import KeyMissing
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import SEALING, authority_files, read_public
from gateway.trust.hardware import HardwareKey
from gateway.trust.held import HeldKeys, read_held, signing_files
from gateway.trust.renewal import renew_sealing
from gateway.trust.revocation import local
from gateway.trust.revocation.local import LocalRevocation
from gateway.trust.sealing_keys import read_document
from gateway.trust.tokens import module_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What was done."""

    authority: str
    decision: LocalRevocation
    signs_on: bool  # our own: another key of the authority signs now
    destroyed: bool  # our own: the private key is gone


def certificate_named(folder: Path, name: str) -> tuple[str, str]:
    """Return (authority, fingerprint) of a pinned certificate, named by its fingerprint or by its authority.

    Raises `KeyMissing` if nothing pinned is called so, or if the authority has more than one.
    """
    trust = TrustStore.load(folder)
    for authority in trust.authorities():
        own = [each.fingerprint for each in trust.pinned(authority)]
        if name in own:
            return authority, name
        if name == authority:
            if len(own) > 1:
                raise KeyMissing(f"{authority} has more than one certificate; name one by its fingerprint: {', '.join(own)}")
            return authority, own[0]
    raise KeyMissing(f"no pinned certificate has the fingerprint or the authority {name}")


def withdraw(folder: Path, name: str, *, at: datetime, why: str, by: str, now: datetime, destroy: bool) -> Withdrawn:
    """Revoke a pinned certificate here; with `destroy`, its private key is destroyed too where we hold it.

    If it vouches for our newest sealing key, another signing key of the authority does so from now on, where there is one.
    Raises `KeyMissing`, `TrustInvalid`, and what a token raises.
    """
    authority, fingerprint = certificate_named(folder, name)
    decision = local.revoke(folder, fingerprint, at, why, by)
    if authority not in _held_here(folder):
        return Withdrawn(authority=authority, decision=decision, signs_on=False, destroyed=False)
    destroyed = _destroy(folder, authority, fingerprint) if destroy else False
    return Withdrawn(
        authority=authority,
        decision=decision,
        signs_on=_vouch_again(folder, authority, fingerprint, now),
        destroyed=destroyed,
    )


def _held_here(folder: Path) -> set[str]:
    try:
        return {authority for authority, _ in signing_files(folder, {})}
    except KeyMissing:  # no private folder at all
        return set()


def _destroy(folder: Path, authority: str, fingerprint: str) -> bool:
    for owner, path in signing_files(folder, {}):
        if owner == authority:
            held = read_held(owner, path, {})
            if held.fingerprint == fingerprint:
                if isinstance(held.key, HardwareKey):
                    module_of(held.key.place).destroy(held.key.place)
                path.unlink()
                path.with_suffix(".toml").unlink(missing_ok=True)
                return True
    return False


def _vouch_again(folder: Path, authority: str, fingerprint: str, now: datetime) -> bool:
    """Have the sealing key vouched for by another key where it was by this one; tell whether there is another that signs."""
    try:
        signer = HeldKeys.load(folder, {}).key(authority, now)
    except KeyMissing:
        return False
    documents = [path for owner, path in authority_files(folder / SEALING, ".json") if owner == authority]
    if any(_voucher(authority, path) == fingerprint for path in documents):
        renew_sealing(folder, signer, now)
    return True


def _voucher(authority: str, path: Path) -> str:
    """Return the fingerprint of the certificate that vouches for a sealing key. Raises `TrustInvalid`."""
    return sha256(read_document(read_public(path), authority, path.name).chain[0]).hexdigest()
