"""Messages that came before an earlier one of their case. They are kept sealed, as they came, until the gap is closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection, and_, delete, func, or_, select

from gateway.store.portions import add_rows, among
from gateway.store.tables import cases, early, messages

FIELDS = ("home", "sender", "reference", "sequence", "message_id", "digest", "body", "transport", "received_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyRow:
    """One message that waits for an earlier one."""

    home: str
    sender: str
    reference: str
    sequence: int
    message_id: str
    digest: str
    body: bytes  # sealed
    transport: str
    received_at: datetime
    id: int | None = None


def add(tx: Connection, rows: Sequence[EarlyRow]) -> None:
    """Keep messages that came too early."""
    add_rows(tx, early, FIELDS, list(map(attrgetter(*FIELDS), rows)))


def known(tx: Connection, ids: Sequence[str]) -> dict[tuple[str, str], EarlyRow]:
    """Return the messages that wait among `ids`, by (sender, message id)."""
    if not ids:
        return {}
    found = tx.execute(select(early).where(among(tx, early.c.message_id, ids))).mappings()
    return {(row["sender"], row["message_id"]): EarlyRow(**row) for row in found}


def ready(tx: Connection, *, most: int, without: Sequence[str] = ()) -> list[EarlyRow]:
    """Return messages whose turn has come: every earlier one of their case and sender was taken. None of `without`, senders."""
    last = (
        select(func.coalesce(func.max(messages.c.sequence), 0))
        .join(cases, cases.c.id == messages.c.case_id)
        .where(
            cases.c.reference == early.c.reference,
            cases.c.home == early.c.home,
            messages.c.sender == early.c.sender,
            messages.c.direction == "in",
        )
        .scalar_subquery()
    )
    found = (
        select(early)
        .where(early.c.sequence <= last + 1, early.c.sender.not_in(without))
        .order_by(early.c.sequence, early.c.id)
        .limit(most)
    )
    return [EarlyRow(**row) for row in tx.execute(found).mappings()]


def remove(tx: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Forget messages, by (sender, message id): they were taken, or refused in their turn."""
    if keys:
        tx.execute(delete(early).where(or_(*(and_(early.c.sender == one, early.c.message_id == two) for one, two in keys))))


def some(tx: Connection) -> bool:
    """Whether any message waits; the common answer is no, and then nothing more is asked."""
    return tx.execute(select(early.c.id).limit(1)).first() is not None


def count(tx: Connection) -> int:
    """Return how many messages wait for an earlier one."""
    return tx.execute(select(func.count()).select_from(early)).scalar_one()
