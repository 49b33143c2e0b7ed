"""Deadlines: one row per case and limit, with the whole explanation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from gateway.store.portions import add_rows, among
from gateway.store.tables import cases, deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRow:
    """One deadline of one case, as the store keeps it."""

    case_id: int
    limit_id: str
    must_act: str  # requested | requesting
    started_at: datetime
    known: bool
    due_on: date | None  # literal end
    due_until: datetime | None
    rolled_on: date | None
    rolled_until: datetime | None
    lapses_at: datetime | None
    on_lapse: str
    source: str
    confidence: str
    treaty_version: str
    calendar_version: str | None
    state: str  # open | met | late | lapsed | moot
    detail: dict[str, Any]  # what due_date said, explanation included
    changed_at: datetime
    id: int | None = None


_FIELDS = tuple(name for name in DeadlineRow.__slots__ if name != "id")
_VALUES = attrgetter(*_FIELDS)


def _deadline(row: Row[Any]) -> DeadlineRow:
    return DeadlineRow(id=row.id, **{name: getattr(row, name) for name in _FIELDS})


def put(tx: Connection, rows: Sequence[DeadlineRow]) -> None:
    """Write deadlines; a row for the same case and limit is replaced."""
    if rows:
        for row in rows:
            tx.execute(delete(deadlines).where(deadlines.c.case_id == row.case_id, deadlines.c.limit_id == row.limit_id))
        add(tx, rows)


def add(tx: Connection, rows: Sequence[DeadlineRow]) -> None:
    """Insert the first deadlines of new cases."""
    if rows:
        add_rows(tx, deadlines, _FIELDS, list(map(_VALUES, rows)))


def of_cases(tx: Connection, case_ids: Sequence[int]) -> list[DeadlineRow]:
    """Return all deadlines of these cases."""
    if not case_ids:
        return []
    return [
        _deadline(row)
        for row in tx.execute(select(deadlines).where(among(tx, deadlines.c.case_id, case_ids)).order_by(deadlines.c.id))
    ]


def open_before(tx: Connection, instant: datetime, *, most: int) -> list[DeadlineRow]:
    """Return open, known deadlines of unanswered cases on which the other side may rely by `instant`, earliest first."""
    found = (
        select(deadlines)
        .join(cases, cases.c.id == deadlines.c.case_id)
        .where(deadlines.c.state == "open", deadlines.c.lapses_at <= instant, cases.c.state == "requested")
        .order_by(deadlines.c.lapses_at)
        .limit(most)
    )
    return [_deadline(row) for row in tx.execute(found)]


def settle(tx: Connection, case_id: int, limit_id: str, *, state: str, at: datetime, before: str = "open") -> bool:
    """Move a deadline out of `before`; False when it stands elsewhere, so that whoever changes one row wins."""
    changed = tx.execute(
        update(deadlines)
        .where(deadlines.c.case_id == case_id, deadlines.c.limit_id == limit_id, deadlines.c.state == before)
        .values(state=state, changed_at=at)
    )
    return changed.rowcount == 1


def answer(tx: Connection, case_id: int, limit_id: str, *, state: str, at: datetime) -> None:
    """Settle a deadline by the message that was awaited, whatever it stood at."""
    tx.execute(
        update(deadlines)
        .where(deadlines.c.case_id == case_id, deadlines.c.limit_id == limit_id)
        .values(state=state, changed_at=at)
    )
