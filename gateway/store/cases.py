"""Cases: loaded for a whole batch at once, written with the state they were read in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Select, func, select, update
from sqlalchemy import case as choice

from gateway.domain.case import Case
from gateway.domain.messages import Category, Ground, Procedure
from gateway.domain.moves import Role, State
from gateway.errors import NotFound
from gateway.store.columns import in_range
from gateway.store.portions import add_rows, next_ids
from gateway.store.prepared import Prepared, among
from gateway.store.tables import cases, deadlines

CaseKey = tuple[str, str, str]  # home, counterparty, reference

_FIELDS = (
    "home",
    "counterparty",
    "reference",
    "national_reference",
    "role",
    "state",
    "treaty",
    "treaty_version",
    "procedure",
    "category",
    "ground",
    "schema_version",
    "wrapped_key",
    "opened_at",
    "changed_at",
    "linked",
    "suspended",
    "deemed_at",
    "lapse_notice",
    "late",
    "plan",
    "revision",
)
_VALUES = attrgetter(*_FIELDS)
_LINKED = _FIELDS.index("linked")


def key_of(case: Case) -> CaseKey:
    """Return what names a case on our side."""
    return case.home, case.counterparty, case.reference


def _case(row: Any) -> Case:
    return Case(
        id=row.id,
        home=row.home,
        counterparty=row.counterparty,
        reference=row.reference,
        national_reference=row.national_reference,
        role=Role(row.role),
        state=State(row.state),
        treaty=row.treaty,
        treaty_version=row.treaty_version,
        procedure=Procedure(row.procedure),
        category=Category(row.category),
        ground=Ground(row.ground),
        schema_version=row.schema_version,
        wrapped_key=row.wrapped_key,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        linked=tuple((row.linked or "").split()),
        suspended=row.suspended,
        deemed_at=row.deemed_at,
        lapse_notice=row.lapse_notice,
        late=State(row.late) if row.late else None,
        plan=row.plan,
        revision=row.revision,
    )


def _values(case: Case) -> tuple[Any, ...]:
    """Return what is written of a new case, in the order of the columns."""
    values = _VALUES(case)
    return (case.id, *values[:_LINKED], " ".join(case.linked) or None, *values[_LINKED + 1 :])


def load(tx: Connection, keys: Sequence[CaseKey], *, lock: bool = True) -> dict[CaseKey, Case]:
    """Return the cases that exist among `keys`; with `lock`, no other writer changes them until the transaction ends."""
    if not keys:
        return {}
    wanted = set(keys)
    homes, counterparties, references = (sorted(set(values)) for values in zip(*wanted, strict=True))
    rows = (_LOAD_LOCKED if lock else _LOAD).rows(tx, references=references, homes=homes, counterparties=counterparties)
    return {key_of(case): case for case in map(_case, rows) if key_of(case) in wanted}


def _load(dialect: str) -> Select[Any]:
    return (
        select(cases)
        .where(
            among(dialect, cases.c.reference, "references"),
            among(dialect, cases.c.home, "homes"),  # these two select nothing more; they lead the planner to the one index
            among(dialect, cases.c.counterparty, "counterparties"),
        )
        .order_by(cases.c.id)
    )


_LOAD = Prepared(_load)
_LOAD_LOCKED = Prepared(lambda dialect: _load(dialect).with_for_update())


def get(tx: Connection, case_id: int, *, home: str | None = None, lock: bool = False) -> Case:
    """Return one case; with `lock`, no other writer changes it until the transaction ends.

    Raises `NotFound`, also for a case of another authority than `home`.
    """
    found = select(cases).where(cases.c.id == in_range(case_id))
    row = tx.execute(found.with_for_update() if lock else found).one_or_none()
    if row is None or (home is not None and row.home != home):
        raise NotFound("there is no such case")
    return _case(row)


def get_many(tx: Connection, case_ids: Sequence[int], *, lock: bool = False) -> list[Case]:
    """Return the cases with these ids; with `lock`, no other writer changes them until the transaction ends."""
    if not case_ids:
        return []
    return [_case(row) for row in (_GET_MANY_LOCKED if lock else _GET_MANY).rows(tx, ids=case_ids)]


def _get_many(dialect: str) -> Select[Any]:
    return select(cases).where(among(dialect, cases.c.id, "ids")).order_by(cases.c.id)


_GET_MANY = Prepared(_get_many)
_GET_MANY_LOCKED = Prepared(lambda dialect: _get_many(dialect).with_for_update())


def by_reference(tx: Connection, reference: str, *, home: str | None = None) -> list[Case]:
    """Return the cases with this reference; two when this gateway is home to both sides."""
    found = select(cases).where(cases.c.reference == reference)
    if home is not None:
        found = found.where(cases.c.home == home)
    return [_case(row) for row in tx.execute(found.order_by(cases.c.id))]


def all_of(tx: Connection, homes: Sequence[str] | None = None, *, most: int = 500) -> list[Case]:
    """Return the cases of these home authorities (all when None), newest first."""
    found = select(cases).order_by(cases.c.id.desc()).limit(most)
    if homes is not None:
        found = found.where(cases.c.home.in_(homes))
    return [_case(row) for row in tx.execute(found)]


def by_due(
    tx: Connection,
    *,
    homes: Sequence[str] | None = None,
    state: str | None = None,
    treaty: str | None = None,
    counterparty: str | None = None,
    due_before: datetime | None = None,
    most: int = 500,
) -> list[tuple[Case, datetime | None, bool]]:
    """Return cases with the instant at which their next open deadline ends, the soonest first; those without one last.

    The third value says whether some open deadline of the case rests on a secondary source.
    """
    secondary = choice((deadlines.c.confidence == "secondary", 1), else_=0)
    due = (
        select(deadlines.c.case_id, func.min(deadlines.c.due_until).label("until"), func.max(secondary).label("secondary"))
        .where(deadlines.c.state == "open")
        .group_by(deadlines.c.case_id)
        .subquery()
    )
    found = select(cases, due.c.until, due.c.secondary).outerjoin(due, due.c.case_id == cases.c.id)
    for column, value in ((cases.c.state, state), (cases.c.treaty, treaty), (cases.c.counterparty, counterparty)):
        if value is not None:
            found = found.where(column == value)
    if homes is not None:
        found = found.where(cases.c.home.in_(homes))
    if due_before is not None:
        found = found.where(due.c.until <= due_before)
    ordered = found.order_by(due.c.until.is_(None), due.c.until, cases.c.id.desc()).limit(most)
    return [(_case(row), row.until, bool(row.secondary)) for row in tx.execute(ordered)]


def add(tx: Connection, new: Sequence[Case]) -> list[Case]:
    """Insert new cases; return them with their ids, in the same order."""
    if not new:
        return []
    added = [replace(case, id=id_) for case, id_ in zip(new, next_ids(tx, cases, len(new)), strict=True)]
    add_rows(tx, cases, ("id", *_FIELDS), list(map(_values, added)))
    return added


_CHANGING = ("state", "changed_at", "suspended", "deemed_at", "lapse_notice", "late", "plan")


def change(tx: Connection, case: Case, *, before: Case) -> bool:
    """Write what a message made of the case, if the row is still the one that was read. False when someone was faster."""
    changed = tx.execute(
        update(cases)
        .where(cases.c.id == case.id, cases.c.revision == before.revision)
        .values(**{name: getattr(case, name) for name in _CHANGING}, revision=before.revision + 1)
    )
    return changed.rowcount == 1


def destroy_key(tx: Connection, case_id: int, at: datetime) -> None:
    """Erase a case: without its key no stored document of it can be read again."""
    tx.execute(update(cases).where(cases.c.id == case_id).values(wrapped_key=None, changed_at=at))


def counts(tx: Connection, homes: Sequence[str]) -> Mapping[str, int]:
    """Return how many cases stand in each state."""
    found = select(cases.c.state, func.count()).where(cases.c.home.in_(homes)).group_by(cases.c.state)
    return {state: count for state, count in tx.execute(found)}  # noqa: C416  # rows are no pairs to mypy
