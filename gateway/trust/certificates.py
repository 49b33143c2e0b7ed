"""Whom we believe: certificates pinned per authority, chains that end at an anchor, signed sealing keys.

A certificate is trusted for an authority only if it is pinned in that authority's name: any other certificate of the same
certificate authority is refused. On top of that its chain must verify and its purpose must be signing.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from gateway.errors import AlgorithmNotAllowed, CertificateNotValid, KeyMissing, SignerNotTrusted, TrustInvalid
from gateway.partners import trust_rules
from gateway.partners.trust_rules import TrustRules
from gateway.trust import algorithms
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.folder import ANCHORS, PINNED, authority_files, read_public
from gateway.trust.key_documents import PublishedKey, read_all
from gateway.trust.sealing_keys import SEALING_KEYS, SealingKey
from gateway.trust.second import SECOND_KEYS, SecondPublicKey

MAX_CHAIN = 4  # certificates without the anchor
VERDICT_SECONDS = 300.0  # a verdict is computed again after this long
DEVELOPMENT_ONLY = "DEVELOPMENT ONLY"  # stands in the subject of every development certificate

# A certificate may state its purposes (RFC 5280, 4.2.1.12); then signing documents must be one of them.
# Document signing is RFC 9336; the other is the older number in wide use for the same.
_SIGNING_PURPOSES = {
    x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),
    x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}


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

    @property
    def development(self) -> bool:
        """Tell whether it is a development certificate; such a certificate proves nothing."""
        return DEVELOPMENT_ONLY in self.subject

    def check(self, data: bytes, signature: bytes) -> None:
        """Check a raw signature over `data`. Raises `SignatureInvalid`."""
        self.algorithm.check(self.public_key, signature, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """A chain that verified, and the time in which all its certificates are valid."""

    not_before: datetime
    not_after: datetime
    found_at: float  # seconds of the store's monotonic clock


def _may_sign(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage) -> None:
    if not usage.digital_signature:
        raise ValueError("the certificate is not for digital signatures")


def _meant_for_documents(_policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and _SIGNING_PURPOSES.isdisjoint(usage):
        raise ValueError("the certificate is for other purposes than signing documents")


def _not_an_issuer(_policy: Policy, _certificate: x509.Certificate, basic: x509.BasicConstraints | None) -> None:
    if basic is not None and basic.ca:
        raise ValueError("the certificate is a certificate authority's")


_SIGNER_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _meant_for_documents)
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _not_an_issuer)
)


def _pin(authority: str, leaf: x509.Certificate, name: str) -> Pinned:
    key = leaf.public_key()
    algorithm = algorithms.of_key(key)
    if algorithm is None:
        raise TrustInvalid(f"pinned/{name}: the certificate holds no key of an algorithm we accept ({algorithms.names()})")
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
    )


def _read_certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(read_public(path))
    except ValueError as error:
        raise TrustInvalid(f"{path.parent.name}/{path.name} holds no certificate in PEM") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustStore:
    """Anchors, pinned certificates, published keys and rules of all partners, read once at start."""

    _anchors: Store
    _pinned: Mapping[str, Pinned]  # by fingerprint
    _rules: Mapping[str, TrustRules]  # by authority; the defaults hold for one that is not in it
    _sealing: Mapping[str, tuple[SealingKey, ...]] = field(default_factory=dict)  # by authority, newest first
    _second: Mapping[str, tuple[SecondPublicKey, ...]] = field(default_factory=dict)  # by authority, newest first
    _clock: Callable[[], float] = time.monotonic  # seconds; ages the cached verdicts
    _verdicts: dict[tuple[bytes, ...], _Verdict] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        rules: Mapping[str, TrustRules] = MappingProxyType({}),
        clock: Callable[[], float] = time.monotonic,
    ) -> "TrustStore":
        """Read the key folder and check every key document in it; `rules` are those of the partner folders, by authority.

        Raises `KeyMissing` if there is no anchor, `TrustInvalid` for a file that cannot be used.
        """
        anchors = [each for path in sorted((folder / ANCHORS).glob("*.pem")) for each in _read_certificates(path)]
        if not anchors:
            raise KeyMissing("the key folder holds no anchor; 'gateway keys new --development' makes development keys")
        pinned: dict[str, Pinned] = {}
        for authority, path in authority_files(folder / PINNED, ".pem"):
            found = _pin(authority, _read_certificates(path)[0], path.name)
            known = pinned.setdefault(found.fingerprint, found)
            if known.authority != authority:
                raise TrustInvalid(f"pinned/{path.name} is the certificate of {known.authority}: one key, one authority")
        store = cls(_anchors=Store(anchors), _pinned=pinned, _rules={}, _clock=clock)
        return replace(
            store,
            _rules=rules,
            _sealing=read_all(SEALING_KEYS, folder, store.verdict),
            _second=read_all(SECOND_KEYS, folder, store.verdict),
        )

    def without_rules(self) -> "TrustStore":
        """Return the store under the default rules: what was published is read before it is asked whether it may be used."""
        return replace(self, _rules={})

    def verdict(self, chain: tuple[bytes, ...], at: datetime) -> Pinned:
        """Return whose certificate leads `chain` (DER, leaf first, without the anchor), trusted at the instant `at`.

        Raises `SignerNotTrusted` (not pinned, chain broken, wrong purpose, certificates beside the chain),
        `CertificateNotValid` (pinned, but a certificate of the chain is not valid at `at`) or `AlgorithmNotAllowed` (its
        partner folder does not allow the algorithm at `at`).
        """
        pinned = self._pinned.get(sha256(chain[0]).hexdigest()) if chain else None
        if pinned is None:
            raise SignerNotTrusted("the signing certificate is not pinned for any authority")
        known = self._verdicts.get(chain)
        if known is None or self._clock() - known.found_at > VERDICT_SECONDS:
            known = self._verify(chain, at, pinned)
            self._verdicts[chain] = known  # bounded: only whole chains of pinned certificates get here
        _within(known.not_before, known.not_after, at, pinned)
        if not self.rules(pinned.authority).allows_signature(pinned.algorithm.name, at):
            raise AlgorithmNotAllowed(
                f"{pinned.authority} may not sign with {pinned.algorithm.name} at {at.astimezone(UTC):%Y-%m-%d}"
            )
        return pinned

    def _verify(self, chain: tuple[bytes, ...], at: datetime, pinned: Pinned) -> _Verdict:
        if len(chain) > MAX_CHAIN:
            raise SignerNotTrusted(f"a chain has at most {MAX_CHAIN} certificates")
        try:
            certificates = [x509.load_der_x509_certificate(each) for each in chain]
        except ValueError:
            raise SignerNotTrusted("a certificate of the chain cannot be read") from None
        not_before = max(each.not_valid_before_utc for each in certificates)
        not_after = min(each.not_valid_after_utc for each in certificates)
        _within(not_before, not_after, at, pinned)
        verifier = (
            PolicyBuilder()
            .store(self._anchors)
            .time(at)
            .max_chain_depth(MAX_CHAIN)
            .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_SIGNER_POLICY)
            .build_client_verifier()
        )
        try:
            path = verifier.verify(certificates[0], certificates[1:]).chain
        except VerificationError as error:
            raise SignerNotTrusted(f"the chain of {pinned.authority}'s certificate does not verify") from error
        if path[:-1] != certificates:  # nothing may travel beside the chain, under a signature that does not cover it
            raise SignerNotTrusted(f"the certificates sent by {pinned.authority} are not exactly its chain")
        anchor = path[-1]
        return _Verdict(
            not_before=max(not_before, anchor.not_valid_before_utc),
            not_after=min(not_after, anchor.not_valid_after_utc),
            found_at=self._clock(),
        )

    def authorities(self) -> tuple[str, ...]:
        """Return the authorities with a pinned certificate, in alphabetical order."""
        return tuple(sorted({pinned.authority for pinned in self._pinned.values()}))

    def pinned(self, authority: str) -> tuple[Pinned, ...]:
        """Return the authority's pinned certificates, the one that ends last first."""
        own = (pinned for pinned in self._pinned.values() if pinned.authority == authority)
        return tuple(sorted(own, key=lambda pinned: (pinned.not_after, pinned.fingerprint), reverse=True))

    def rules(self, authority: str) -> TrustRules:
        """Return what may be used towards and by `authority`."""
        return self._rules.get(authority, trust_rules.DEFAULT)

    def takes_foreign(self) -> bool:
        """Tell whether any partner folder turns on a foreign verifier."""
        return any(each.foreign for each in self._rules.values())

    def may_seal(self, suite: str, at: datetime, *authorities: str) -> bool:
        """Tell whether the partner folders of all `authorities` allow `suite` at `at`."""
        return all(self.rules(each).allows_sealing(suite, at) for each in authorities)

    def sealing_keys(self, authority: str) -> tuple[SealingKey, ...]:
        """Return the authority's sealing keys, newest first."""
        return self._sealing.get(authority, ())

    def sealing_key(self, authority: str, at: datetime, *, sender: str | None = None) -> SealingKey:
        """Return the newest sealing key of `authority` that may be used at `at`, also by the rules for `sender`.

        Raises `KeyMissing` if no key is valid then, or none is of a suite that the partner folders allow.
        """
        concerned = (authority,) if sender is None else (authority, sender)
        for key in self.sealing_keys(authority):
            if self._holds(key, at) and self.may_seal(key.suite.name, at, *concerned):
                return key
        raise KeyMissing(
            f"there is no sealing key of {authority} that is valid, and of an allowed suite, "
            f"at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )

    def second_keys(self, authority: str, at: datetime) -> tuple[SecondPublicKey, ...]:
        """Return the authority's keys for second signatures that may be used at `at`, newest first."""
        return tuple(key for key in self._second.get(authority, ()) if self._holds(key, at))

    def _holds(self, key: PublishedKey, at: datetime) -> bool:
        """Tell whether a published key may be used: in its time, and while the algorithm that vouches for it counts."""
        return key.valid(at) and self.rules(key.authority).allows_signature(key.vouched_by, at)


def _within(not_before: datetime, not_after: datetime, at: datetime, pinned: Pinned) -> None:
    if not not_before <= at <= not_after:
        raise CertificateNotValid(
            f"the certificate of {pinned.authority} is valid from {not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}, "
            f"not at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )
