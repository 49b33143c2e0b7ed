"""What an installation makes of the standing of a chain: it passes for a time, or is refused, or must wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from cryptography import x509

from gateway.errors import (
    CertificateRevoked,
    GatewayError,
    RevocationStale,
    RevocationUnknown,
    RevocationUnreachable,
)
from gateway.trust.revocation.evidence import Evidence
from gateway.trust.revocation.grace import Grace, covering
from gateway.trust.revocation.sources import fingerprint
from gateway.trust.revocation.states import Mode, Standing, State

_FOREVER: Final = datetime.max.replace(tzinfo=UTC)
_NOT_KNOWN: Final[Mapping[State, type[GatewayError]]] = {
    State.UNKNOWN: RevocationUnknown,
    State.STALE: RevocationStale,
    State.UNREACHABLE: RevocationUnreachable,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The instants for which a chain was found not revoked."""

    until: datetime  # the last one
    revoked_at: datetime | None  # from then on it is

    def holds(self, at: datetime, *, claimed: bool) -> bool:
        """Tell whether the finding holds for `at`; arguments as of `require_good`."""
        if self.revoked_at is None:
            return at <= self.until
        return not claimed and at <= self.until and at < self.revoked_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Evidence, decisions of persons, and how strict this installation is."""

    evidence: Evidence
    graces: Mapping[str, Grace]  # by subject
    mode: Mode

    def needs(self, found: Standing) -> bool:
        """Tell whether a certificate that stands so must be known to be good."""
        return self.mode is Mode.REQUIRED or (self.mode is Mode.WHEN_OFFERED and found.offered)

    def require_good(self, path: Sequence[x509.Certificate], at: datetime, *, claimed: bool, authority: str) -> Window:
        """Return for how long the finding holds that no certificate of `path` (leaf first, anchor last) is revoked at `at`.

        `claimed`: nothing but the signer's word stands for the instant. Then a revocation counts whatever its date, for
        whoever has the key can claim a time before it.

        Raises `CertificateRevoked`, `RevocationUnknown`, `RevocationStale` or `RevocationUnreachable`.
        """
        until, revoked_at = _FOREVER, None
        for certificate, issuer in pairwise(path):
            found = self.evidence.standing(certificate, issuer, at)
            if found.state is State.REVOKED or (claimed and found.revoked_at is not None):
                why = found.why if found.state is State.REVOKED else f"from {found.revoked_at:%Y-%m-%d %H:%M} UTC"
                raise CertificateRevoked(f"a certificate of {authority} is revoked: {why}")
            if found.revoked_at is not None:
                revoked_at = min(found.revoked_at, revoked_at or _FOREVER)
            if not self.needs(found):
                continue
            until = min(until, self._until(found, certificate, at, authority))
        return Window(until=until, revoked_at=revoked_at)

    def _until(self, found: Standing, certificate: x509.Certificate, at: datetime, authority: str) -> datetime:
        if found.state is State.GOOD:
            assert found.next_update is not None, "who says good says for how long"
            return found.next_update
        grace = self.grace(certificate, at, authority)
        if grace is None:
            raise _NOT_KNOWN[found.state](f"it is not known whether a certificate of {authority} is revoked: {found.why}")
        return grace.until

    def grace(self, certificate: x509.Certificate, at: datetime, authority: str) -> Grace | None:
        """Return the decision that covers a certificate of the chain of an authority at an instant."""
        return covering(self.graces, authority, fingerprint(certificate), at) if self.graces else None

    def revoked_since(self, path: Sequence[x509.Certificate]) -> datetime | None:
        """Return from when on some certificate of `path` is revoked, None if none is."""
        times = [since for pair in pairwise(path) if (since := self.evidence.revoked_since(*pair)) is not None]
        return min(times, default=None)
