"""What ends, and when that is worth a word: 60, 30, 14, 7 days and one day before, and when it has ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.trust.certificates import TrustStore
from gateway.trust.revocation.sources import fingerprint

LEADS = (60, 30, 14, 7, 1)  # days before the end
ENDED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One certificate or key that ends."""

    kind: str  # "signing", "intermediate", "anchor", "sealing" or "timestamp"
    authority: str | None  # whose; None for an anchor
    key: str  # fingerprint of the certificate, or id of the sealing key
    subject: str  # RFC 4514, or the name of the suite
    not_after: datetime  # UTC

    def stage(self, now: datetime) -> int | None:
        """Return the smallest of `LEADS` that was passed, ENDED after the end, None while the end is far."""
        left = self.not_after - now
        if left < timedelta(0):
            return ENDED
        return min((days for days in LEADS if left <= timedelta(days=days)), default=None)


def days_left(not_after: datetime, now: datetime) -> int:
    """Return the whole days that are left until an end, negative after it."""
    return (not_after - now) // timedelta(days=1)


def endings(trust: TrustStore) -> tuple[Ending, ...]:
    """Return everything in the public part of the key folder that ends, each once, the first end first."""
    found = {(each.authority, each.key): each for each in _endings(trust)}
    return tuple(sorted(found.values(), key=lambda each: (each.not_after, each.key)))


def _endings(trust: TrustStore) -> Iterator[Ending]:
    for authority in trust.authorities():
        for pinned in trust.pinned(authority):
            for place, each in enumerate(pinned.chain):
                kind = "intermediate" if place else "signing"
                yield Ending(
                    kind=kind,
                    authority=authority,
                    key=fingerprint(each),
                    subject=each.subject.rfc4514_string(),
                    not_after=each.not_valid_after_utc,
                )
        for key in trust.sealing_keys(authority):
            yield Ending(kind="sealing", authority=authority, key=key.key_id, subject=key.suite.name, not_after=key.not_after)
    for kind, certificates in (("anchor", trust.loaded().anchors), ("timestamp", trust.timestamp_anchors)):
        for each in certificates:
            yield Ending(
                kind=kind,
                authority=None,
                key=fingerprint(each),
                subject=each.subject.rfc4514_string(),
                not_after=each.not_valid_after_utc,
            )
