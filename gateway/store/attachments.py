"""Attachments and their parts. Bytes are read and written part by part: a file is never in memory as a whole.

A file is *handed in* by a home authority or *received* part by part; it is `whole` once its digest was checked, and *claimed*
once a message that names it is kept. What nobody claims is swept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, or_, select, update

from gateway.store.attachment_tables import attachment_parts, attachments
from gateway.store.portions import among
from gateway.store.tables import early

PARTIAL, WHOLE, WRONG = "partial", "whole", "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRow:
    """What is known of one file."""

    id: int
    authority: str
    sender: str | None
    message_id: str | None
    state: str  # partial | whole | wrong
    code: str | None
    sha256: str | None
    size: int
    parts: int
    of: int | None
    media_type: str | None
    holding: bytes | None
    key: bytes
    case_id: int | None
    message_row: int | None
    kind: str | None
    number: int | None
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who claims a file: a case, and the message in it unless that is held."""

    id: int
    key: bytes  # of the file, encrypted under the key of the case
    kind: str
    number: int
    message_row: int | None


_WAITS_FOR_IT = exists().where(early.c.message_id == attachments.c.message_id, early.c.sender == attachments.c.sender)


def _rows(tx: Connection, condition: ColumnElement[bool]) -> list[AttachmentRow]:
    found = tx.execute(select(attachments).where(condition).order_by(attachments.c.id)).mappings()
    return [AttachmentRow(**row) for row in found]


def begin(
    tx: Connection,
    *,
    authority: str,
    holding: bytes,
    key: bytes,
    at: datetime,
    sender: str | None = None,
    message_id: str | None = None,
    sha256: str | None = None,
    of: int | None = None,
) -> int:
    """Begin a file without bytes; return its row. Raises `StoreConflict` when another process began to receive it."""
    values = {
        "authority": authority,
        "sender": sender,
        "message_id": message_id,
        "state": PARTIAL,
        "sha256": sha256,
        "size": 0,
        "parts": 0,
        "of": of,
        "holding": holding,
        "key": key,
        "changed_at": at,
    }
    row: int = tx.execute(insert(attachments).values(values).returning(attachments.c.id)).scalar_one()
    return row


def add_part(tx: Connection, row_id: int, number: int, body: bytes, *, size: int, at: datetime) -> None:
    """Add a part that is not there yet; `size` is that of its clear bytes."""
    tx.execute(insert(attachment_parts).values(attachment_id=row_id, number=number, body=body))
    tx.execute(
        update(attachments)
        .where(attachments.c.id == row_id)
        .values(parts=attachments.c.parts + 1, size=attachments.c.size + size, changed_at=at)
    )


def has_part(tx: Connection, row_id: int, number: int) -> bool:
    """Whether a part is there."""
    found = select(attachment_parts.c.number).where(
        attachment_parts.c.attachment_id == row_id, attachment_parts.c.number == number
    )
    return tx.execute(found).first() is not None


def part(tx: Connection, row_id: int, number: int) -> bytes | None:
    """Return one part as it is stored, None if it is not there."""
    found = select(attachment_parts.c.body).where(
        attachment_parts.c.attachment_id == row_id, attachment_parts.c.number == number
    )
    body: bytes | None = tx.execute(found).scalar_one_or_none()
    return body


def settle(
    tx: Connection,
    row_id: int,
    *,
    sha256: str,
    of: int,
    media_type: str | None,
    code: str | None,
    at: datetime,
) -> None:
    """Note what a file is whose parts are all there: whole, or wrong for the reason `code`."""
    values = {
        "state": WHOLE if code is None else WRONG,
        "sha256": sha256,
        "of": of,
        "media_type": media_type,
        "code": code,
        "changed_at": at,
    }
    tx.execute(update(attachments).where(attachments.c.id == row_id, attachments.c.state == PARTIAL).values(values))


def get(tx: Connection, row_id: int, *, lock: bool = False) -> AttachmentRow | None:
    """Return one file; with `lock` nobody else changes it before the transaction ends."""
    found = select(attachments).where(attachments.c.id == row_id)
    row = tx.execute(found.with_for_update() if lock else found).mappings().one_or_none()
    return None if row is None else AttachmentRow(**row)


def handed_in(tx: Connection, authority: str, digests: Collection[str]) -> dict[str, AttachmentRow]:
    """Return the whole files among `digests` that an authority handed in and no message has claimed, by digest."""
    condition = and_(
        attachments.c.case_id.is_(None),
        attachments.c.authority == authority,
        among(tx, attachments.c.sha256, list(digests)),
        attachments.c.sender.is_(None),
        attachments.c.state == WHOLE,
    )
    return {row.sha256: row for row in reversed(_rows(tx, condition)) if row.sha256}


def arriving(tx: Connection, *, home: str, sender: str, message_id: str, sha256: str) -> AttachmentRow | None:
    """Return the file that a part belongs to, locked until the transaction ends; None before its first part."""
    found = select(attachments).where(
        attachments.c.message_id == message_id,
        attachments.c.sender == sender,
        attachments.c.authority == home,
        attachments.c.sha256 == sha256,
    )
    row = tx.execute(found.with_for_update()).mappings().one_or_none()
    return None if row is None else AttachmentRow(**row)


def arrived(tx: Connection, homes: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], dict[str, AttachmentRow]]:
    """Return what came of the attachments of messages, by message and digest.

    `homes` names for each message, (sender, message id), the authority that it was sent to: parts for another are not its own.
    """
    found: dict[tuple[str, str], dict[str, AttachmentRow]] = {}
    for row in _rows(tx, among(tx, attachments.c.message_id, sorted({message_id for _, message_id in homes}))):
        name = row.sender or "", row.message_id or ""
        if row.sha256 and homes.get(name) == row.authority:
            found.setdefault(name, {})[row.sha256] = row
    return found


def unclaimed_bytes(tx: Connection, authority: str, sender: str | None) -> int:
    """Return how many bytes lie here unclaimed: handed in by an authority, or sent to it by `sender`."""
    whose = attachments.c.sender.is_(None) if sender is None else attachments.c.sender == sender
    found = select(func.coalesce(func.sum(attachments.c.size), 0)).where(
        attachments.c.case_id.is_(None), attachments.c.authority == authority, whose
    )
    return int(tx.execute(found).scalar_one())


def claim(tx: Connection, case_id: int, claims: Sequence[Claim], at: datetime) -> bool:
    """Give files to a case; from now on only its key opens them. False when one was claimed or swept meanwhile."""
    for one in claims:
        values = {
            "case_id": case_id,
            "message_row": one.message_row,
            "key": one.key,
            "holding": None,
            "kind": one.kind,
            "number": one.number,
            "changed_at": at,
        }
        free = and_(attachments.c.id == one.id, attachments.c.case_id.is_(None), attachments.c.state == WHOLE)
        if tx.execute(update(attachments).where(free).values(values)).rowcount != 1:
            return False
    return True


def leave(tx: Connection, case_id: int, message_row: int) -> list[AttachmentRow]:
    """Give the files of a held message to the message that leaves at last; return them."""
    waiting = and_(attachments.c.case_id == case_id, attachments.c.message_row.is_(None))
    tx.execute(update(attachments).where(waiting).values(message_row=message_row))
    return of_message(tx, message_row)


def of_message(tx: Connection, message_row: int) -> list[AttachmentRow]:
    """Return the attachments of a message, in the order in which they were handed in or came."""
    return _rows(tx, attachments.c.message_row == message_row)


def of_case(tx: Connection, case_id: int) -> list[AttachmentRow]:
    """Return the attachments of a case, those of a held message too, oldest first."""
    return _rows(tx, attachments.c.case_id == case_id)


def forget(tx: Connection, messages: Sequence[tuple[str, str, str]]) -> None:
    """Drop what came of the attachments of messages that were refused: (authority they were sent to, sender, message id)."""
    if messages:
        columns = attachments.c.authority, attachments.c.sender, attachments.c.message_id
        theirs = or_(*(and_(*(column == value for column, value in zip(columns, one, strict=True))) for one in messages))
        _drop(tx, and_(attachments.c.case_id.is_(None), theirs))


def touch(tx: Connection, row_id: int, at: datetime) -> None:
    """Note that a file was handed in once more: its day begins anew."""
    tx.execute(update(attachments).where(attachments.c.id == row_id).values(changed_at=at))


def drop(tx: Connection, row_id: int) -> None:
    """Drop one file that nobody claimed."""
    _drop(tx, and_(attachments.c.id == row_id, attachments.c.case_id.is_(None)))


def sweep(tx: Connection, *, before: datetime) -> int:
    """Drop files that no message claimed and that have not grown since `before`, but for those a message waits for."""
    return _drop(tx, and_(attachments.c.case_id.is_(None), attachments.c.changed_at < before, ~_WAITS_FOR_IT))[0]


def erase(tx: Connection, case_id: int, *, home: str, reference: str) -> dict[str, int]:
    """Remove the files of a case, and what came of those of its messages that wait; return how many rows, by table.

    A file lies under a holding key until its message is taken, and the key of the case says nothing of that one.
    """
    awaited = exists().where(
        early.c.home == home,
        early.c.reference == reference,
        early.c.message_id == attachments.c.message_id,
        early.c.sender == attachments.c.sender,
        attachments.c.authority == home,
        attachments.c.case_id.is_(None),
    )
    files, parts = _drop(tx, or_(attachments.c.case_id == case_id, awaited))
    return {"attachments": files, "attachment_parts": parts}


def _drop(tx: Connection, condition: ColumnElement[bool]) -> tuple[int, int]:
    """Remove files; return how many rows: of files, of parts."""
    ids = list(tx.execute(select(attachments.c.id).where(condition).with_for_update()).scalars())
    if not ids:
        return 0, 0
    parts = tx.execute(delete(attachment_parts).where(among(tx, attachment_parts.c.attachment_id, ids))).rowcount
    tx.execute(delete(attachments).where(among(tx, attachments.c.id, ids)))
    return len(ids), parts


def by_digest(tx: Connection, case_id: int) -> Mapping[str, AttachmentRow]:
    """Return the attachments of a case by digest; of one that came twice, the first."""
    return {row.sha256: row for row in reversed(of_case(tx, case_id)) if row.sha256}
