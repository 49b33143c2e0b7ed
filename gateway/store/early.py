"""Messages that came before an earlier one of their case, before their attachments, or while their exchange is suspended.

They are kept sealed, as they came.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update

from gateway.store.attachment_tables import attachments
from gateway.store.portions import add_rows, among
from gateway.store.prepared import Prepared
from gateway.store.tables import cases, early, messages

FIELDS = (
    "home",
    "sender",
    "reference",
    "sequence",
    "message_id",
    "digest",
    "body",
    "transport",
    "received_at",
    "files",
    "suspended_type",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyRow:
    """One message that waits."""

    home: str
    sender: str
    reference: str
    sequence: int
    message_id: str
    digest: str
    body: bytes  # sealed
    transport: str
    received_at: datetime
    files: int = 0  # attachments it must have before it is taken
    asked_at: datetime | None = None
    suspended_type: str | None = None  # the type of one that waits because the exchange with its sender is suspended
    id: int | None = None
    given_up_from: int | None = None  # its sender says that the numbers from this one up to its own never come
    complete_at: datetime | None = None  # of one whose turn has come: when the last of its attachments was there

    def is_at(self, *, home: str, sender: str, reference: str) -> bool:
        """Whether it belongs to this case and sender."""
        return (self.home, self.sender, self.reference) == (home, sender, reference)


def add(tx: Connection, rows: Sequence[EarlyRow]) -> None:
    """Keep messages that came too early."""
    add_rows(tx, early, FIELDS, list(map(attrgetter(*FIELDS), rows)))


def known(tx: Connection, ids: Sequence[str]) -> dict[tuple[str, str], EarlyRow]:
    """Return the messages that wait among `ids`, by (sender, message id)."""
    if not ids:
        return {}
    found = tx.execute(select(early).where(among(tx, early.c.message_id, ids))).mappings()
    return {(row["sender"], row["message_id"]): EarlyRow(**row) for row in found}


def here(tx: Connection, *, home: str, sender: str, reference: str) -> set[int]:
    """Return the numbers of the messages of one sender and case that are here and need not be sent again.

    They wait for their attachments, or until their exchange is resumed.
    """
    found = select(early.c.sequence).where(
        early.c.reference == reference,
        early.c.sender == sender,
        early.c.home == home,
        or_(early.c.files > 0, early.c.suspended_type.is_not(None)),
    )
    return set(tx.execute(found).scalars())


_OF_IT = and_(
    attachments.c.message_id == early.c.message_id,
    attachments.c.sender == early.c.sender,
    attachments.c.authority == early.c.home,
)


# Attachments of a message that came as a whole, be they what it names or not.
_THERE = select(func.count()).select_from(attachments).where(_OF_IT, attachments.c.state != "partial").scalar_subquery()


def stalled(tx: Connection, *, before: datetime, most: int) -> list[EarlyRow]:
    """Return messages that wait for attachments of which nothing has come since `before`, nor were they asked for."""
    moving = exists().where(_OF_IT, attachments.c.changed_at >= before)
    lacking = and_(early.c.files > 0, early.c.files > _THERE)  # others wait for an earlier message only
    found = select(early).where(lacking, func.coalesce(early.c.asked_at, early.c.received_at) < before, ~moving)
    return [EarlyRow(**row) for row in tx.execute(found.order_by(early.c.id).limit(most)).mappings()]


def asked(tx: Connection, ids: Sequence[int], at: datetime) -> None:
    """Note that the senders of messages were asked for what is missing."""
    if ids:
        tx.execute(update(early).where(among(tx, early.c.id, ids)).values(asked_at=at))


def ready(tx: Connection, *, most: int, without: Sequence[str] = (), seen: Collection[int] = ()) -> list[EarlyRow]:
    """Return messages whose turn has come: every earlier one of their case and sender was taken, their attachments are there.

    None of `without`, senders, and none of those `seen`, rows.
    """
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
    next_one = or_(early.c.sequence <= last + 1, early.c.given_up_from <= last + 1)
    turn = and_(next_one, or_(early.c.files == 0, early.c.files <= _THERE))
    turn = and_(turn, early.c.suspended_type.is_(None))
    turn = and_(turn, early.c.sender.not_in(without), early.c.id.not_in(seen))
    complete = select(func.max(attachments.c.changed_at)).where(_OF_IT).scalar_subquery()
    found = select(early, complete.label("complete_at")).where(turn).order_by(early.c.sequence, early.c.id).limit(most)
    return [EarlyRow(**row) for row in tx.execute(found).mappings()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """One message that waits because its exchange is suspended."""

    id: int
    home: str
    sender: str
    type: str


def suspended(tx: Connection) -> list[Suspended]:
    """Return the messages that wait because their exchange is suspended, in the order they came."""
    found = select(early.c.id, early.c.home, early.c.sender, early.c.suspended_type.label("type"))
    rows = tx.execute(found.where(early.c.suspended_type.is_not(None)).order_by(early.c.id)).mappings()
    return [Suspended(**row) for row in rows]


def suspend(tx: Connection, row: int, type_: str | None) -> None:
    """Note that a message waits because its exchange is suspended, or with None that it does not any more."""
    tx.execute(update(early).where(early.c.id == row).values(suspended_type=type_))


def give_up(tx: Connection, row: int, first: int) -> None:
    """Note that the numbers from `first` up to a message's own never come: its sender says so."""
    tx.execute(update(early).where(early.c.id == row).values(given_up_from=first))


def remove(tx: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Forget messages, by (sender, message id): they were taken, or refused in their turn."""
    if keys:
        tx.execute(delete(early).where(or_(*(and_(early.c.sender == one, early.c.message_id == two) for one, two in keys))))


def some(tx: Connection) -> bool:
    """Whether any message waits; the common answer is no, and then nothing more is asked."""
    return bool(_SOME.rows(tx))


_SOME = Prepared(lambda _dialect: select(early.c.id).limit(1))


def count(tx: Connection) -> int:
    """Return how many messages wait."""
    return tx.execute(select(func.count()).select_from(early)).scalar_one()


def count_of_files(tx: Connection) -> int:
    """Return how many of them wait for attachments."""
    return tx.execute(select(func.count()).select_from(early).where(early.c.files > 0)).scalar_one()
