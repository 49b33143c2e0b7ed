"""Roots of the journal and their timestamps, in the database; and whether they still fit the journal.

Entries get their numbers under a lock that is held to the commit, so whoever sees an entry sees every entry before it.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from gateway.domain import merkle
from gateway.domain.proofs import EntryProof
from gateway.domain.roots import GENESIS, Root, RootStamp, SignedRoot
from gateway.errors import NotFound, StoreConflict, StoredDataDamaged
from gateway.store.root_tables import roots, stamps
from gateway.store.tables import journal


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFinding:
    """A root that does not fit the journal or the root before it."""

    number: int
    what: str


def _signed(row: Row[Any]) -> SignedRoot:
    root = Root(
        number=row.number,
        first=row.first,
        last=row.last,
        root=row.root,
        previous=row.previous,
        made_at=row.made_at,
        authority=row.authority,
        certificate=row.certificate,
    )
    return SignedRoot(root=root, signature=row.signature, chain=tuple(b64decode(each) for each in row.chain))


def newest(tx: Connection) -> SignedRoot | None:
    """Return the newest root, None before the first."""
    row = tx.execute(select(roots).order_by(roots.c.number.desc()).limit(1)).one_or_none()
    return _signed(row) if row else None


def waiting(tx: Connection, after: int, *, most: int) -> list[bytes]:
    """Return the hashes of at most `most` entries after entry `after`, in order. Raises `StoredDataDamaged` for a gap."""
    found = tx.execute(
        select(journal.c.id, journal.c.hash).where(journal.c.id > after).order_by(journal.c.id).limit(most)
    ).all()
    if found and found[-1].id != after + len(found):
        raise StoredDataDamaged("an entry of the journal is missing; run: gateway journal verify")
    return [bytes.fromhex(row.hash) for row in found]


def add(tx: Connection, signed: SignedRoot) -> None:
    """Add a root. Raises `StoreConflict` if another watch made one meanwhile."""
    last = newest(tx)
    if signed.root.number != (last.root.number if last else 0) + 1:
        raise StoreConflict("another watch made this root first")
    root = signed.root
    values = {
        "number": root.number,
        "first": root.first,
        "last": root.last,
        "root": root.root,
        "previous": root.previous,
        "made_at": root.made_at,
        "authority": root.authority,
        "certificate": root.certificate,
        "chain": [b64encode(each).decode() for each in signed.chain],
        "signature": signed.signature,
    }
    tx.execute(insert(roots).values(values))


def stamped_up_to(tx: Connection) -> int:
    """Return the number of the newest root with a timestamp, 0 if there is none."""
    return tx.execute(select(stamps.c.number).order_by(stamps.c.number.desc()).limit(1)).scalar() or 0


def add_stamp(tx: Connection, stamp: RootStamp) -> None:
    """Add the timestamp of a root. Raises `StoreConflict` if this root, or one after it, has one already."""
    if stamped_up_to(tx) >= stamp.number:
        raise StoreConflict("another watch had this root timestamped first")
    tx.execute(
        insert(stamps).values(number=stamp.number, token=stamp.token, authority=stamp.authority, at=stamp.at),
    )


def newest_stamp(tx: Connection) -> RootStamp | None:
    """Return the newest timestamp, None before the first."""
    row = tx.execute(select(stamps).order_by(stamps.c.number.desc()).limit(1)).one_or_none()
    return RootStamp(number=row.number, token=row.token, authority=row.authority, at=row.at) if row else None


def oldest_unproven(tx: Connection) -> datetime | None:
    """Return when the oldest journal entry was made that no timestamp covers, None if all are covered. Two short statements."""
    covered = (
        select(roots.c.last)
        .join(stamps, stamps.c.number == roots.c.number)
        .order_by(stamps.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    last = tx.execute(select(covered)).scalar() or 0
    found: datetime | None = tx.execute(
        select(journal.c.at).where(journal.c.id > last).order_by(journal.c.id).limit(1)
    ).scalar()
    return found


def proof_of_entry(tx: Connection, entry: int) -> EntryProof:
    """Return what proves an entry offline. Raises `NotFound` where there is no such entry or no root over it yet."""
    row = tx.execute(select(roots).where(roots.c.first <= entry).order_by(roots.c.first.desc()).limit(1)).one_or_none()
    if row is None or row.last < entry:
        raise NotFound("there is no root of the journal over this entry yet")
    first = _signed(row)
    leaves = waiting(tx, first.root.first - 1, most=first.root.count)
    if len(leaves) != first.root.count:
        raise StoredDataDamaged("an entry of the journal is missing; run: gateway journal verify")
    place = entry - first.root.first
    stamp = tx.execute(
        select(stamps).where(stamps.c.number >= first.root.number).order_by(stamps.c.number).limit(1)
    ).one_or_none()
    way = select(roots).where(roots.c.number > first.root.number).order_by(roots.c.number)
    after = tx.execute(way.where(roots.c.number <= stamp.number)).all() if stamp else []
    return EntryProof(
        entry=entry,
        hash=leaves[place].hex(),
        path=merkle.proof(leaves, place),
        roots=(first, *(_signed(each) for each in after)),
        token=stamp.token if stamp else None,
    )


def all_roots(tx: Connection) -> Iterator[tuple[SignedRoot, bytes | None]]:
    """Return every root, oldest first, with the token of its own timestamp if it has one."""
    both = select(roots, stamps.c.token).outerjoin(stamps, stamps.c.number == roots.c.number).order_by(roots.c.number)
    for row in tx.execute(both.execution_options(yield_per=500)):
        yield _signed(row), row.token


def verify(tx: Connection) -> tuple[int, list[RootFinding]]:
    """Make every root again from the journal; return the number of roots and each that does not fit.

    Signatures and timestamps are looked at elsewhere (gateway/flow/evidence.py): the store knows no trust.
    """
    findings: list[RootFinding] = []
    number, last, previous = 0, 0, GENESIS
    for signed, _ in all_roots(tx):
        root = signed.root
        if (root.number, root.first, root.previous) != (number + 1, last + 1, previous):
            findings.append(RootFinding(number=root.number, what=f"root {root.number} does not follow the root before it"))
        if _made_again(tx, root) != root.root:
            what = f"entries {root.first} to {root.last} are not those of root {root.number}"
            findings.append(RootFinding(number=root.number, what=what))
        number, last, previous = root.number, root.last, signed.digest()
    return number, findings


def _made_again(tx: Connection, root: Root) -> str:
    leaves: Sequence[str] = (
        tx.execute(select(journal.c.hash).where(journal.c.id.between(root.first, root.last)).order_by(journal.c.id))
        .scalars()
        .all()
    )
    return merkle.root([bytes.fromhex(each) for each in leaves]).hex()
