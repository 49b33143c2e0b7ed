"""Which messages and attachments leave next, and by whom: rows of the outbox are claimed by a lease.

Each recipient has a line of its own: a claim takes a share of each, what is due soonest first, and of one case what was
written first.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    column,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from gateway.store.outbox import OutboxRow
from gateway.store.portions import among
from gateway.store.tables import outbox


def _row(row: Row[Any]) -> OutboxRow:
    return OutboxRow(
        id=row.id,
        message_row=row.message_row,
        message_id=row.message_id,
        sender=row.sender,
        recipient=row.recipient,
        body=row.body,
        attempts=row.attempts,
        attachment_id=row.attachment_id,
        part=row.part,
    )


def recipients(tx: Connection) -> list[str]:
    """Return for whom messages lie here, by name; one step in an index for each, however many wait."""
    lies = and_(outbox.c.attachment_id.is_(None), outbox.c.parked_at.is_(None))
    found = select(func.min(outbox.c.recipient).label("recipient")).where(lies).cte("found", recursive=True)
    after = select(func.min(outbox.c.recipient)).where(lies, outbox.c.recipient > found.c.recipient).scalar_subquery()
    found = found.union_all(select(after).where(found.c.recipient.is_not(None)))
    return [name for name in tx.execute(select(found.c.recipient)).scalars() if name is not None]


LONGEST_LEASE = timedelta(minutes=3)  # of those that a right clock gives; three times what the loops ask for


def free(now: datetime) -> ColumnElement[bool]:
    """Return the condition that nobody holds a row.

    A lease that ends later than any could was given by a clock that was ahead and came back. Its holder may be dead, so it
    counts for nothing; if it lives, the row leaves twice, and the receiver drops the repeat.
    """
    until = outbox.c.lease_until
    return or_(until.is_(None), until < now, until > now + LONGEST_LEASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taking:
    """How rows are taken."""

    now: datetime
    until: datetime
    by: str
    probe: bool


def claim(
    tx: Connection,
    *,
    now: datetime,
    most: int,
    lease_seconds: int,
    by: str,
    of: Sequence[str] | None = None,
    probe: bool = False,
) -> list[OutboxRow]:
    """Take up to `most` messages that are due and that nobody else holds, a fair share for each recipient.

    For each recipient what is due soonest goes first, and no message before an earlier one of its case. `of` names the
    recipients, None for all. As a `probe`, what was tried least lately goes first: no message alone can keep a line stopped.
    """
    taking = _Taking(now=now, until=now + timedelta(seconds=lease_seconds), by=by, probe=probe)
    hungry = list(recipients(tx) if of is None else of)
    if len(hungry) > most:  # another part of them each second
        first = int(now.timestamp()) % len(hungry)
        hungry = (hungry[first:] + hungry[:first])[:most]
    taken: list[Row[Any]] = []
    while hungry and (share := (most - len(taken)) // len(hungry)):
        got = _take(tx, hungry, share, taking)
        counts = Counter(row.recipient for row in got)
        taken += got
        hungry = [name for name in hungry if counts[name] == share]  # they may have more
    return [_row(row) for row in sorted(taken, key=lambda row: (row.turn_at, row.id))]


def _take(tx: Connection, names: Sequence[str], share: int, taking: _Taking) -> list[Row[Any]]:
    """Lease up to `share` messages for each of these recipients: on PostgreSQL by one statement."""
    if tx.dialect.name != "postgresql":
        return [row for name in names for row in tx.execute(_leasing(_due(name, share, taking), taking))]
    named = func.unnest(literal(list(names), ARRAY(String))).table_valued(column("name", String)).render_derived()
    rows = _due(named.c.name, share, taking).with_for_update(skip_locked=True).lateral()
    return list(tx.execute(_leasing(select(rows.c.id).select_from(named.join(rows, true())), taking)))


def _due(recipient: ColumnElement[str] | str, most: int, taking: _Taking) -> Select[int]:
    """Return the select of the messages for one recipient that may leave now, in the order in which they do."""
    earlier = outbox.alias("earlier")
    # Only messages have a case here, and what stands beside "or" is looked up for each row: with few statistics PostgreSQL
    # would else join the whole outbox with itself by an index that does not fit (2 ms a message, measured).
    waits_before = select(earlier.c.id).where(
        earlier.c.case_id == outbox.c.case_id, earlier.c.id < outbox.c.id, earlier.c.parked_at.is_(None)
    )
    return (
        select(outbox.c.id)
        .where(
            outbox.c.recipient == recipient,
            outbox.c.attachment_id.is_(None),
            outbox.c.parked_at.is_(None),
            outbox.c.next_at <= taking.now,
            free(taking.now),
            or_(outbox.c.case_id.is_(None), ~waits_before.exists()),
        )
        .order_by(outbox.c.next_at if taking.probe else outbox.c.turn_at, outbox.c.id)
        .limit(most)
    )


def _leasing(ids: Select[int], taking: _Taking) -> Any:
    return update(outbox).where(outbox.c.id.in_(ids)).values(lease_until=taking.until, leased_by=taking.by).returning(outbox)


def give_back(tx: Connection, ids: Sequence[int]) -> None:
    """Let go of rows that were handed over and may not leave this way; they take their turn like any other."""
    tx.execute(update(outbox).where(among(tx, outbox.c.id, ids)).values(lease_until=None, leased_by=None))


_PART_DUE = and_(outbox.c.attachment_id.is_not(None), outbox.c.parked_at.is_(None))


def _parts_due(now: datetime) -> ColumnElement[bool]:
    return and_(_PART_DUE, outbox.c.next_at <= now, free(now))


def attachments_due(tx: Connection, now: datetime) -> list[str]:
    """Return for whom attachments may leave, by name; the common answer is nobody, and then nothing is locked."""
    found = select(outbox.c.recipient).where(_parts_due(now)).distinct().order_by(outbox.c.recipient)
    return list(tx.execute(found).scalars())


def claim_attachment(tx: Connection, *, now: datetime, lease_seconds: int, by: str, recipient: str) -> OutboxRow | None:
    """Take the attachment for a recipient of which a part left least lately, and that nobody else holds."""
    due = select(outbox.c.id).where(_parts_due(now), outbox.c.recipient == recipient)
    due = due.order_by(outbox.c.next_at, outbox.c.id).limit(1)
    if tx.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    until = now + timedelta(seconds=lease_seconds)
    claimed = update(outbox).where(outbox.c.id.in_(due)).values(lease_until=until, leased_by=by).returning(outbox)
    row = tx.execute(claimed).one_or_none()
    return None if row is None else _row(row)
