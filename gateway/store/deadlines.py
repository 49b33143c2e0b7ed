"""Deadlines: one row per case and limit, with the whole explanation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, select, update

from gateway.store.portions import add_rows
from gateway.store.prepared import Prepared, among
from gateway.store.tables import deadlines


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
    calendar_ids: str | None  # "rs+at": the calendars it was counted with
    calendar_version: str | None  # their versions, in the same order
    state: str  # open | met | late | lapsed | moot
    detail: dict[str, Any]  # what due_date said, explanation included
    changed_at: datetime
    inputs: dict[str, Any]  # what it was counted from, and the marks the watch looks for
    home: str  # of the case
    ours: bool  # whether it is the home authority that must act
    stage: str = "new"  # new | remind-N | overdue | lapse: what the watch has told of it
    look_at: datetime | None = None  # when the watch looks at it next
    id: int | None = None


_FIELDS = tuple(name for name in DeadlineRow.__slots__ if name != "id")
_VALUES = attrgetter(*_FIELDS)


def _deadline(row: Any) -> DeadlineRow:
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


def of_cases(tx: Connection, case_ids: Sequence[int], *, lock: bool = False) -> list[DeadlineRow]:
    """Return all deadlines of these cases; with `lock`, nobody else changes them until the transaction ends."""
    if not case_ids:
        return []
    return [_deadline(row) for row in (_OF_CASES_LOCKED if lock else _OF_CASES).rows(tx, ids=case_ids)]


def _of_cases(dialect: str) -> Select[Any]:
    return select(deadlines).where(among(dialect, deadlines.c.case_id, "ids")).order_by(deadlines.c.id)


_OF_CASES = Prepared(_of_cases)
_OF_CASES_LOCKED = Prepared(lambda dialect: _of_cases(dialect).with_for_update())


def due(tx: Connection, instant: datetime, *, most: int) -> list[DeadlineRow]:
    """Return open deadlines of which there is something to tell by `instant`, in order of time."""
    found = (
        select(deadlines)
        .where(deadlines.c.state == "open", deadlines.c.look_at <= instant)
        .order_by(deadlines.c.look_at, deadlines.c.id)
        .limit(most)
    )
    return [_deadline(row) for row in tx.execute(found)]


def tell(tx: Connection, row: DeadlineRow, *, stage: str, look_at: datetime | None, at: datetime, state: str = "open") -> bool:
    """Note what was told of a deadline; False when another watch was faster, so that each thing is told once."""
    changed = tx.execute(
        update(deadlines)
        .where(
            deadlines.c.id == row.id,
            deadlines.c.state == row.state,
            deadlines.c.stage == row.stage,
            deadlines.c.look_at == row.look_at,
        )
        .values(stage=stage, look_at=look_at, state=state, changed_at=at)
    )
    return changed.rowcount == 1


def rewrite(tx: Connection, row: DeadlineRow) -> None:
    """Write a deadline that was counted again; it was read with a lock."""
    rewrite_many(tx, [row])


def answer(tx: Connection, case_id: int, limit_id: str, *, state: str, at: datetime) -> None:
    """Settle a deadline by the message that was awaited, whatever it stood at."""
    tx.execute(
        update(deadlines)
        .where(deadlines.c.case_id == case_id, deadlines.c.limit_id == limit_id)
        .values(state=state, look_at=None, changed_at=at)
    )


def get(tx: Connection, case_id: int, limit_id: str) -> DeadlineRow | None:
    """Return one deadline of a case, None if the case has none."""
    found = select(deadlines).where(deadlines.c.case_id == case_id, deadlines.c.limit_id == limit_id)
    row = tx.execute(found).one_or_none()
    return None if row is None else _deadline(row)


def still_open(tx: Connection, *, after: int, most: int, lock: bool = False) -> list[DeadlineRow]:
    """Return open deadlines with a row id above `after`, in order; with `lock`, nobody else changes them meanwhile."""
    found = select(deadlines).where(deadlines.c.state == "open", deadlines.c.id > after).order_by(deadlines.c.id).limit(most)
    return [_deadline(row) for row in tx.execute(found.with_for_update() if lock else found)]


_REWRITTEN = tuple(name for name in _FIELDS if name not in {"case_id", "limit_id"})


def rewrite_many(tx: Connection, rows: Sequence[DeadlineRow]) -> None:
    """Write deadlines that were counted again and locked before, by one statement."""
    if rows:
        change = update(deadlines).where(deadlines.c.id == bindparam("row_id"))
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _REWRITTEN}
        tx.execute(
            change.values(values),
            [{"row_id": row.id} | {f"new_{name}": getattr(row, name) for name in _REWRITTEN} for row in rows],
        )
