"""The worklist: which cases a viewer may know of, by what is due next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    case,
    column,
    exists,
    false,
    func,
    or_,
    select,
    true,
    union_all,
    values,
)

from gateway.domain.moves import WAITS_FOR, Role
from gateway.errors import NotFound
from gateway.store.accounts import AccountRole
from gateway.store.columns import Instant
from gateway.store.deadlines import DeadlineRow, of_cases
from gateway.store.outbox_paper import for_paper
from gateway.store.parked_tables import dropped
from gateway.store.prepared import POSTGRES, Prepared, among
from gateway.store.tables import cases, deadlines, holds, messages, outbox

PAGE_ROWS = 50
MOST = 500  # cases of one authority that are counted for a filter; what is beyond is said, not counted
MOST_PAGES = 200  # the list is worked off from its top, not leafed through
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
    more: frozenset[str]  # filters that keep more than was counted
    page: int  # from 1
    pages: int


def mine(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that keeps cases to those the viewer may know of."""
    if not viewer.sees_cases:
        return false()
    return true() if viewer.authority is None else cases.c.home == viewer.authority


_ITS = deadlines.alias("its")  # the deadlines of one case, whichever table the statement goes through
# Without statistics SQLite would rather read all open deadlines than the one case's: an expression has no index.
_OPEN_FOR_US = exists().where(_ITS.c.case_id == cases.c.id, _ITS.c.state.concat("") == "open", _ITS.c.ours)


_HELD = exists().where(holds.c.case_id == cases.c.id, holds.c.ended_at.is_(None))


def _waits_for(role: Role) -> ColumnElement[bool]:
    """Return the condition that a case waits for one side; who stopped the clock must set it going."""
    its = or_(*(cases.c.state == state.value for state, side in WAITS_FOR.items() if side is role))  # no list: see `Prepared`
    both = or_(*(cases.c.state == state.value for state, side in WAITS_FOR.items() if side is not None))
    return or_(and_(~cases.c.suspended, its), and_(cases.c.suspended, both) if role is Role.REQUESTING else false())


_later = messages.alias("later")


def _given_up(*more: ColumnElement[bool]) -> Select[Any]:
    """Return the cases in which a message was given up, and nothing was sent since: its officer must act another way.

    `more` is said of that message. It is no join: SQLite would begin with all messages, of which few were given up.
    """
    ours = exists().where(messages.c.id == dropped.c.message_row, messages.c.outcome == "dropped", *more)
    since = exists().where(
        _later.c.case_id == dropped.c.case_id,
        _later.c.direction == "out",
        _later.c.id > dropped.c.message_row,
        _later.c.outcome != "dropped",
    )
    return select(dropped.c.case_id.label("id")).where(dropped.c.case_id.is_not(None), ours, ~since)


_GIVEN_UP = cases.c.id.in_(_given_up())

# Set aside since it cannot be delivered in time: an officer must send it on paper.
_GOES_ON_PAPER = and_(outbox.c.paper_at.is_not(None), outbox.c.parked_at.is_not(None), outbox.c.case_id.is_not(None))
_FOR_PAPER = cases.c.id.in_(select(outbox.c.case_id).where(_GOES_ON_PAPER))
_OURS_ANYHOW = or_(_HELD, _GIVEN_UP, _FOR_PAPER, _OPEN_FOR_US)  # whichever side the case waits for
_OURS = or_(_OURS_ANYHOW, *(and_(cases.c.role == role.value, _waits_for(role)) for role in Role))
FILTERS: Mapping[str, ColumnElement[bool]] = {
    "todo": _OURS,
    "waiting": and_(~_OURS, or_(*(and_(cases.c.role == role.value, _waits_for(role.other)) for role in Role))),
    "all": true(),
}


def _standings(role: Role, waits_for: Role) -> Iterator[tuple[str, bool, str]]:
    """Yield role, suspended and state of the cases on side `role` that wait for one side: each is a stretch of one index."""
    for state, side in WAITS_FOR.items():
        for suspended in (False, True):
            if side is not None and (Role.REQUESTING if suspended else side) is waits_for:
                yield role.value, suspended, state.value


def worklist_page(connection: Connection, viewer: Viewer, *, now: datetime, show: str = "todo", page: int = 1) -> Worklist:
    """Return one page of the viewer's cases by what is due next.

    First what must go on paper, and what is overdue or ends within `SOON`, then what is not known and must be asked for, then
    the rest by date, then what no limit runs for. An unknown date is not sorted as if it were one. However many cases there
    are, no more are read than the page needs: of an authority's cases at most `MOST` are counted, or as many as lead up to
    the page.
    """
    page = min(max(1, page), MOST_PAGES)
    homes = _homes(connection, viewer)
    counts, more, shown = {}, set(), []
    for name in FILTERS:
        most = max(MOST, (page + 1) * PAGE_ROWS) if name == show else MOST
        found = [candidates(connection, home, name, most + 1) for home in homes]
        counts[name] = sum(min(len(ids), most) for ids in found)
        if any(len(ids) > most for ids in found):
            more.add(name)
        if name == show:
            shown = [case_id for ids in found for case_id in ids]
    pages = max(1, -(-counts[show] // PAGE_ROWS))
    page = min(page, pages)
    rows = _BY_DUE.rows(connection, ids=shown, soon=now + SOON, most=PAGE_ROWS, skipped=(page - 1) * PAGE_ROWS)
    lines = _lines(connection, rows, now)
    return Worklist(lines=lines, counts=counts, more=frozenset(more), page=page, pages=pages)


def _homes(connection: Connection, viewer: Viewer) -> list[str]:
    """Return the home authorities whose cases the viewer may know of: a look into the index for each."""
    if not viewer.sees_cases:
        return []
    if viewer.authority is not None:
        return [viewer.authority]
    found: list[str] = []
    last = ""
    while (home := connection.execute(select(func.min(cases.c.home)).where(cases.c.home > last)).scalar_one()) is not None:
        found.append(home)
        last = home
    return found


def candidates(connection: Connection, home: str, show: str, most: int) -> list[int]:
    """Return the cases of an authority that a filter keeps: all of them, or at least `most`, what presses most among them.

    Each question is answered by a stretch of an index and ends after `most` rows: paper, by date, what is not known,
    what is held, and the newest of each state. Where those by date are enough, states are not asked for.
    """
    given = {"home": home, "most": most}
    pressing, standing = _questions(show)
    found = dict.fromkeys(row.id for row in pressing.rows(connection, **given))
    if len(found) < most:
        found |= dict.fromkeys(row.id for row in standing.rows(connection, **given))
    return list(found)


_Ids: TypeAlias = Select[Any] | CompoundSelect[Any]


@cache
def _questions(show: str) -> tuple[Prepared, Prepared]:
    """Return the statement for what presses, and the one for what stands somewhere, each of several stretches."""
    home, most = bindparam("home", type_=String), bindparam("most", type_=Integer)
    parts = []
    for ours in {"todo": (True,), "waiting": (False,), "all": (True, False)}[show]:
        opened = select(deadlines.c.case_id.label("id")).where(
            deadlines.c.home == home, deadlines.c.ours == ours, deadlines.c.state == "open"
        )
        if show == "waiting":
            opened = opened.join(cases, cases.c.id == deadlines.c.case_id).where(FILTERS[show])
        parts.append(opened.where(deadlines.c.due_until.is_not(None)).order_by(deadlines.c.due_until, deadlines.c.case_id))
        parts.append(opened.where(deadlines.c.due_until.is_(None)).order_by(deadlines.c.case_id))
    if show == "todo":
        held = select(holds.c.case_id.label("id")).join(cases, cases.c.id == holds.c.case_id).where(cases.c.home == home)
        paper = select(outbox.c.case_id.label("id")).where(outbox.c.sender == home, _GOES_ON_PAPER)
        parts = [paper, _given_up(messages.c.sender == home), *parts, held.where(holds.c.ended_at.is_(None))]
    return Prepared(lambda _: _together(parts, most)), Prepared(lambda dialect: _standing(dialect, show, home, most))


def _standing(dialect: str, show: str, home: ColumnElement[str], most: ColumnElement[int]) -> _Ids:
    """Return the statement for the newest cases of each state that belongs to a filter.

    PostgreSQL plans it once for all states: planning one stretch for each took it longer than running them.
    """
    mine = select(cases.c.id).where(cases.c.home == home).order_by(cases.c.id.desc())
    if show == "all":
        return mine.limit(most)
    if show == "waiting":
        mine = mine.where(~_OURS_ANYHOW)
    wanted = [one for role in Role for one in _standings(role, role if show == "todo" else role.other)]
    columns = (cases.c.role, cases.c.suspended, cases.c.state)
    if dialect == POSTGRES:
        each = values(*(column(one.name, one.type) for one in columns), name="standing").data(wanted)
        stretch = mine.where(*(one == each.c[one.name] for one in columns)).limit(most).lateral()
        return select(stretch.c.id).select_from(each.join(stretch, true()))
    return _together(
        [mine.where(*(one == value for one, value in zip(columns, standing, strict=True))) for standing in wanted], most
    )


def _together(parts: Sequence[Select[Any]], most: ColumnElement[int]) -> _Ids:
    """Return one statement for several stretches, each in its own order and cut after `most` rows."""
    return union_all(*(select(part.limit(most).subquery().c.id) for part in parts))


def _by_due(dialect: str) -> Select[Any]:
    """Return the statement for one page of these cases, in the order of the worklist."""
    due = (
        select(
            deadlines.c.case_id,
            func.min(deadlines.c.due_until).label("until"),
            func.min(case((deadlines.c.known, 1), else_=0)).label("known"),
        )
        .where(deadlines.c.state.concat("") == "open", among(dialect, deadlines.c.case_id, "ids"))  # by case: as above
        .group_by(deadlines.c.case_id)
        .subquery()
    )
    return (
        select(cases)
        .outerjoin(due, due.c.case_id == cases.c.id)
        .where(among(dialect, cases.c.id, "ids"))
        .order_by(
            case(
                (_FOR_PAPER, 0),
                (due.c.until <= bindparam("soon", type_=Instant), 0),
                (due.c.known == 0, 1),
                (due.c.known == 1, 2),
                else_=3,
            ),
            due.c.until,
            cases.c.id.desc(),
        )
        .limit(bindparam("most", type_=Integer))
        .offset(bindparam("skipped", type_=Integer))
    )


_BY_DUE = Prepared(_by_due)


def _lines(connection: Connection, rows: Sequence[Any], now: datetime) -> tuple[CaseLine, ...]:
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
    lines = _lines(connection, connection.execute(select(cases).where(cases.c.id == case_id, mine(viewer))).all(), now)
    if not lines:
        raise NotFound("there is no such case")
    return lines[0]
