"""What was set aside in the outbox for operations: listed, tried again, or given up. The bytes stay as they were signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    and_,
    delete,
    select,
    update,
)

from gateway.store.portions import among
from gateway.store.tables import cases, messages, outbox
from gateway.store.wake import wake


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


def release_parked(tx: Connection, message_rows: Sequence[int], now: datetime) -> None:
    """Give parked messages, and the files that go with them, all their attempts again; the bytes are the same."""
    again = and_(among(tx, outbox.c.message_row, message_rows), outbox.c.parked_at.is_not(None))
    tx.execute(update(outbox).where(again).values(parked_at=None, attempts=0, next_at=now, code=None))
    wake(tx)


def forget(tx: Connection, message_row: int) -> None:
    """Remove a message and the files that go with it: they will not leave."""
    tx.execute(delete(outbox).where(outbox.c.message_row == message_row))
