"""Evidence of time: a signed and timestamped root over the new entries of the journal, once an interval, off the request path.

When no timestamp can be had for `evidence_hours`, nothing new is sent out until one is: a message whose time cannot be proven
is worth little to the person it is about. What came in, receipts, and what lies in the outbox go on. It heals by itself.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import sha256

from gateway.domain import merkle
from gateway.domain.roots import GENESIS, Root, RootStamp, SignedRoot
from gateway.errors import EvidenceStopped, GatewayError, Refused, StoreConflict, Unavailable
from gateway.flow.evidence_clock import Standing
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.store import roots
from gateway.store.database import Tx, reading, transaction
from gateway.store.roots import RootFinding
from gateway.trust.authorities import obtain
from gateway.trust.certificates import TrustStore
from gateway.trust.proven import check_root, check_stamp, sign_root

log = logger("evidence")

MOST_ENTRIES = 65_536  # under one root; a journal that was never rooted takes several at once


def gather(rt: Runtime, *, at_once: bool = False) -> None:
    """Make the root that is due, or one `at_once`, and have it timestamped.

    Raises `TimestampUnavailable`, `DatabaseUnavailable`.
    """
    seal_journal(rt, at_once=at_once)
    stamp_roots(rt)


def seal_journal(rt: Runtime, *, at_once: bool = False) -> int:
    """Make the roots that are due, signed by the first home authority; return how many. Any number of watches may do so."""
    if not rt.settings.home:
        return 0
    with reading(rt.engine) as tx:
        before = roots.newest(tx)
    interval = timedelta(seconds=rt.settings.root_seconds)
    if not at_once and before is not None and timedelta() <= rt.clock() - before.root.made_at < interval:
        return 0
    made = 0
    while count := _make_root(rt):
        made += 1
        if count < MOST_ENTRIES:
            break
    return made


def _make_root(rt: Runtime) -> int:
    """Make one root over what waits; return over how many entries. 0 if nothing waits, or another watch was faster."""
    with reading(rt.engine) as tx:
        before = roots.newest(tx)
        last = before.root.last if before else 0
        leaves = roots.waiting(tx, last, most=MOST_ENTRIES)
    if not leaves:
        return 0
    key = rt.ring.signing(rt.settings.home[0])
    root = Root(
        number=before.root.number + 1 if before else 1,
        first=last + 1,
        last=last + len(leaves),
        root=merkle.root(leaves).hex(),
        previous=before.digest() if before else GENESIS,
        made_at=rt.clock().replace(microsecond=0),
        authority=key.authority,
        certificate=sha256(key.chain[0]).hexdigest(),
    )
    try:
        with transaction(rt.engine) as tx:
            roots.add(tx, sign_root(root, key))
    except StoreConflict:
        return 0
    log.info("journal.rooted", count=root.count)
    return root.count


def stamp_roots(rt: Runtime) -> bool:
    """Have the newest root timestamped, and with it every root before; tell whether a timestamp was added.

    Raises `TimestampUnavailable` when no authority gives one.
    """
    with reading(rt.engine) as tx:
        newest, stamped = roots.newest(tx), roots.stamped_up_to(tx)
    if not rt.authorities or newest is None or newest.root.number <= stamped:
        return False
    stamp = obtain(newest.stamped_data(), rt.authorities, rt.trust.timestamp_anchors, rt.clock)
    found = RootStamp(number=newest.root.number, token=stamp.token, authority=stamp.authority, at=stamp.at)
    try:
        with transaction(rt.engine) as tx:
            roots.add_stamp(tx, found)
    except StoreConflict:  # another watch was faster
        return False
    log.info("journal.stamped", count=newest.root.number - stamped)
    return True


def standing(rt: Runtime) -> Standing | None:
    """Return where the evidence clock stands; None where nothing waits, or where the settings name no timestamp authority.

    Raises `DatabaseUnavailable`.
    """
    if not rt.settings.timestamp_authorities:
        return None
    return rt.evidence.standing(rt.engine, rt.clock(), timedelta(hours=rt.settings.evidence_hours))


def refusal(rt: Runtime) -> EvidenceStopped | None:
    """Return why nothing new is sent out at the moment, None while all is well."""
    found = standing(rt)
    if found is None or not found.stopped:
        return None
    hours = rt.settings.evidence_hours
    return EvidenceStopped(
        f"no timestamp could be had for {hours} hours; nothing new is sent out until one is, try again later"
    )


def verify_roots(tx: Tx, trust: TrustStore) -> tuple[int, list[RootFinding]]:
    """Check every root against the journal, its signature and its timestamp; return how many there are and what is wrong."""
    count, findings = roots.verify(tx)
    waiting: list[SignedRoot] = []  # for the timestamp that covers them
    for signed, token in roots.all_roots(tx):
        waiting.append(signed)
        if token is not None:
            findings += _examine(waiting, token, trust)
            waiting.clear()
    findings += _examine(waiting, None, trust)
    return count, findings


def _examine(signed: Sequence[SignedRoot], token: bytes | None, trust: TrustStore) -> Iterator[RootFinding]:
    """Yield what is wrong with roots of which the last one has a timestamp, if there is one."""
    stamped_at = None
    try:
        if token is not None:
            stamped_at = check_stamp(signed[-1], token, trust).at
    except Refused as error:
        yield _finding(signed[-1], error)
    for each in signed:
        try:
            check_root(each, trust, stamped_at)
        except (Refused, Unavailable) as error:  # unavailable: it is not known whether its certificate was revoked
            yield _finding(each, error)


def _finding(signed: SignedRoot, error: GatewayError) -> RootFinding:
    number = signed.root.number
    return RootFinding(number=number, what=f"root {number}: {error.code}, {error.message}")
