"""Whom we believe: certificates pinned per authority, chains that end at an anchor, published keys, rules of partners.

A certificate is trusted for an authority only if it is pinned in that authority's name: any other certificate of the same
certificate authority is refused. On top of that its chain must verify, its purpose must be signing, and no certificate of
the chain may be revoked (gateway/trust/revocation/).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import (
    AlgorithmNotAllowed,
    CertificateNotValid,
    CertificateRevoked,
    KeyMissing,
    Misconfigured,
    Refused,
    SignerNotTrusted,
    TrustInvalid,
)
from gateway.partners import trust_rules
from gateway.partners.trust_rules import TrustRules
from gateway.trust import chains
from gateway.trust.chains import MAX_CHAIN, UNREADABLE
from gateway.trust.folder import (
    ANCHORS,
    PINNED,
    REVOCATION,
    SEALING,
    SECOND,
    TIMESTAMP_ANCHORS,
    Sighting,
    authority_files,
    look,
)
from gateway.trust.key_documents import Kind, Published, PublishedKey, read_all
from gateway.trust.pinned import Pinned, pin, read_folder
from gateway.trust.revocation import grace
from gateway.trust.revocation.evidence import Evidence
from gateway.trust.revocation.judging import Judge, Window
from gateway.trust.revocation.sources import fingerprint
from gateway.trust.revocation.states import Mode
from gateway.trust.sealing_keys import SEALING_KEYS, SealingKey
from gateway.trust.second import SECOND_KEYS, SecondPublicKey

VERDICT_SECONDS = 300.0  # a verdict is computed again after this long
LOOK_SECONDS = 1.0  # the key folder is looked at this often, at most
_PUBLIC = (ANCHORS, TIMESTAMP_ANCHORS, PINNED, SEALING, SECOND, REVOCATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """A chain that verified, the time in which all its certificates are valid, and for which none of them is revoked."""

    path: tuple[x509.Certificate, ...]  # leaf first, anchor last
    not_before: datetime
    not_after: datetime
    window: Window
    found_at: float  # seconds of the store's monotonic clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What the key folder held when it was read; never changed afterwards, except that verdicts are kept."""

    anchors: tuple[x509.Certificate, ...]
    timestamp_anchors: tuple[x509.Certificate, ...]  # a timestamp's chain must end at one of them
    pinned: Mapping[str, Pinned]  # by fingerprint
    sealing: Mapping[str, tuple[SealingKey, ...]]  # by authority, newest first
    second: Mapping[str, tuple[SecondPublicKey, ...]]  # by authority, newest first
    judge: Judge
    seen: Sighting
    verdicts: dict[tuple[bytes, ...], _Verdict] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the SHA-256, in hex, that tells one set of anchors, pins and published keys from another."""
        names = [f"anchor {fingerprint(each)}" for each in (*self.anchors, *self.timestamp_anchors)]
        names += [f"{each.authority} {each.fingerprint}" for each in self.pinned.values()]
        names += [f"{each.authority} {each.key_id}" for keys in self.sealing.values() for each in keys]
        names += [f"second {each.authority} {each.key_id}" for keys in self.second.values() for each in keys]
        return sha256("\n".join(sorted(names)).encode()).hexdigest()


def _load(folder: Path, mode: Mode) -> Loaded:
    """Read the public part of the key folder and check every key document in it."""
    seen = look(folder, _PUBLIC)  # before the files are read: what changes while we read is read again
    anchors = read_folder(folder / ANCHORS)
    if not anchors:
        raise KeyMissing("the key folder holds no anchor; 'gateway keys new --development' makes development keys")
    pinned: dict[str, Pinned] = {}
    for authority, path in authority_files(folder / PINNED, ".pem"):
        found = pin(authority, path)
        known = pinned.setdefault(found.fingerprint, found)
        if known.authority != authority:
            raise TrustInvalid(f"pinned/{path.name} is the certificate of {known.authority}: one key, one authority")
    judge = Judge(evidence=Evidence.read(folder), graces=grace.read(folder), mode=mode)
    return Loaded(
        anchors=anchors,
        timestamp_anchors=read_folder(folder / TIMESTAMP_ANCHORS),
        pinned=pinned,
        sealing=_published(SEALING_KEYS, folder, anchors, pinned, judge),
        second=_published(SECOND_KEYS, folder, anchors, pinned, judge),
        judge=judge,
        seen=seen,
    )


def _published(
    kind: Kind[Published],
    folder: Path,
    anchors: tuple[x509.Certificate, ...],
    pinned: Mapping[str, Pinned],
    judge: Judge,
) -> dict[str, tuple[Published, ...]]:
    """Return the published keys of one kind, newest first, each with the instant from which its voucher is revoked."""

    def vouch(chain: tuple[bytes, ...], at: datetime) -> Pinned:
        signer = _signer(chain, pinned)
        _path(chain, at, signer, anchors)
        return signer

    def judged(key: Published) -> Published:
        path = _path(key.chain, key.not_before, _signer(key.chain, pinned), anchors)
        return replace(key, revoked_from=judge.revoked_since(path))

    return {authority: tuple(map(judged, keys)) for authority, keys in read_all(kind, folder, vouch).items()}


def _signer(chain: tuple[bytes, ...], pinned: Mapping[str, Pinned]) -> Pinned:
    found = pinned.get(sha256(chain[0]).hexdigest()) if chain else None
    if found is None:
        raise SignerNotTrusted("the signing certificate is not pinned for any authority")
    return found


def _path(
    chain: tuple[bytes, ...], at: datetime, pinned: Pinned, anchors: tuple[x509.Certificate, ...]
) -> tuple[x509.Certificate, ...]:
    """Return the verified chain of a pinned certificate, with its anchor."""
    if len(chain) > MAX_CHAIN:
        raise SignerNotTrusted(f"a chain has at most {MAX_CHAIN} certificates")
    try:
        certificates = [x509.load_der_x509_certificate(each) for each in chain]
        ends = [(each.not_valid_before_utc, each.not_valid_after_utc) for each in certificates]
    except UNREADABLE:
        raise SignerNotTrusted("a certificate of the chain cannot be read") from None
    _within(max(begin for begin, _ in ends), min(end for _, end in ends), at, pinned)
    return chains.verify(certificates, anchors, at, pinned.authority)


class TrustStore:
    """Anchors, pinned certificates, published keys and revocations of all partners, as the key folder has them now.

    The folder is looked at once a second at most. When a file of it is another, all is read again and takes the place of
    what was there at once, with every verdict forgotten. Files that cannot be used leave what was there in force; `problem`
    then says why. Safe to use from several threads.

    What may be signed and sealed with stands in the partner folders, and is read once at start.
    """

    def __init__(
        self,
        folder: Path,
        loaded: Loaded,
        *,
        mode: Mode,
        clock: Callable[[], float],
        rules: Mapping[str, TrustRules] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.problem: Misconfigured | None = None  # why the newest files of the folder are not in force
        self._loaded = loaded
        self._mode = mode
        self._rules = rules  # by authority
        self._clock = clock  # seconds; ages the cached verdicts
        self._seen = loaded.seen  # the folder as it was last read, be it in vain
        self._looked_at = clock()
        self._reading = Lock()

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        revocation: str = Mode.WHEN_OFFERED,
        rules: Mapping[str, TrustRules] = MappingProxyType({}),
    ) -> "TrustStore":
        """Read the key folder and check every key document in it. `revocation` is one of `Mode`.

        `rules` are those of the partner folders, by authority; the defaults hold for one that is not in it.

        Raises `KeyMissing` if there is no anchor, `TrustInvalid` for a file that cannot be used.
        """
        mode = Mode(revocation)
        return cls(folder, _load(folder, mode), mode=mode, clock=clock, rules=rules)

    @property
    def timestamp_anchors(self) -> tuple[x509.Certificate, ...]:
        """Return the roots of the timestamping authorities we believe."""
        return self.loaded().timestamp_anchors

    def loaded(self) -> Loaded:
        """Return what is in force; reads the folder again if it was not looked at for a second and has changed."""
        if self._clock() - self._looked_at > LOOK_SECONDS:
            self.refresh()
        return self._loaded

    def refresh(self) -> bool:
        """Look at the folder now; return whether something else is in force. Never raises: see `problem`."""
        if not self._reading.acquire(blocking=False):
            return False  # another thread is at it
        try:
            self._looked_at = self._clock()
            seen = look(self.folder, _PUBLIC)
            if seen == self._seen:
                return False
            self._seen = seen
            self._loaded, self.problem = _load(self.folder, self._mode), None
        except Misconfigured as error:
            self.problem = error
            return False
        finally:
            self._reading.release()
        return True

    def verdict(self, chain: tuple[bytes, ...], at: datetime, *, claimed: bool = False) -> Pinned:
        """Return whose certificate leads `chain` (DER, leaf first, without the anchor), trusted at the instant `at`.

        `claimed` says that nothing but the signer's word stands for `at`: then a revocation counts whatever its date.

        Raises `SignerNotTrusted` (not pinned, chain broken, wrong purpose, certificates beside the chain),
        `CertificateNotValid` (pinned, but a certificate of the chain is not valid at `at`), `AlgorithmNotAllowed` (by the rules
        of its authority, at `at`), `CertificateRevoked`, or, because it is not known whether one is revoked,
        `RevocationUnknown`, `RevocationStale` or `RevocationUnreachable`.
        """
        loaded = self.loaded()
        pinned = _signer(chain, loaded.pinned)
        known = loaded.verdicts.get(chain)
        if known is None or self._clock() - known.found_at > VERDICT_SECONDS:
            known = self._find(loaded, chain, at, pinned, claimed=claimed)
        _within(known.not_before, known.not_after, at, pinned)
        if not known.window.holds(at, claimed=claimed):
            self._find(loaded, chain, at, pinned, claimed=claimed)
        if not self.rules(pinned.authority).allows_signature(pinned.algorithm.name, at):
            raise AlgorithmNotAllowed(
                f"{pinned.authority} may not sign with {pinned.algorithm.name} at {at.astimezone(UTC):%Y-%m-%d}"
            )
        return pinned

    def _find(self, loaded: Loaded, chain: tuple[bytes, ...], at: datetime, pinned: Pinned, *, claimed: bool) -> _Verdict:
        path = _path(chain, at, pinned, loaded.anchors)
        found = _Verdict(
            path=path,
            not_before=max(each.not_valid_before_utc for each in path),
            not_after=min(each.not_valid_after_utc for each in path),
            window=loaded.judge.require_good(path, at, claimed=claimed, authority=pinned.authority),
            found_at=self._clock(),
        )
        loaded.verdicts[chain] = found  # bounded: only whole chains of pinned certificates get here
        return found

    def chain_of(self, pinned: Pinned, at: datetime) -> tuple[x509.Certificate, ...]:
        """Return the verified chain that the file of a pinned certificate holds, with its anchor.

        Raises `SignerNotTrusted` or `CertificateNotValid`; revocation is not asked.
        """
        chain = tuple(each.public_bytes(Encoding.DER) for each in pinned.chain)
        return _path(chain, at, pinned, self.loaded().anchors)

    def links(self, at: datetime) -> Iterator[tuple[x509.Certificate, x509.Certificate]]:
        """Yield each (certificate, issuer) of the chains of all pinned certificates, ended ones as at their end."""
        for pinned in self.loaded().pinned.values():
            try:
                yield from pairwise(self.chain_of(pinned, min(at, *(each.not_valid_after_utc for each in pinned.chain))))
            except Refused:
                continue  # not trusted: its addresses are nobody's; `gateway certs check` says why

    def proofs(self, chain: tuple[bytes, ...], at: datetime) -> dict[str, bytes]:
        """Return the lists and answers that speak of a chain, by file name, for a case file.

        Raises `SignerNotTrusted` or `CertificateNotValid`; what the lists say is not asked.
        """
        loaded = self.loaded()
        path = _path(chain, at, _signer(chain, loaded.pinned), loaded.anchors)
        return loaded.judge.evidence.proofs(pairwise(path))

    def authorities(self) -> tuple[str, ...]:
        """Return the authorities with a pinned certificate, in alphabetical order."""
        return tuple(sorted({pinned.authority for pinned in self.loaded().pinned.values()}))

    def pinned(self, authority: str) -> tuple[Pinned, ...]:
        """Return the authority's pinned certificates, the one that ends last first."""
        own = (pinned for pinned in self.loaded().pinned.values() if pinned.authority == authority)
        return tuple(sorted(own, key=lambda pinned: (pinned.not_after, pinned.fingerprint), reverse=True))

    def rules(self, authority: str) -> TrustRules:
        """Return what may be used towards and by `authority`."""
        return self._rules.get(authority, trust_rules.DEFAULT)

    def use_rules(self, rules: Mapping[str, TrustRules]) -> None:
        """Take the rules of changed partner folders, by authority. They are asked for each message, not kept."""
        self._rules = rules

    def takes_foreign(self) -> bool:
        """Tell whether any partner folder turns on a foreign verifier."""
        return any(each.foreign for each in self._rules.values())

    def may_seal(self, suite: str, at: datetime, *authorities: str) -> bool:
        """Tell whether the partner folders of all `authorities` allow `suite` at `at`."""
        return all(self.rules(each).allows_sealing(suite, at) for each in authorities)

    def published(self, kind: Kind[Any], authority: str) -> tuple[PublishedKey, ...]:
        """Return all keys of one kind that the authority published, newest first, whether they may be used or not."""
        loaded = self.loaded()
        by_folder: Mapping[str, Mapping[str, tuple[PublishedKey, ...]]] = {SEALING: loaded.sealing, SECOND: loaded.second}
        return by_folder[kind.folder].get(authority, ())

    def sealing_keys(self, authority: str) -> tuple[SealingKey, ...]:
        """Return the authority's sealing keys, newest first."""
        return self.loaded().sealing.get(authority, ())

    def sealing_key(self, authority: str, at: datetime, *, sender: str | None = None) -> SealingKey:
        """Return the newest sealing key of `authority` that may be used at `at`, also by the rules for `sender`.

        Raises `KeyMissing` if no key is valid then, or none is of a suite that the partner folders allow;
        `CertificateRevoked` if there are only such as a revoked certificate vouches for.
        """
        concerned = (authority,) if sender is None else (authority, sender)
        revoked = False
        for key in self.sealing_keys(authority):
            if self._holds(key, at) and self.may_seal(key.suite.name, at, *concerned):
                if not key.revoked(at):
                    return key
                revoked = True
        if revoked:
            raise CertificateRevoked(f"the certificate that vouches for the sealing key of {authority} is revoked")
        raise KeyMissing(
            f"there is no sealing key of {authority} that is valid, and of an allowed suite, "
            f"at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )

    def second_keys(self, authority: str, at: datetime) -> tuple[SecondPublicKey, ...]:
        """Return the authority's keys for second signatures that may be used at `at`, newest first."""
        own = self.loaded().second.get(authority, ())
        return tuple(key for key in own if self._holds(key, at) and not key.revoked(at))

    def _holds(self, key: PublishedKey, at: datetime) -> bool:
        """Tell whether a published key may be used: in its time, and while the algorithm that vouches for it counts."""
        return key.valid(at) and self.rules(key.authority).allows_signature(key.vouched_by, at)


def _within(not_before: datetime, not_after: datetime, at: datetime, pinned: Pinned) -> None:
    if not not_before <= at <= not_after:
        raise CertificateNotValid(
            f"the certificate of {pinned.authority} is valid from {not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}, "
            f"not at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )
