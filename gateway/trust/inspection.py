"""What is believed of pinned certificates at an instant, and why not: for `gateway certs check` and the watch."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import GatewayError, Refused, Unavailable
from gateway.trust.certificates import Pinned, TrustStore
from gateway.trust.chain_faults import faults
from gateway.trust.revocation.grace import Grace
from gateway.trust.revocation.sources import fingerprint
from gateway.trust.revocation.states import Standing, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One certificate of a verified chain."""

    certificate: x509.Certificate
    fingerprint: str
    standing: Standing
    needed: bool  # whether it must be known not to be revoked
    grace: Grace | None  # the decision that lets it pass, where one is needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """One pinned certificate."""

    pinned: Pinned
    anchor: x509.Certificate | None  # None: the chain does not verify
    links: tuple[Link, ...]  # leaf first; none where the chain does not verify
    fault: GatewayError | None  # what a message signed with it would meet; None: it is trusted
    why: tuple[str, ...]  # the fault in words, with what to do

    def ended(self, at: datetime) -> bool:
        """Tell whether the certificate itself is past its end: nobody need mend it."""
        return at > self.pinned.not_after


def inspect(trust: TrustStore, authority: str, at: datetime) -> list[Inspected]:
    """Return what is believed of each pinned certificate of an authority; the one that ends last first."""
    return [_inspect(trust, pinned, at) for pinned in trust.pinned(authority)]


def _inspect(trust: TrustStore, pinned: Pinned, at: datetime) -> Inspected:
    try:
        path = trust.chain_of(pinned, at)
    except Refused as fault:
        why = tuple(faults(pinned.chain, trust.loaded().anchors, at))
        return Inspected(pinned=pinned, anchor=None, links=(), fault=fault, why=why)
    links = tuple(_link(trust, pinned, pair, at) for pair in pairwise(path))
    try:
        trust.verdict(tuple(each.public_bytes(Encoding.DER) for each in pinned.chain), at)
    except (Refused, Unavailable) as found:
        why = tuple(_advice(link) for link in links if link.standing.state is not State.GOOD and link.grace is None)
        return Inspected(pinned=pinned, anchor=path[-1], links=links, fault=found, why=why)
    return Inspected(pinned=pinned, anchor=path[-1], links=links, fault=None, why=())


def _link(trust: TrustStore, pinned: Pinned, pair: tuple[x509.Certificate, x509.Certificate], at: datetime) -> Link:
    certificate, issuer = pair
    judge = trust.loaded().judge
    standing = judge.evidence.standing(certificate, issuer, at)
    needed = judge.needs(standing)
    lacking = needed and standing.state not in {State.GOOD, State.REVOKED}
    return Link(
        certificate=certificate,
        fingerprint=fingerprint(certificate),
        standing=standing,
        needed=needed,
        grace=judge.grace(certificate, at, pinned.authority) if lacking else None,
    )


_ADVICE = {
    State.REVOKED: "ask the partner for a new key and certificate, and take this pin away",
    State.UNKNOWN: "run the watch, or lay the issuer's list into revocation/; a grace bridges the time",
    State.STALE: "ask the issuer why no newer list comes; a grace bridges the time",
    State.UNREACHABLE: "open the way to the issuer's list or responder; a grace bridges the time",
}


def _advice(link: Link) -> str:
    name = link.certificate.subject.rfc4514_string()
    return f"{name} is {link.standing.state}: {link.standing.why}; {_ADVICE[link.standing.state]}"
