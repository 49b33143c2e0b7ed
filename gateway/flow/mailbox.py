"""What a home authority finds in its inbox, in its own dialect; every reading is journalled."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.domain.case import Case
from gateway.errors import NotFound, NotPermitted
from gateway.flow.papers import clear
from gateway.flow.ports import Runtime
from gateway.store import cases, inbox, journal, messages
from gateway.store.database import Tx, reading, transaction
from gateway.store.inbox import InboxRow


def document_of(row: InboxRow, rt: Runtime) -> tuple[str, bytes]:
    """Return media type and bytes of one inbox row, in the authority's dialect."""
    with reading(rt.engine) as tx:
        document = messages.document(tx, row.message_row, "translated")
        if document is None:
            raise NotFound("the message has no translation")
        return document.media_type, clear(rt, cases.get(tx, row.case_id), document)


def fetch(authority: str, inbox_id: int, *, actor: str, rt: Runtime) -> tuple[InboxRow, str, bytes]:
    """Return one message of an authority's inbox. Raises `NotFound` for another authority's id as for an unknown one."""
    with reading(rt.engine) as tx:
        row = inbox.get(tx, authority, inbox_id)
    media_type, body = document_of(row, rt)
    with transaction(rt.engine) as tx:
        journal.append(tx, [_entry(rt, "message.read", actor, row, {"purpose": "delivery"})])
    return row, media_type, body


def acknowledge(authority: str, inbox_id: int, *, actor: str, rt: Runtime) -> None:
    """Note that the authority has the message; a second time changes nothing.

    Raises `NotFound`, and `NotPermitted` for an authority on paper: there only a recorded delivery counts.
    """
    if rt.partners.authority(authority).edge == "paper":
        raise NotPermitted("this authority is written to on paper: record the delivery instead")
    with transaction(rt.engine) as tx:
        row = inbox.get(tx, authority, inbox_id)
        inbox.acknowledge(tx, authority, inbox_id, by=actor, at=rt.clock())
        journal.append(
            tx, [_entry(rt, "message.fetched", actor, row, {"inbox": inbox_id, "again": row.fetched_at is not None})]
        )


def read_document(document_id: int, *, homes: frozenset[str], actor: str, purpose: str, rt: Runtime) -> tuple[str, bytes]:
    """Return media type and clear bytes of a stored document of a case of `homes`; journalled with its purpose.

    Raises `NotFound` for a document of another authority as for an unknown one.
    """
    with transaction(rt.engine) as tx:
        document = messages.document_by_id(tx, document_id)
        message = messages.get(tx, document.message_row)
        case: Case | None = cases.get(tx, message.case_id) if message.case_id is not None else None
        owner = case.home if case else (message.recipient if message.direction == "in" else message.sender)
        if owner not in homes:
            raise NotFound("there is no such document")
        body = clear(rt, case, document)
        entry = journal.Entry(
            at=rt.clock(),
            event="document.read",
            actor=actor,
            authority=owner,
            case_id=message.case_id,
            message_id=message.message_id,
            digest=document.sha256,
            detail={"kind": document.kind, "purpose": purpose},
        )
        seen = _seen_on_page(tx, case, actor=actor, rt=rt, message_row=message.id) if case else []
        journal.append(tx, [entry, *seen])
    return document.media_type, body


def note_answered_on_page(case: Case, *, actor: str, rt: Runtime) -> None:
    """Note that an authority that reads on the pages has what came in this case: somebody answered it there."""
    with transaction(rt.engine) as tx:
        journal.append(tx, _seen_on_page(tx, case, actor=actor, rt=rt))


def _seen_on_page(tx: Tx, case: Case, *, actor: str, rt: Runtime, message_row: int | None = None) -> list[journal.Entry]:
    """Acknowledge what was read or answered on a page, where that is how the authority is connected; return the entries."""
    if case.id is None or rt.partners.authority(case.home).edge != "page":
        return []
    rows = inbox.waiting_of(tx, case.home, case.id, message_row=message_row)
    for row in rows:
        inbox.acknowledge(tx, case.home, row.id, by=actor, at=rt.clock())
    return [_entry(rt, "message.fetched", actor, row, {"inbox": row.id, "again": False}) for row in rows]


def note_reading(tx: Tx, case: Case, *, actor: str, purpose: str, at: datetime) -> None:
    """Journal that somebody read what there is of a case."""
    entry = journal.Entry(
        at=at, event="case.read", actor=actor, authority=case.home, case_id=case.id, detail={"purpose": purpose}
    )
    journal.append(tx, [entry])


def _entry(rt: Runtime, event: str, actor: str, row: InboxRow, detail: Mapping[str, Any]) -> journal.Entry:
    return journal.Entry(
        at=rt.clock(),
        event=event,
        actor=actor,
        authority=row.authority,
        case_id=row.case_id,
        message_id=row.message_id,
        detail=detail,
    )
