"""What a home authority finds in its inbox, in its own dialect; every reading is journalled."""

from gateway.domain.case import Case
from gateway.errors import NotFound
from gateway.flow.papers import clear
from gateway.flow.ports import Runtime
from gateway.store import cases, inbox, journal, messages
from gateway.store.database import reading, transaction
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
    _note(rt, "message.read", actor, row)
    return row, media_type, body


def acknowledge(authority: str, inbox_id: int, *, actor: str, rt: Runtime) -> None:
    """Note that the authority has the message; a second time changes nothing. Raises `NotFound`."""
    with transaction(rt.engine) as tx:
        if not inbox.acknowledge(tx, authority, inbox_id, by=actor, at=rt.clock()):
            raise NotFound("there is no such message in this inbox")
        entry = journal.Entry(
            at=rt.clock(), event="message.fetched", actor=actor, authority=authority, detail={"inbox": inbox_id}
        )
        journal.append(tx, [entry])


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
        journal.append(
            tx,
            [
                journal.Entry(
                    at=rt.clock(),
                    event="document.read",
                    actor=actor,
                    authority=owner,
                    case_id=message.case_id,
                    message_id=message.message_id,
                    digest=document.sha256,
                    detail={"kind": document.kind, "purpose": purpose},
                )
            ],
        )
    return document.media_type, body


def _note(rt: Runtime, event: str, actor: str, row: InboxRow) -> None:
    with transaction(rt.engine) as tx:
        journal.append(
            tx,
            [
                journal.Entry(
                    at=rt.clock(),
                    event=event,
                    actor=actor,
                    authority=row.authority,
                    case_id=row.case_id,
                    message_id=row.message_id,
                )
            ],
        )
