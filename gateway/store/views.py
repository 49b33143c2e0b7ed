"""What the pages read. Every function takes a `Viewer` and returns nothing of another authority.

Officers, liaison officers and auditors of an authority see its cases; operations see queues and no case; an auditor
without an authority sees the cases of the whole installation, never the person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select

from gateway.errors import NotFound
from gateway.store.accounts import AccountRole
from gateway.store.attachment_tables import attachments
from gateway.store.deadlines import DeadlineRow, of_cases
from gateway.store.tables import cases, documents, journal, messages, statements
from gateway.store.worklist import CaseLine, Viewer, case_line, mine

READ_EVENTS = (
    "case.read",
    "message.read",
    "document.read",
    "attachment.read",
    "statement.read",
    "form.printed",
)  # shown to auditors only: they fill a timeline


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
class AttachmentLine:
    """One attachment of a case, without its bytes."""

    sha256: str
    kind: str
    media_type: str
    size: int
    direction: str  # in | out
    message_type: str | None  # None while its message is held


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
    attachments: tuple[AttachmentLine, ...]  # oldest first
    timeline: tuple[EventLine, ...]  # newest first
    statement: StatementLine | None


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
        attachments=_attachments(connection, line),
        timeline=_timeline(connection, viewer, line),
        statement=statement_line(connection, viewer, case_id),
    )


def statement_line(connection: Connection, viewer: Viewer, case_id: int) -> StatementLine | None:
    """Return who made and released the statement of a case, None if there is none or the case is not the viewer's."""
    found = (
        select(statements).join(cases, cases.c.id == statements.c.case_id).where(statements.c.case_id == case_id, mine(viewer))
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


def _attachments(connection: Connection, line: CaseLine) -> tuple[AttachmentLine, ...]:
    found = (
        select(attachments, messages.c.type.label("message_type"))
        .join(messages, messages.c.id == attachments.c.message_row, isouter=True)
        .where(attachments.c.case_id == line.id)
        .order_by(attachments.c.id)
    )
    return tuple(
        AttachmentLine(
            sha256=row.sha256,
            kind=row.kind,
            media_type=row.media_type,
            size=row.size,
            direction="in" if row.sender else "out",
            message_type=row.message_type,
        )
        for row in connection.execute(found)
    )


def attachment_line(connection: Connection, viewer: Viewer, case_id: int, sha256: str, *, now: datetime) -> AttachmentLine:
    """Return what an attachment is. Raises `NotFound`, for another authority's as for one that never was."""
    line = case_line(connection, viewer, case_id, now=now)
    found = next((one for one in _attachments(connection, line) if one.sha256 == sha256), None)
    if found is None:
        raise NotFound("there is no such attachment")
    return found


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
