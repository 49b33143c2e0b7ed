"""Whom we believe: certificates pinned per authority, chains that end at an anchor, signed sealing keys.

A certificate is trusted for an authority only if it is pinned in that authority's name: any other certificate of the same
certificate authority is refused. On top of that its chain must verify, its purpose must be signing, and no certificate of
the chain may be revoked (gateway/trust/revocation/).
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import (
    CertificateNotValid,
    CertificateRevoked,
    KeyMissing,
    Misconfigured,
    Refused,
    SignerNotTrusted,
    TrustInvalid,
)
from gateway.trust import algorithms, chains, sealing_keys
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.chains import MAX_CHAIN, UNREADABLE
from gateway.trust.folder import (
    ANCHORS,
    PINNED,
    REVOCATION,
    SEALING,
    TIMESTAMP_ANCHORS,
    Stamp,
    authority_files,
    read_public,
    stamp,
)
from gateway.trust.revocation import grace
from gateway.trust.revocation.evidence import Evidence
from gateway.trust.revocation.judging import Judge, Window
from gateway.trust.revocation.sources import fingerprint
from gateway.trust.revocation.states import Mode
from gateway.trust.sealing_keys import SealingKey

VERDICT_SECONDS = 300.0  # a verdict is computed again after this long
LOOK_SECONDS = 1.0  # the key folder is looked at this often, at most
DEVELOPMENT_ONLY = "DEVELOPMENT ONLY"  # stands in the subject of every development certificate
_PUBLIC = (ANCHORS, TIMESTAMP_ANCHORS, PINNED, SEALING, REVOCATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A signing certificate we believe belongs to an authority."""

    authority: str
    fingerprint: str  # SHA-256 of the DER, lower-case hex
    digest: bytes  # the same in base64, as the signed properties carry it
    subject: str  # RFC 4514
    algorithm: SignatureAlgorithm
    public_key: algorithms.PublicKey
    not_before: datetime  # UTC
    not_after: datetime  # UTC
    file: str  # name of the file in `pinned/`
    chain: tuple[x509.Certificate, ...]  # what the file holds: the certificate, then its issuers without the anchor

    @property
    def development(self) -> bool:
        """Tell whether it is a development certificate; such a certificate proves nothing."""
        return DEVELOPMENT_ONLY in self.subject

    def check(self, data: bytes, signature: bytes) -> None:
        """Check a raw signature over `data`. Raises `SignatureInvalid`."""
        self.algorithm.check(self.public_key, signature, data)


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
    vouching: Mapping[tuple[str, str], datetime | None]  # (authority, key id) -> from when on its signer is revoked
    judge: Judge
    stamp: Stamp
    verdicts: dict[tuple[bytes, ...], _Verdict] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the SHA-256, in hex, that tells one set of anchors, pins and sealing keys from another."""
        names = [f"anchor {fingerprint(each)}" for each in (*self.anchors, *self.timestamp_anchors)]
        names += [f"{each.authority} {each.fingerprint}" for each in self.pinned.values()]
        names += [f"{each.authority} {each.key_id}" for keys in self.sealing.values() for each in keys]
        return sha256("\n".join(sorted(names)).encode()).hexdigest()


def _pin(authority: str, path: Path) -> Pinned:
    chain = read_certificates(path)
    leaf = chain[0]
    key = leaf.public_key()
    algorithm = algorithms.of_key(key)
    if algorithm is None:
        raise TrustInvalid(f"pinned/{path.name}: the certificate holds no key of an algorithm we accept ({algorithms.names()})")
    assert isinstance(key, algorithms.PublicKey), "of_key takes no other kind"
    digest = sha256(leaf.public_bytes(Encoding.DER)).digest()
    return Pinned(
        authority=authority,
        fingerprint=digest.hex(),
        digest=b64encode(digest),
        subject=leaf.subject.rfc4514_string(),
        algorithm=algorithm,
        public_key=key,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        file=path.name,
        chain=tuple(chain),
    )


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file, at least one. Raises `TrustInvalid`."""
    try:
        return x509.load_pem_x509_certificates(read_public(path))
    except UNREADABLE as error:
        raise TrustInvalid(f"{path.parent.name}/{path.name} holds no certificate in PEM") from error


def _read_all(folder: Path) -> tuple[x509.Certificate, ...]:
    return tuple(each for path in sorted(folder.glob("*.pem")) for each in read_certificates(path))


def _load(folder: Path, mode: Mode) -> Loaded:
    """Read the public part of the key folder and check every sealing key document in it."""
    seen = stamp(folder, _PUBLIC)  # before the files are read: what changes while we read is read again
    anchors = _read_all(folder / ANCHORS)
    if not anchors:
        raise KeyMissing("the key folder holds no anchor; 'gateway keys new --development' makes development keys")
    pinned: dict[str, Pinned] = {}
    for authority, path in authority_files(folder / PINNED, ".pem"):
        found = _pin(authority, path)
        known = pinned.setdefault(found.fingerprint, found)
        if known.authority != authority:
            raise TrustInvalid(f"pinned/{path.name} is the certificate of {known.authority}: one key, one authority")
    judge = Judge(evidence=Evidence.read(folder), graces=grace.read(folder), mode=mode)
    sealing: dict[str, list[SealingKey]] = {}
    vouching: dict[tuple[str, str], datetime | None] = {}
    for authority, path in authority_files(folder / SEALING, ".json"):
        key, signers = _accept(authority, path, anchors, pinned)
        sealing.setdefault(authority, []).append(key)
        vouching[authority, key.key_id] = judge.revoked_since(signers)
    newest_first = {
        authority: tuple(sorted(keys, key=lambda key: (key.not_before, key.key_id), reverse=True))
        for authority, keys in sealing.items()
    }
    return Loaded(
        anchors=anchors,
        timestamp_anchors=_read_all(folder / TIMESTAMP_ANCHORS),
        pinned=pinned,
        sealing=newest_first,
        vouching=vouching,
        judge=judge,
        stamp=seen,
    )


def _accept(
    authority: str, path: Path, anchors: tuple[x509.Certificate, ...], pinned: Mapping[str, Pinned]
) -> tuple[SealingKey, tuple[x509.Certificate, ...]]:
    """Return the sealing key of a document signed by `authority` at a time when its certificate was valid, and its chain."""
    claimed = sealing_keys.read_document(read_public(path), authority, path.name)
    try:
        signer = _signer(claimed.chain, pinned)
        found = _path(claimed.chain, claimed.key.not_before, signer, anchors)
        signer.check(claimed.covered, claimed.signature)
    except Refused as reason:
        raise sealing_keys.not_accepted(path.name, reason) from reason
    if signer.authority != authority:
        raise TrustInvalid(f"sealing/{path.name} is signed by {signer.authority}, not by its own authority")
    return claimed.key, found


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
    """Anchors, pinned certificates, sealing keys and revocations of all partners, as the key folder has them now.

    The folder is looked at once a second at most. When a file of it is another, all is read again and takes the place of
    what was there at once, with every verdict forgotten. Files that cannot be used leave what was there in force; `problem`
    then says why. Safe to use from several threads.
    """

    def __init__(self, folder: Path, loaded: Loaded, *, mode: Mode, clock: Callable[[], float]) -> None:
        self.folder = folder
        self.problem: Misconfigured | None = None  # why the newest files of the folder are not in force
        self._loaded = loaded
        self._mode = mode
        self._clock = clock  # seconds; ages the cached verdicts
        self._seen = loaded.stamp  # the folder as it was last read, be it in vain
        self._looked_at = clock()
        self._reading = Lock()

    @classmethod
    def load(
        cls, folder: Path, *, clock: Callable[[], float] = time.monotonic, revocation: str = Mode.WHEN_OFFERED
    ) -> "TrustStore":
        """Read the key folder and check every sealing key document in it. `revocation` is one of `Mode`.

        Raises `KeyMissing` if there is no anchor, `TrustInvalid` for a file that cannot be used.
        """
        mode = Mode(revocation)
        return cls(folder, _load(folder, mode), mode=mode, clock=clock)

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
            seen = stamp(self.folder, _PUBLIC)
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
        `CertificateNotValid` (pinned, but a certificate of the chain is not valid at `at`), `CertificateRevoked`, or, because
        it is not known whether one is revoked, `RevocationUnknown`, `RevocationStale` or `RevocationUnreachable`.
        """
        loaded = self.loaded()
        pinned = _signer(chain, loaded.pinned)
        known = loaded.verdicts.get(chain)
        if known is None or self._clock() - known.found_at > VERDICT_SECONDS:
            known = self._find(loaded, chain, at, pinned, claimed=claimed)
        _within(known.not_before, known.not_after, at, pinned)
        if not known.window.holds(at, claimed=claimed):
            self._find(loaded, chain, at, pinned, claimed=claimed)
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

    def sealing_keys(self, authority: str) -> tuple[SealingKey, ...]:
        """Return the authority's sealing keys, newest first."""
        return self.loaded().sealing.get(authority, ())

    def voucher_revoked_at(self, key: SealingKey) -> datetime | None:
        """Return from when on the certificate that vouches for a sealing key is revoked, None if it is not."""
        return self.loaded().vouching.get((key.authority, key.key_id))

    def sealing_key(self, authority: str, at: datetime) -> SealingKey:
        """Return the newest sealing key of `authority` that is valid at `at`, vouched for by a certificate that is not revoked.

        Raises `KeyMissing`, or `CertificateRevoked` if there are only such as a revoked certificate vouches for.
        """
        loaded = self.loaded()
        revoked = False
        for key in loaded.sealing.get(authority, ()):
            if key.not_before <= at <= key.not_after:
                since = loaded.vouching[authority, key.key_id]
                if since is None or at < since:
                    return key
                revoked = True
        if revoked:
            raise CertificateRevoked(f"the certificate that vouches for the sealing key of {authority} is revoked")
        raise KeyMissing(f"there is no sealing key of {authority} that is valid at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def _within(not_before: datetime, not_after: datetime, at: datetime, pinned: Pinned) -> None:
    if not not_before <= at <= not_after:
        raise CertificateNotValid(
            f"the certificate of {pinned.authority} is valid from {not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}, "
            f"not at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )
