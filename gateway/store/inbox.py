"""What waits for a home authority, in its own dialect, until it says that it has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import ColumnElement, Connection, select, update

from gateway.errors import NotFound
from gateway.store.columns import in_range
from gateway.store.portions import add_rows
from gateway.store.tables import cases, inbox, messages


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInboxRow:
    """One delivered message."""

    authority: str
    message_row: int
    case_id: int
    dialect: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """One message in an authority's inbox."""

    id: int
    authority: str
    message_row: int
    message_id: str
    sender: str
    type: str
    case_id: int
    case_reference: str
    dialect: str
    arrived_at: datetime
    fetched_at: datetime | None


def add(tx: Connection, rows: Sequence[NewInboxRow]) -> None:
    """Deliver messages to inboxes."""
    if rows:
        names = ("authority", "message_row", "case_id", "dialect", "arrived_at")
        add_rows(tx, inbox, names, list(map(attrgetter(*names), rows)))


_ROWS = (
    select(
        inbox.c.id,
        inbox.c.authority,
        inbox.c.message_row,
        messages.c.message_id,
        messages.c.sender,
        messages.c.type,
        inbox.c.case_id,
        cases.c.reference.label("case_reference"),
        inbox.c.dialect,
        inbox.c.arrived_at,
        inbox.c.fetched_at,
    )
    .join(messages, messages.c.id == inbox.c.message_row)
    .join(cases, cases.c.id == inbox.c.case_id)
)


def rows_where(tx: Connection, *conditions: ColumnElement[bool], most: int) -> list[InboxRow]:
    """Return the rows that meet these conditions on `inbox`, oldest first."""
    found = _ROWS.where(*conditions).order_by(inbox.c.id).limit(most)
    return [InboxRow(**row) for row in tx.execute(found).mappings()]


def waiting(tx: Connection, authority: str, *, after: int = 0, most: int = 100, also_fetched: bool = False) -> list[InboxRow]:
    """Return what an authority has not acknowledged yet, oldest first, beginning after the row `after`."""
    conditions = [inbox.c.authority == authority, inbox.c.id > after]
    if not also_fetched:
        conditions.append(inbox.c.fetched_at.is_(None))
    return rows_where(tx, *conditions, most=most)


def waiting_of(tx: Connection, authority: str, case_id: int, *, message_row: int | None = None) -> list[InboxRow]:
    """Return what an authority has not acknowledged of one case, or of one message of it, oldest first."""
    conditions = [inbox.c.authority == authority, inbox.c.fetched_at.is_(None), inbox.c.case_id == case_id]
    if message_row is not None:
        conditions.append(inbox.c.message_row == message_row)
    return rows_where(tx, *conditions, most=1000)


def get(tx: Connection, authority: str, inbox_id: int) -> InboxRow:
    """Return one message of an authority's inbox. Raises `NotFound` for another authority's id as for an unknown one."""
    found = _ROWS.where(inbox.c.authority == authority, inbox.c.id == in_range(inbox_id))
    row = tx.execute(found).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no such message in this inbox")
    return InboxRow(**row)


def acknowledge(tx: Connection, authority: str, inbox_id: int, *, by: str, at: datetime) -> bool:
    """Note that the authority has the message. Returns False for an unknown id; a second time changes nothing."""
    mine = inbox.c.id == in_range(inbox_id), inbox.c.authority == authority
    if settle(tx, authority, inbox_id, by=by, at=at):
        return True
    return tx.execute(select(inbox.c.id).where(*mine)).one_or_none() is not None


def settle(tx: Connection, authority: str, inbox_id: int, *, by: str, at: datetime) -> bool:
    """Note that the authority has the message; False when that was noted before, or there is no such message."""
    mine = inbox.c.id == in_range(inbox_id), inbox.c.authority == authority, inbox.c.fetched_at.is_(None)
    return tx.execute(update(inbox).where(*mine).values(fetched_at=at, fetched_by=by)).rowcount == 1
