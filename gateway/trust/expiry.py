"""What ends, and when that is worth a word: 60, 30, 14, 7 days and one day before, and when it has ended."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from gateway.trust.certificates import Pinned, TrustStore
from gateway.trust.revocation.sources import fingerprint
from gateway.trust.sealing_keys import SealingKey

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
    pinned = [each for authority in trust.authorities() for each in trust.pinned(authority)]
    keys = [each for authority in trust.authorities() for each in trust.sealing_keys(authority)]
    return _sorted([*_of_pinned(pinned), *_of_sealing(keys), *_of_anchors(trust)])


def in_use(trust: TrustStore) -> tuple[Ending, ...]:
    """Return what ends of the newest certificate and sealing key of each authority, and of the anchors, the first end first."""
    pinned = [each for authority in trust.authorities() for each in trust.pinned(authority)[:1]]
    keys = [each for authority in trust.authorities() for each in trust.sealing_keys(authority)[:1]]
    return _sorted([*_of_pinned(pinned), *_of_sealing(keys), *_of_anchors(trust)])


def _sorted(found: list[Ending]) -> tuple[Ending, ...]:
    once = {(each.authority, each.key): each for each in found}
    return tuple(sorted(once.values(), key=lambda each: (each.not_after, each.key)))


def _of_pinned(pinned: Iterable[Pinned]) -> Iterator[Ending]:
    for one in pinned:
        for place, each in enumerate(one.chain):
            yield _of_certificate("intermediate" if place else "signing", one.authority, each)


def _of_sealing(keys: Iterable[SealingKey]) -> Iterator[Ending]:
    for key in keys:
        yield Ending(kind="sealing", authority=key.authority, key=key.key_id, subject=key.suite.name, not_after=key.not_after)


def _of_anchors(trust: TrustStore) -> Iterator[Ending]:
    yield from (_of_certificate("anchor", None, each) for each in trust.loaded().anchors)
    yield from (_of_certificate("timestamp", None, each) for each in trust.timestamp_anchors)


def _of_certificate(kind: str, authority: str | None, certificate: x509.Certificate) -> Ending:
    return Ending(
        kind=kind,
        authority=authority,
        key=fingerprint(certificate),
        subject=certificate.subject.rfc4514_string(),
        not_after=certificate.not_valid_after_utc,
    )
