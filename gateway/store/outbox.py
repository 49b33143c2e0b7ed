"""What still has to leave. Rows are claimed by a lease, so any number of processes may deliver.

Each recipient has a line of its own: a claim takes a share of each, what is due soonest first, and of one case what was
written first.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    case,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from gateway.stages import Sealed
from gateway.store import prepared
from gateway.store.portions import add_rows, among, next_ids
from gateway.store.prepared import Prepared
from gateway.store.tables import cases, messages, outbox
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
        "turn_at",
    )
    address = (message_row, message.message_id, message.sender, message.recipient)
    add_rows(tx, outbox, names, [(*address, b"", 0, now, now, id_, 1, now) for id_ in ids])


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
