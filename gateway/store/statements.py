"""Due diligence statements and holds. Both stay in the home installation; their contents are encrypted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.store.tables import cases, holds, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One statement; `body` holds the answers, encrypted."""

    case_id: int
    body: bytes
    complete: bool
    made_by: str
    made_at: datetime
    released_by: str | None
    released_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """One message that must not leave yet; `body` (canonical), `original` (as handed in) and `report` are encrypted."""

    case_id: int
    reason: str
    body: bytes
    original: bytes
    report: bytes | None
    dialect: str
    actor: str
    created_at: datetime
    ended_at: datetime | None = None
    id: int | None = None


def statement(tx: Connection, case_id: int) -> StatementRow | None:
    """Return the statement of a case."""
    row = tx.execute(select(statements).where(statements.c.case_id == case_id)).one_or_none()
    if row is None:
        return None
    return StatementRow(**{name: getattr(row, name) for name in StatementRow.__slots__})


def put_statement(tx: Connection, row: StatementRow) -> None:
    """Write the statement of a case; making it again takes its release back."""
    values = {name: getattr(row, name) for name in StatementRow.__slots__}
    if tx.execute(update(statements).where(statements.c.case_id == row.case_id).values(values)).rowcount == 0:
        tx.execute(insert(statements), [values])


def _hold(row: Row[Any]) -> HoldRow:
    return HoldRow(**{name: getattr(row, name) for name in HoldRow.__slots__})


def hold(tx: Connection, row: HoldRow) -> None:
    """Hold a message."""
    tx.execute(insert(holds), [{name: getattr(row, name) for name in HoldRow.__slots__ if name != "id"}])


def open_hold(tx: Connection, case_id: int) -> HoldRow | None:
    """Return the hold of a case that has not ended."""
    found = select(holds).where(holds.c.case_id == case_id, holds.c.ended_at.is_(None)).order_by(holds.c.id.desc()).limit(1)
    row = tx.execute(found).one_or_none()
    return None if row is None else _hold(row)


def open_holds(tx: Connection, home: str) -> list[HoldRow]:
    """Return the holds of an authority's cases that have not ended, oldest first."""
    found = select(holds).join(cases, cases.c.id == holds.c.case_id).where(cases.c.home == home, holds.c.ended_at.is_(None))
    return [_hold(row) for row in tx.execute(found.order_by(holds.c.id))]


def change_reason(tx: Connection, hold_id: int, reason: str) -> None:
    """Note that a hold goes on for another reason."""
    tx.execute(update(holds).where(holds.c.id == hold_id).values(reason=reason))


def end_hold(tx: Connection, hold_id: int, *, by: str, at: datetime) -> bool:
    """End a hold; False when it has ended already, so that a message is never sent twice."""
    ended = tx.execute(update(holds).where(holds.c.id == hold_id, holds.c.ended_at.is_(None)).values(ended_at=at, ended_by=by))
    return ended.rowcount == 1
