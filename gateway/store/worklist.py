"""The worklist: which cases a viewer may know of, by what is due next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, false, func, or_, select, true

from gateway.domain.moves import WAITS_FOR, Role
from gateway.errors import NotFound
from gateway.store.accounts import AccountRole
from gateway.store.deadlines import DeadlineRow, of_cases
from gateway.store.outbox_paper import for_paper
from gateway.store.tables import cases, deadlines, holds, outbox

PAGE_ROWS = 50
SOON = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks: what decides which rows exist for them."""

    account: str
    role: AccountRole
    authority: str | None  # None: the whole installation

    @property
    def sees_cases(self) -> bool:
        return self.role is not AccountRole.OPERATIONS

    @property
    def sees_persons(self) -> bool:
        return self.role in {AccountRole.OFFICER, AccountRole.LIAISON}

    @property
    def sees_queues(self) -> bool:
        return self.role in {AccountRole.OPERATIONS, AccountRole.AUDITOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One case in the worklist."""

    id: int
    home: str
    counterparty: str
    reference: str
    national_reference: str | None
    role: str
    state: str
    procedure: str
    ground: str
    opened_at: datetime
    hold_reason: str | None
    due: DeadlineRow | None  # the open deadline that presses most
    for_paper: datetime | None  # a message of ours must go on paper: the end of its deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """One page of the worklist."""

    lines: tuple[CaseLine, ...]
    counts: Mapping[str, int]  # of each filter: todo, waiting, all
    page: int  # from 1
    pages: int


def mine(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that keeps cases to those the viewer may know of."""
    if not viewer.sees_cases:
        return false()
    return true() if viewer.authority is None else cases.c.home == viewer.authority


def _open(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(deadlines.c.case_id == cases.c.id, deadlines.c.state == "open", *more)


_HELD = exists().where(holds.c.case_id == cases.c.id, holds.c.ended_at.is_(None))


def _waits_for(role: Role) -> ColumnElement[bool]:
    """Return the condition that a case waits for one side; who stopped the clock must set it going."""
    states = [state.value for state, side in WAITS_FOR.items() if side is role]
    both = [state.value for state, side in WAITS_FOR.items() if side is not None]
    stopped = and_(cases.c.suspended, cases.c.state.in_(both))
    return or_(and_(~cases.c.suspended, cases.c.state.in_(states)), stopped if role is Role.REQUESTING else false())


# Set aside since it cannot be delivered in time: an officer must send it on paper.
_FOR_PAPER = cases.c.id.in_(
    select(outbox.c.case_id).where(
        outbox.c.paper_at.is_not(None), outbox.c.parked_at.is_not(None), outbox.c.case_id.is_not(None)
    )
)
_OURS = or_(
    _HELD,
    _FOR_PAPER,
    _open(deadlines.c.must_act == cases.c.role),
    *(and_(cases.c.role == role.value, _waits_for(role)) for role in Role),
)
FILTERS: Mapping[str, ColumnElement[bool]] = {
    "todo": _OURS,
    "waiting": and_(~_OURS, or_(*(and_(cases.c.role == role.value, _waits_for(role.other)) for role in Role))),
    "all": true(),
}


def worklist_page(connection: Connection, viewer: Viewer, *, now: datetime, show: str = "todo", page: int = 1) -> Worklist:
    """Return one page of the viewer's cases by what is due next.

    First what must go on paper, and what is overdue or ends within `SOON`, then what is not known and must be asked for, then
    the rest by date, then what no limit runs for. An unknown date is not sorted as if it were one.
    """
    counts = {
        name: connection.execute(select(func.count()).select_from(cases).where(mine(viewer), condition)).scalar_one()
        for name, condition in FILTERS.items()
    }
    pages = max(1, -(-counts[show] // PAGE_ROWS))
    page = min(max(1, page), pages)
    due = (
        select(
            deadlines.c.case_id,
            func.min(deadlines.c.due_until).label("until"),
            func.min(case((deadlines.c.known, 1), else_=0)).label("known"),
        )
        .where(deadlines.c.state == "open")
        .group_by(deadlines.c.case_id)
        .subquery()
    )
    found = (
        select(cases)
        .outerjoin(due, due.c.case_id == cases.c.id)
        .where(mine(viewer), FILTERS[show])
        .order_by(
            case((_FOR_PAPER, 0), (due.c.until <= now + SOON, 0), (due.c.known == 0, 1), (due.c.known == 1, 2), else_=3),
            due.c.until,
            cases.c.id.desc(),
        )
        .limit(PAGE_ROWS)
        .offset((page - 1) * PAGE_ROWS)
    )
    return Worklist(lines=_lines(connection, found, now), counts=counts, page=page, pages=pages)


def _lines(connection: Connection, found: Select[Any], now: datetime) -> tuple[CaseLine, ...]:
    rows = connection.execute(found).all()
    ids = [row.id for row in rows]
    next_due: dict[int, DeadlineRow] = {}
    for deadline in of_cases(connection, ids):
        known = next_due.get(deadline.case_id)
        if deadline.state == "open" and (known is None or _urgency(deadline, now) < _urgency(known, now)):
            next_due[deadline.case_id] = deadline
    held = connection.execute(
        select(holds.c.case_id, holds.c.reason).where(holds.c.case_id.in_(ids), holds.c.ended_at.is_(None))
    )
    reasons = {row.case_id: row.reason for row in held}
    aside = for_paper(connection, ids)
    return tuple(_line(row, reasons.get(row.id), next_due.get(row.id), aside.get(row.id)) for row in rows)


def _urgency(deadline: DeadlineRow, now: datetime) -> tuple[int, datetime]:
    if deadline.due_until is None:
        return 1, now
    return 0 if deadline.due_until <= now + SOON else 2, deadline.due_until


def _line(row: Row[Any], hold_reason: str | None, due: DeadlineRow | None, for_paper: datetime | None) -> CaseLine:
    return CaseLine(
        id=row.id,
        home=row.home,
        counterparty=row.counterparty,
        reference=row.reference,
        national_reference=row.national_reference,
        role=row.role,
        state=row.state,
        procedure=row.procedure,
        ground=row.ground,
        opened_at=row.opened_at,
        hold_reason=hold_reason,
        due=due,
        for_paper=for_paper,
    )


def case_line(connection: Connection, viewer: Viewer, case_id: int, *, now: datetime) -> CaseLine:
    """Return the head of one case. Raises `NotFound`, for another authority's case as for one that never was."""
    lines = _lines(connection, select(cases).where(cases.c.id == case_id, mine(viewer)), now)
    if not lines:
        raise NotFound("there is no such case")
    return lines[0]
