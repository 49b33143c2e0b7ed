"""What still has to leave: rows as they are written, and what becomes of each.

Who takes them stands in `outbox_claims`, what was set aside in `outbox_parked`, what must go on paper in `outbox_paper`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy import (
    Connection,
    and_,
    case,
    delete,
    func,
    select,
    update,
)

from gateway.stages import Sealed
from gateway.store import prepared
from gateway.store.portions import add_rows, next_ids
from gateway.store.prepared import Prepared
from gateway.store.tables import outbox
from gateway.store.wake import wake

NO_DEADLINE: Final = timedelta(days=1)  # what has no deadline takes its turn as if it were due so long after it was written


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
    probe: bool = False  # it tries a line that was stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """What waits for one recipient of one sender."""

    sender: str
    recipient: str
    waiting: int
    parked: int
    oldest: datetime | None
    codes: tuple[str, ...]
    for_paper: int  # of those parked: to be sent on paper
    nearest_deadline: datetime | None  # of all that has not left


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who delivers rows, and until when nobody else may."""

    by: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message stands among those that wait: its case, and the deadline its sender must keep by it."""

    case_id: int | None = None
    due_at: datetime | None = None

    def turn(self, now: datetime) -> datetime:
        """Return the instant by which a message written now takes its turn: nothing waits for ever behind what is urgent."""
        return now + NO_DEADLINE if self.due_at is None else max(self.due_at, now)


_NOWHERE: Final = Place()


def add(
    tx: Connection,
    rows: Sequence[tuple[int, Sealed]],
    now: datetime,
    *,
    lease: Lease | None = None,
    places: Mapping[int, Place] | None = None,
) -> list[OutboxRow]:
    """Queue sealed messages for delivery; the first number of each pair is the message's row, and the key of `places`.

    With a `lease` they are claimed as they are written; they are returned for whoever holds it, who may send them once the
    transaction is committed. Without one nothing is returned.
    """
    if not rows:
        return []
    placed = [(places or {}).get(row, _NOWHERE) for row, _ in rows]
    names = (
        *("message_row", "message_id", "sender", "recipient", "body", "attempts", "next_at", "created_at"),
        *("case_id", "due_at", "turn_at"),
    )
    usual = _NOWHERE.turn(now)  # one value for all: what rows share is converted once
    values = [
        (
            *(row, sealed.message_id, sealed.sender, sealed.recipient, sealed.body, 0, now, now),
            *(place.case_id, place.due_at, usual if place.due_at is None else place.turn(now)),
        )
        for (row, sealed), place in zip(rows, placed, strict=True)
    ]
    if lease is None:
        add_rows(tx, outbox, names, values)
        _hurry(tx, placed, now)
        wake(tx)
        return []
    ids = next_ids(tx, outbox, len(rows))
    claimed = [(id_, *value, lease.until, lease.by) for id_, value in zip(ids, values, strict=True)]
    add_rows(tx, outbox, ("id", *names, "lease_until", "leased_by"), claimed)
    _hurry(tx, placed, now)
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


def _hurry(tx: Connection, placed: Sequence[Place], now: datetime) -> None:
    """Let earlier messages of a case take the turn of an urgent one that must not overtake them."""
    for place in placed:
        if place.case_id is not None and place.turn(now) < now + NO_DEADLINE:
            behind = update(outbox).where(outbox.c.case_id == place.case_id, outbox.c.turn_at > place.turn(now))
            tx.execute(behind.values(turn_at=place.turn(now)))


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
        "turn_at",
    )
    address = (message_row, message.message_id, message.sender, message.recipient)
    add_rows(tx, outbox, names, [(*address, b"", 0, now, now, id_, 1, now) for id_ in ids])


def left(tx: Connection, row_id: int, *, part: int, at: datetime) -> None:
    """Note that the parts before `part` are confirmed; the row goes behind the other attachments for its recipient."""
    free = {"attempts": 0, "lease_until": None, "leased_by": None, "code": None}
    tx.execute(update(outbox).where(outbox.c.id == row_id).values(part=part, next_at=at, **free))


def waits(tx: Connection, message_row: int) -> bool:
    """Whether this message is still on its way out."""
    return tx.execute(select(outbox.c.id).where(outbox.c.message_row == message_row).limit(1)).one_or_none() is not None


def done(tx: Connection, ids: Sequence[int]) -> None:
    """Remove rows whose delivery is confirmed."""
    if ids:
        _DONE.run(tx, ids=ids)


_DONE = Prepared(lambda dialect: delete(outbox).where(prepared.among(dialect, outbox.c.id, "ids")))


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


def release(tx: Connection, recipient: str, *, at: datetime) -> None:
    """Let what failed for a recipient be tried now: it can be reached again. What waits for another reason goes on waiting."""
    failed = and_(outbox.c.recipient == recipient, outbox.c.parked_at.is_(None), outbox.c.attempts > 0, outbox.c.next_at > at)
    tx.execute(update(outbox).where(failed).values(next_at=at))


def states(tx: Connection) -> list[OutboxState]:
    """Return what waits and what is parked, by sender and recipient."""
    way = (outbox.c.sender, outbox.c.recipient)
    counts = select(
        *way,
        func.sum(case((outbox.c.parked_at.is_(None), 1), else_=0)).label("waiting"),
        func.sum(case((outbox.c.parked_at.is_not(None), 1), else_=0)).label("parked"),
        func.sum(case((and_(outbox.c.parked_at.is_not(None), outbox.c.paper_at.is_not(None)), 1), else_=0)).label("for_paper"),
        func.min(outbox.c.created_at).label("oldest"),
        func.min(outbox.c.due_at).label("nearest_deadline"),
    ).group_by(*way)
    codes: dict[tuple[str, str], list[str]] = {}
    for row in tx.execute(select(*way, outbox.c.code).where(outbox.c.code.is_not(None)).distinct()):
        codes.setdefault((row.sender, row.recipient), []).append(row.code)
    return [
        OutboxState(**row, codes=tuple(sorted(codes.get((row["sender"], row["recipient"]), ()))))
        for row in tx.execute(counts.order_by(*way)).mappings()
    ]
