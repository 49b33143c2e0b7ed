"""What still has to leave. Rows are claimed by a lease, so any number of processes may deliver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update

from gateway.stages import Sealed
from gateway.store.portions import add_rows, among, next_ids
from gateway.store.tables import cases, messages, outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One sealed message on its way out, or one attachment: then `body` is empty, and `part` is the next part to leave."""

    id: int
    message_row: int
    message_id: str
    sender: str
    recipient: str
    body: bytes
    attempts: int
    attachment_id: int | None = None
    part: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """What waits for one recipient of one sender."""

    sender: str
    recipient: str
    waiting: int
    parked: int
    oldest: datetime | None
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who delivers rows, and until when nobody else may."""

    by: str
    until: datetime


def add(tx: Connection, rows: Sequence[tuple[int, Sealed]], now: datetime, *, lease: Lease | None = None) -> list[OutboxRow]:
    """Queue sealed messages for delivery; the first number of each pair is the message's row.

    With a `lease` they are claimed as they are written; they are returned for whoever holds it, who may send them once the
    transaction is committed. Without one nothing is returned.
    """
    if not rows:
        return []
    names = ("message_row", "message_id", "sender", "recipient", "body", "attempts", "next_at", "created_at")
    values = [(row, sealed.message_id, sealed.sender, sealed.recipient, sealed.body, 0, now, now) for row, sealed in rows]
    if lease is None:
        add_rows(tx, outbox, names, values)
        return []
    ids = next_ids(tx, outbox, len(rows))
    claimed = [(id_, *value, lease.until, lease.by) for id_, value in zip(ids, values, strict=True)]
    add_rows(tx, outbox, ("id", *names, "lease_until", "leased_by"), claimed)
    return [
        OutboxRow(
            id=id_,
            message_row=row,
            message_id=sealed.message_id,
            sender=sealed.sender,
            recipient=sealed.recipient,
            body=sealed.body,
            attempts=0,
        )
        for id_, (row, sealed) in zip(ids, rows, strict=True)
    ]


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


class Addressed(Protocol):
    """A message that brings attachments."""

    @property
    def message_id(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def recipient(self) -> str: ...


def add_attachments(tx: Connection, message_row: int, message: Addressed, ids: Sequence[int], now: datetime) -> None:
    """Queue attachments of a message, by their rows. Their bytes stay where they are."""
    names = (
        "message_row",
        "message_id",
        "sender",
        "recipient",
        "body",
        "attempts",
        "next_at",
        "created_at",
        "attachment_id",
        "part",
    )
    address = (message_row, message.message_id, message.sender, message.recipient)
    add_rows(tx, outbox, names, [(*address, b"", 0, now, now, id_, 1) for id_ in ids])


def claim(tx: Connection, *, now: datetime, most: int, lease_seconds: int, by: str) -> list[OutboxRow]:
    """Take up to `most` messages that are due and that nobody else holds, oldest first."""
    return _claim(tx, outbox.c.attachment_id.is_(None), now=now, most=most, lease_seconds=lease_seconds, by=by)


def claim_attachment(tx: Connection, *, now: datetime, lease_seconds: int, by: str) -> OutboxRow | None:
    """Take the attachment that has been due longest and that nobody else holds."""
    found = _claim(tx, outbox.c.attachment_id.is_not(None), now=now, most=1, lease_seconds=lease_seconds, by=by)
    return found[0] if found else None


def attachment_due(tx: Connection, now: datetime) -> bool:
    """Whether an attachment may leave; the common answer is no, and then nothing is locked."""
    due = select(outbox.c.id).where(outbox.c.attachment_id.is_not(None), outbox.c.parked_at.is_(None), outbox.c.next_at <= now)
    return tx.execute(due.where(or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < now)).limit(1)).first() is not None


def left(tx: Connection, row_id: int, *, part: int) -> None:
    """Note that the parts before `part` are confirmed; the row is free again, for whoever comes next."""
    tx.execute(
        update(outbox).where(outbox.c.id == row_id).values(part=part, attempts=0, lease_until=None, leased_by=None, code=None)
    )


def _claim(
    tx: Connection, which: ColumnElement[bool], *, now: datetime, most: int, lease_seconds: int, by: str
) -> list[OutboxRow]:
    due = (
        select(outbox.c.id)
        .where(
            which,
            outbox.c.parked_at.is_(None),
            outbox.c.next_at <= now,
            or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < now),
        )
        .order_by(outbox.c.id)
        .limit(most)
    )
    if tx.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    claimed = (
        update(outbox)
        .where(outbox.c.id.in_(due))
        .values(lease_until=now + timedelta(seconds=lease_seconds), leased_by=by)
        .returning(outbox)
    )
    return sorted(map(_row, tx.execute(claimed)), key=lambda row: row.id)


def waits(tx: Connection, message_row: int) -> bool:
    """Whether this message is still on its way out."""
    return tx.execute(select(outbox.c.id).where(outbox.c.message_row == message_row).limit(1)).one_or_none() is not None


def done(tx: Connection, ids: Sequence[int]) -> None:
    """Remove rows whose delivery is confirmed."""
    if ids:
        tx.execute(delete(outbox).where(among(tx, outbox.c.id, ids)))


def wait(tx: Connection, row_id: int, *, next_at: datetime, code: str) -> None:
    """Leave a claimed row in its place until `next_at`; that was no attempt."""
    tx.execute(update(outbox).where(outbox.c.id == row_id).values(next_at=next_at, lease_until=None, leased_by=None, code=code))


def retry(tx: Connection, row_id: int, *, next_at: datetime, code: str) -> None:
    """Set a row back for another attempt at `next_at`."""
    tx.execute(
        update(outbox)
        .where(outbox.c.id == row_id)
        .values(attempts=outbox.c.attempts + 1, next_at=next_at, lease_until=None, leased_by=None, code=code)
    )


def park(tx: Connection, row_id: int, *, at: datetime, code: str) -> bool:
    """Set a row aside for operations; it is never dropped. False when it is gone: somebody else delivered it."""
    parked = tx.execute(
        update(outbox)
        .where(outbox.c.id == row_id)
        .values(attempts=outbox.c.attempts + 1, parked_at=at, lease_until=None, leased_by=None, code=code)
    )
    return parked.rowcount == 1


def next_due(tx: Connection) -> datetime | None:
    """Return when the next row is due, None when nothing waits."""
    due: datetime | None = tx.execute(select(func.min(outbox.c.next_at)).where(outbox.c.parked_at.is_(None))).scalar_one()
    return due


def states(tx: Connection) -> list[OutboxState]:
    """Return what waits and what is parked, by sender and recipient."""
    rows = tx.execute(
        select(outbox.c.sender, outbox.c.recipient, outbox.c.parked_at, outbox.c.created_at, outbox.c.code).order_by(
            outbox.c.id
        )
    ).all()
    found: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        found.setdefault((row.sender, row.recipient), []).append(row)
    return [
        OutboxState(
            sender=sender,
            recipient=recipient,
            waiting=sum(1 for row in group if row.parked_at is None),
            parked=sum(1 for row in group if row.parked_at is not None),
            oldest=min((row.created_at for row in group), default=None),
            codes=tuple(sorted({row.code for row in group if row.code})),
        )
        for (sender, recipient), group in sorted(found.items())
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """One message that was set aside, with the files that go with it."""

    message_row: int
    message_id: str
    sender: str
    recipient: str
    type: str
    reference: str | None  # of the case; a receipt has none
    sequence: int | None
    code: str
    attempts: int
    since: datetime
    created_at: datetime


def parked(tx: Connection, senders: Sequence[str]) -> list[ParkedMessage]:
    """Return what is parked of these senders, oldest first."""
    found = (
        select(outbox, messages.c.type, messages.c.sequence, cases.c.reference)
        .join(messages, messages.c.id == outbox.c.message_row)
        .outerjoin(cases, cases.c.id == messages.c.case_id)
        .where(outbox.c.parked_at.is_not(None), outbox.c.sender.in_(senders))
        .order_by(outbox.c.id)
    )
    rows: dict[int, ParkedMessage] = {}
    for row in tx.execute(found):
        rows.setdefault(
            row.message_row,
            ParkedMessage(
                message_row=row.message_row,
                message_id=row.message_id,
                sender=row.sender,
                recipient=row.recipient,
                type=row.type,
                reference=row.reference,
                sequence=row.sequence,
                code=row.code or "",
                attempts=row.attempts,
                since=row.parked_at,
                created_at=row.created_at,
            ),
        )
    return list(rows.values())


def is_parked(tx: Connection, message_row: int) -> bool:
    """Whether something of this message is parked; the rows stay so until the transaction ends."""
    found = select(outbox.c.id).where(outbox.c.message_row == message_row, outbox.c.parked_at.is_not(None)).with_for_update()
    return bool(tx.execute(found).all())


def release(tx: Connection, message_rows: Sequence[int], now: datetime) -> None:
    """Give parked messages, and the files that go with them, all their attempts again; the bytes are the same."""
    again = and_(among(tx, outbox.c.message_row, message_rows), outbox.c.parked_at.is_not(None))
    tx.execute(update(outbox).where(again).values(parked_at=None, attempts=0, next_at=now, code=None))


def forget(tx: Connection, message_row: int) -> None:
    """Remove a message and the files that go with it: they will not leave."""
    tx.execute(delete(outbox).where(outbox.c.message_row == message_row))
