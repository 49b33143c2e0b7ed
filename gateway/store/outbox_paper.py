"""What lies in the outbox and is to go on paper: found by its deadline, set aside once, ended when it arrived another way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, update

from gateway.store.columns import Instant
from gateway.store.outbox_claims import free
from gateway.store.portions import among
from gateway.store.tables import outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearing:
    """A message that has not left, and whose deadline comes nearer."""

    id: int
    message_row: int
    message_id: str
    sender: str
    recipient: str
    case_id: int | None
    created_at: datetime
    due_at: datetime
    parked_at: datetime | None
    attempts: int
    code: str | None


def nearing(tx: Connection, *, now: datetime, before: datetime, after: int, most: int) -> list[Nearing]:
    """Return messages due before `before` that nobody sends now and that were not set aside yet, by row from `after`."""
    found = (
        select(*(outbox.c[name] for name in Nearing.__slots__))
        .where(
            outbox.c.attachment_id.is_(None),
            outbox.c.due_at <= before,
            outbox.c.paper_at.is_(None),
            free(now),
            outbox.c.id > after,
        )
        .order_by(outbox.c.id)
        .limit(most)
    )
    return [Nearing(**row) for row in tx.execute(found).mappings()]


def set_aside(tx: Connection, row_id: int, *, at: datetime, code: str) -> bool:
    """Park a message that is to go on paper; False if it left, is being sent, or another watch was faster."""
    aside = update(outbox).where(outbox.c.id == row_id, outbox.c.paper_at.is_(None), free(at))
    parked_at = func.coalesce(outbox.c.parked_at, bindparam("at", at, Instant))
    values = {"parked_at": parked_at, "paper_at": at, "code": code, "lease_until": None, "leased_by": None}
    return tx.execute(aside.values(values)).rowcount == 1


def for_paper(tx: Connection, case_ids: Sequence[int]) -> dict[int, datetime]:
    """Return the cases among these of which a message must go on paper, with the nearest end of a deadline."""
    aside = (
        select(outbox.c.case_id, func.min(outbox.c.due_at).label("due_at"))
        .where(among(tx, outbox.c.case_id, case_ids), outbox.c.paper_at.is_not(None), outbox.c.parked_at.is_not(None))
        .group_by(outbox.c.case_id)
    )
    return {row.case_id: row.due_at for row in tx.execute(aside)} if case_ids else {}


def is_for_paper(tx: Connection, message_row: int) -> bool:
    """Whether a message is set aside to go on paper; it is locked until the transaction ends."""
    aside = select(outbox.c.id).where(
        outbox.c.message_row == message_row, outbox.c.paper_at.is_not(None), outbox.c.parked_at.is_not(None)
    )
    return tx.execute(aside.with_for_update()).first() is not None


def end(tx: Connection, message_rows: Sequence[int]) -> None:
    """Take out what was parked of these messages, attachments too: they arrived another way."""
    parked = outbox.alias("parked")
    mine = select(parked.c.message_row).where(among(tx, parked.c.message_row, message_rows), parked.c.parked_at.is_not(None))
    tx.execute(delete(outbox).where(outbox.c.message_row.in_(mine)))
