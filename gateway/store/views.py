"""What the pages read. Every function takes a `Viewer` and returns nothing of another authority.

Officers, liaison officers and auditors of an authority see its cases; operations see queues and no case; an auditor
without an authority sees the cases of the whole installation, never the person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, false, func, or_, select, true

from gateway.domain.moves import WAITS_FOR, Role
from gateway.errors import NotFound
from gateway.store.accounts import AccountRole
from gateway.store.deadlines import DeadlineRow, of_cases
from gateway.store.tables import cases, deadlines, documents, holds, journal, messages, statements

PAGE_ROWS = 50
SOON = timedelta(days=3)
READ_EVENTS = ("case.read", "message.read", "document.read", "statement.read")  # shown to auditors only: they fill a timeline


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """One page of the worklist."""

    lines: tuple[CaseLine, ...]
    counts: Mapping[str, int]  # of each filter: todo, waiting, all
    page: int  # from 1
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """One message of a case, and what was kept of it."""

    id: int
    direction: str
    sender: str
    recipient: str
    message_id: str
    type: str
    digest: str
    outcome: str
    code: str | None
    created_at: datetime
    sent_at: datetime | None
    received_at: datetime | None
    receipt_message_id: str | None
    receipt_documents: tuple["DocumentLine", ...]
    documents: tuple["DocumentLine", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One stored document, without its bytes."""

    id: int
    kind: str
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One entry of a case's timeline."""

    at: datetime
    event: str
    actor: str
    authority: str | None
    message_id: str | None
    detail: Mapping[str, Any]  # codes and counts


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """Whether there is a due diligence statement, and who stands behind it. The answers stay encrypted."""

    complete: bool
    made_by: str
    made_at: datetime
    released_by: str | None
    released_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case as its side sees it."""

    line: CaseLine
    treaty: str
    treaty_version: str
    category: str
    erased: bool  # its key is destroyed: no document of it can be read again
    suspended: bool  # the requesting side stopped the clock
    linked: tuple[str, ...]  # references of the cases of the same family
    deadlines: tuple[DeadlineRow, ...]
    messages: tuple[MessageLine, ...]  # newest first
    timeline: tuple[EventLine, ...]  # newest first
    statement: StatementLine | None


def _mine(viewer: Viewer) -> ColumnElement[bool]:
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


_OURS = or_(
    _HELD,
    _open(deadlines.c.must_act == cases.c.role),
    *(and_(cases.c.role == role.value, _waits_for(role)) for role in Role),
)
FILTERS: Mapping[str, ColumnElement[bool]] = {
    "todo": _OURS,
    "waiting": and_(~_OURS, or_(*(and_(cases.c.role == role.value, _waits_for(role.other)) for role in Role))),
    "all": true(),
}


def worklist(connection: Connection, viewer: Viewer, *, now: datetime, show: str = "todo", page: int = 1) -> Worklist:
    """Return one page of the viewer's cases by what is due next.

    First what is overdue or ends within `SOON`, then what is not known and must be asked for, then the rest by date,
    then what no limit runs for. An unknown date is not sorted as if it were one.
    """
    counts = {
        name: connection.execute(select(func.count()).select_from(cases).where(_mine(viewer), condition)).scalar_one()
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
        .where(_mine(viewer), FILTERS[show])
        .order_by(
            case((due.c.until <= now + SOON, 0), (due.c.known == 0, 1), (due.c.known == 1, 2), else_=3),
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
    return tuple(_line(row, reasons.get(row.id), next_due.get(row.id)) for row in rows)


def _urgency(deadline: DeadlineRow, now: datetime) -> tuple[int, datetime]:
    if deadline.due_until is None:
        return 1, now
    return 0 if deadline.due_until <= now + SOON else 2, deadline.due_until


def _line(row: Row[Any], hold_reason: str | None, due: DeadlineRow | None) -> CaseLine:
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
    )


def case_line(connection: Connection, viewer: Viewer, case_id: int, *, now: datetime) -> CaseLine:
    """Return the head of one case. Raises `NotFound`, for another authority's case as for one that never was."""
    lines = _lines(connection, select(cases).where(cases.c.id == case_id, _mine(viewer)), now)
    if not lines:
        raise NotFound("there is no such case")
    return lines[0]


def case_view(connection: Connection, viewer: Viewer, case_id: int, *, now: datetime) -> CaseView:
    """Return all that the case page shows, the person excepted. Raises `NotFound`."""
    line = case_line(connection, viewer, case_id, now=now)
    row = connection.execute(select(cases).where(cases.c.id == case_id)).one()
    return CaseView(
        line=line,
        treaty=row.treaty,
        treaty_version=row.treaty_version,
        category=row.category,
        erased=row.wrapped_key is None,
        suspended=row.suspended,
        linked=tuple((row.linked or "").split()),
        deadlines=tuple(of_cases(connection, [case_id])),
        messages=_messages(connection, line),
        timeline=_timeline(connection, viewer, line),
        statement=statement_line(connection, viewer, case_id),
    )


def statement_line(connection: Connection, viewer: Viewer, case_id: int) -> StatementLine | None:
    """Return who made and released the statement of a case, None if there is none or the case is not the viewer's."""
    found = (
        select(statements).join(cases, cases.c.id == statements.c.case_id).where(statements.c.case_id == case_id, _mine(viewer))
    )
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    return StatementLine(
        complete=row.complete,
        made_by=row.made_by,
        made_at=row.made_at,
        released_by=row.released_by,
        released_at=row.released_at,
    )


def _messages(connection: Connection, line: CaseLine) -> tuple[MessageLine, ...]:
    rows = connection.execute(select(messages).where(messages.c.case_id == line.id).order_by(messages.c.id.desc())).all()
    kept = _documents(connection, messages.c.id.in_([row.id for row in rows]))
    receipts = [row.receipt_message_id for row in rows if row.receipt_message_id]
    # A receipt may cover messages of several cases, so it hangs on the authority, not on the case.
    to_home = or_(
        and_(messages.c.direction == "in", messages.c.recipient == line.home),
        and_(messages.c.direction == "out", messages.c.sender == line.home),
    )
    of_receipts = _documents(connection, and_(messages.c.message_id.in_(receipts), to_home))
    return tuple(
        MessageLine(
            id=row.id,
            direction=row.direction,
            sender=row.sender,
            recipient=row.recipient,
            message_id=row.message_id,
            type=row.type,
            digest=row.digest,
            outcome=row.outcome,
            code=row.code,
            created_at=row.created_at,
            sent_at=row.sent_at,
            received_at=row.received_at,
            receipt_message_id=row.receipt_message_id,
            receipt_documents=of_receipts.get(row.receipt_message_id, ()),
            documents=kept.get(row.message_id, ()),
        )
        for row in rows
    )


def _documents(connection: Connection, condition: ColumnElement[bool]) -> dict[str, tuple[DocumentLine, ...]]:
    """Return the documents of the messages that meet `condition`, by message id."""
    columns = (messages.c.message_id, documents.c.id, documents.c.kind, documents.c.media_type, documents.c.sha256)
    found = select(*columns).join(messages, messages.c.id == documents.c.message_row).where(condition).order_by(documents.c.id)
    grouped: dict[str, tuple[DocumentLine, ...]] = {}
    for row in connection.execute(found):
        document = DocumentLine(id=row.id, kind=row.kind, media_type=row.media_type, sha256=row.sha256)
        grouped[row.message_id] = (*grouped.get(row.message_id, ()), document)
    return grouped


def _timeline(connection: Connection, viewer: Viewer, line: CaseLine) -> tuple[EventLine, ...]:
    found = select(journal).where(
        journal.c.case_id == line.id, or_(journal.c.authority.is_(None), journal.c.authority == line.home)
    )
    if viewer.role is not AccountRole.AUDITOR:
        found = found.where(journal.c.event.not_in(READ_EVENTS))
    return tuple(
        EventLine(
            at=row.at,
            event=row.event,
            actor=row.actor,
            authority=row.authority,
            message_id=row.message_id,
            detail=json.loads(row.detail),
        )
        for row in connection.execute(found.order_by(journal.c.id.desc()))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentHead:
    """What a document is, before it is read."""

    id: int
    kind: str
    media_type: str
    case_id: int | None
    authority: str  # the home authority it belongs to
    message_type: str
    message_id: str


def document_head(connection: Connection, viewer: Viewer, document_id: int) -> DocumentHead:
    """Return what a document is. Raises `NotFound`, for another authority's as for one that never was."""
    owner = case((messages.c.direction == "in", messages.c.recipient), else_=messages.c.sender)
    found = (
        select(
            documents.c.id,
            documents.c.kind,
            documents.c.media_type,
            messages.c.case_id,
            messages.c.type,
            messages.c.message_id,
            owner.label("owner"),
        )
        .join(messages, messages.c.id == documents.c.message_row)
        .where(documents.c.id == document_id)
    )
    if viewer.authority is not None:
        found = found.where(owner == viewer.authority)
    row = connection.execute(found).one_or_none() if viewer.sees_cases else None
    if row is None:
        raise NotFound("there is no such document")
    return DocumentHead(
        id=row.id,
        kind=row.kind,
        media_type=row.media_type,
        case_id=row.case_id,
        authority=row.owner,
        message_type=row.type,
        message_id=row.message_id,
    )
