"""Messages and their documents. A message is written once; (direction, sender, message id) is unique."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, case, func, null, or_, select, update

from gateway.domain.messages import OPENING
from gateway.errors import NotFound
from gateway.store import prepared
from gateway.store.columns import in_range
from gateway.store.portions import add_rows, among, next_ids
from gateway.store.prepared import Prepared
from gateway.store.tables import documents, messages

PORTION = 500  # keys in one statement


DELIVERED: Final = "delivered"  # outcome of a message of ours that was carried on paper, since no other way was open


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message in or out, as the store keeps it."""

    direction: str  # in | out
    sender: str
    message_id: str
    recipient: str
    case_id: int | None
    type: str
    sequence: int | None
    digest: str
    in_reply_to: str | None
    signed_at: datetime | None
    created_at: datetime
    received_at: datetime | None
    outcome: str  # in: accepted | refused; out: waiting | sent | received | refused | parked | dropped | delivered
    sent_at: datetime | None = None
    code: str | None = None
    receipt_message_id: str | None = None
    facts: dict[str, Any] | None = None  # what the clock must know of it
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """One stored document. `body` is encrypted unless the kind says that it holds no personal data."""

    message_row: int
    kind: str  # original | signed | translated | report | receipt
    media_type: str
    sha256: str  # of the clear bytes
    body: bytes
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptNote:
    """What a receipt says of one message of ours."""

    row_id: int
    outcome: str  # received | refused
    code: str | None
    received_at: datetime
    receipt_message_id: str


_FIELDS = (
    "direction",
    "sender",
    "message_id",
    "recipient",
    "case_id",
    "type",
    "sequence",
    "digest",
    "in_reply_to",
    "signed_at",
    "created_at",
    "received_at",
    "sent_at",
    "outcome",
    "code",
    "receipt_message_id",
    "facts",
)
_VALUES = attrgetter(*_FIELDS)


def _message(row: Any) -> MessageRow:
    return MessageRow(id=row.id, **{name: getattr(row, name) for name in _FIELDS})


def known(tx: Connection, direction: str, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], MessageRow]:
    """Return the messages that exist among `keys` (sender, message id). Asked in portions: a statement holds so many values."""
    found: dict[tuple[str, str], MessageRow] = {}
    for start in range(0, len(keys), PORTION):
        portion = set(keys[start : start + PORTION])
        rows = _KNOWN.rows(tx, way=direction, ids=sorted({message_id for _, message_id in portion}))
        found |= {(row.sender, row.message_id): _message(row) for row in rows if (row.sender, row.message_id) in portion}
    return found


_KNOWN = Prepared(
    lambda dialect: select(messages).where(
        messages.c.direction == bindparam("way"), prepared.among(dialect, messages.c.message_id, "ids")
    )
)


def get(tx: Connection, row_id: int) -> MessageRow:
    """Return one message. Raises `NotFound`."""
    row = tx.execute(select(messages).where(messages.c.id == row_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such message")
    return _message(row)


def by_message_id(tx: Connection, message_id: str) -> list[MessageRow]:
    """Return the messages with this id, what was sent before what was received; two home authorities have one each."""
    rows = select(messages).where(messages.c.message_id == message_id).order_by(messages.c.direction.desc(), messages.c.id)
    return [_message(row) for row in tx.execute(rows)]


def of_case(tx: Connection, case_id: int) -> list[MessageRow]:
    """Return the messages of a case, oldest first."""
    return [_message(row) for row in tx.execute(select(messages).where(messages.c.case_id == case_id).order_by(messages.c.id))]


def add(tx: Connection, rows: Sequence[MessageRow]) -> list[int]:
    """Insert messages; return their row ids in the same order."""
    if not rows:
        return []
    ids = next_ids(tx, messages, len(rows))
    add_rows(tx, messages, ("id", *_FIELDS), [(id_, *_VALUES(row)) for id_, row in zip(ids, rows, strict=True)])
    return ids


def add_documents(tx: Connection, rows: Sequence[DocumentRow]) -> None:
    """Insert documents."""
    if rows:
        names = ("message_row", "kind", "media_type", "sha256", "body")
        add_rows(tx, documents, names, list(map(attrgetter(*names), rows)))


def document(tx: Connection, message_row: int, kind: str) -> DocumentRow | None:
    """Return a document of a message, still encrypted."""
    return documents_of_kind(tx, [message_row], kind).get(message_row)


def documents_of_kind(tx: Connection, message_rows: Sequence[int], kind: str) -> dict[int, DocumentRow]:
    """Return one document of each of these messages that has it, still encrypted, by the row of its message."""
    rows = _OF_KIND.rows(tx, rows=message_rows, kind=kind)
    return {row.message_row: DocumentRow(**row._asdict()) for row in rows}


_OF_KIND = Prepared(
    lambda dialect: select(documents).where(
        prepared.among(dialect, documents.c.message_row, "rows"), documents.c.kind == bindparam("kind")
    )
)


def document_by_id(tx: Connection, document_id: int) -> DocumentRow:
    """Return one document, still encrypted. Raises `NotFound`."""
    row = tx.execute(select(documents).where(documents.c.id == in_range(document_id))).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no such document")
    return DocumentRow(**row)


def handed_in(tx: Connection, sender: str, sha256: str) -> MessageRow | None:
    """Return the message that an authority handed in with exactly these bytes, None if there is none."""
    found = (
        select(messages)
        .join(documents, documents.c.message_row == messages.c.id)
        .where(
            messages.c.direction == "out",
            messages.c.sender == sender,
            documents.c.kind == "original",
            documents.c.sha256 == sha256,
        )
        .order_by(messages.c.id)
        .limit(1)
    )
    row = tx.execute(found).one_or_none()
    return None if row is None else _message(row)


def documents_of(tx: Connection, message_rows: Sequence[int]) -> list[DocumentRow]:
    """Return all documents of these messages, still encrypted."""
    found = select(documents).where(among(tx, documents.c.message_row, message_rows)).order_by(documents.c.id)
    return [DocumentRow(**row) for row in tx.execute(found).mappings()]


def openers(tx: Connection, case_ids: Sequence[int]) -> dict[int, MessageRow]:
    """Return the message that opened each case, whichever way it went."""
    if not case_ids:
        return {}
    rows = _OPENERS.rows(tx, ids=case_ids, types=sorted(OPENING))
    return {row.case_id: _message(row) for row in rows if row.outcome != "refused" or row.direction == "out"}


_OPENERS = Prepared(
    lambda dialect: select(messages).where(
        prepared.among(dialect, messages.c.case_id, "ids"), prepared.among(dialect, messages.c.type, "types")
    )
)


def last_of(tx: Connection, case_id: int, types: Sequence[str], direction: str | None = None) -> MessageRow | None:
    """Return the newest message of these types in a case, None while there is none; what was refused or dropped is none."""
    counts = messages.c.outcome.not_in(("refused", "dropped"))
    found = select(messages).where(messages.c.case_id == case_id, messages.c.type.in_(types), counts)
    if direction is not None:
        found = found.where(messages.c.direction == direction)
    row = tx.execute(found.order_by(messages.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _message(row)


def of_sequences(tx: Connection, case_id: int, sequences: Sequence[int]) -> list[MessageRow]:
    """Return the messages we sent in a case under these sequence numbers."""
    found = select(messages).where(
        messages.c.case_id == case_id, messages.c.direction == "out", messages.c.sequence.in_(sequences)
    )
    return [_message(row) for row in tx.execute(found.order_by(messages.c.sequence))]


def last_sequences(tx: Connection, case_ids: Sequence[int], direction: str) -> dict[int, int]:
    """Return the highest sequence number used per case in one direction; a refused message has used its number up."""
    if not case_ids:
        return {}
    return {row.case_id: row.highest or 0 for row in _LAST_SEQUENCES.rows(tx, ids=case_ids, way=direction)}


_LAST_SEQUENCES = Prepared(
    lambda dialect: (
        select(messages.c.case_id, func.max(messages.c.sequence).label("highest"))
        .where(prepared.among(dialect, messages.c.case_id, "ids"), messages.c.direction == bindparam("way"))
        .group_by(messages.c.case_id)
    )
)


def use_up(tx: Connection, row_id: int, *, case_id: int, sequence: int) -> None:
    """Note that a refused message has used up its number in a case."""
    tx.execute(update(messages).where(messages.c.id == row_id).values(case_id=case_id, sequence=sequence))


def outcomes(tx: Connection, *, sender: str, direction: str) -> dict[str, int]:
    """Return how many of a sender's messages stand at each outcome, receipts not counted."""
    found = (
        select(messages.c.outcome, func.count().label("number"))
        .where(messages.c.sender == sender, messages.c.direction == direction, messages.c.type != "Receipt")
        .group_by(messages.c.outcome)
    )
    return {row.outcome: row.number for row in tx.execute(found)}


def types_of(tx: Connection, rows: Sequence[int]) -> dict[int, str]:
    """Return the message types of rows."""
    found = tx.execute(select(messages.c.id, messages.c.type).where(among(tx, messages.c.id, sorted(set(rows)))))
    return {row.id: row.type for row in found}


def mark_sent(tx: Connection, rows: Sequence[int], at: datetime) -> None:
    """Note that the transport confirmed these messages. What overtook the confirm, a receipt or a proof, is not undone."""
    if rows:
        _MARK_SENT.run(tx, ids=rows, at=at)


_GIVEN_UP = or_(messages.c.outcome == "parked", messages.c.outcome == "dropped")  # and it left all the same
_MARK_SENT = Prepared(
    lambda dialect: (
        update(messages)
        .where(prepared.among(dialect, messages.c.id, "ids"))
        .values(
            sent_at=bindparam("at"),
            outcome=case(
                (or_(messages.c.outcome == "waiting", _GIVEN_UP), "sent"),
                else_=messages.c.outcome,
            ),
            code=case((_GIVEN_UP, null()), else_=messages.c.code),
        )
    )
)


def mark_delivered(tx: Connection, row_id: int) -> None:
    """Note that a message went on paper and not by the transport; when it was there, its proof says (store/paper.py)."""
    tx.execute(update(messages).where(messages.c.id == row_id).values(outcome=DELIVERED, code=None))


def mark_receipts(tx: Connection, notes: Sequence[ReceiptNote]) -> None:
    """Note what the other side's receipt says of messages of ours; those it says the same of are written at once."""
    alike: dict[tuple[str, str | None, datetime, str], list[int]] = {}
    for note in notes:
        alike.setdefault((note.outcome, note.code, note.received_at, note.receipt_message_id), []).append(note.row_id)
    for (outcome, why, at, receipt), rows in alike.items():
        _MARK_RECEIPTS.run(tx, ids=rows, result=outcome, why=why, at=at, receipt=receipt)


_MARK_RECEIPTS = Prepared(
    lambda dialect: (
        update(messages)
        .where(prepared.among(dialect, messages.c.id, "ids"))
        .values(
            outcome=bindparam("result"),
            code=bindparam("why"),
            received_at=bindparam("at"),
            receipt_message_id=bindparam("receipt"),
        )
    )
)


def mark_parked(tx: Connection, rows: Sequence[int], code: str) -> None:
    """Note that delivery gave up on these messages for now."""
    if rows:
        unproven = messages.c.outcome.in_(("waiting", "sent", "parked"))  # a receipt that came meanwhile counts more
        tx.execute(update(messages).where(among(tx, messages.c.id, rows), unproven).values(outcome="parked", code=code))


def mark_waiting(tx: Connection, rows: Sequence[int]) -> None:
    """Note that delivery tries parked messages again; one that had left before, with a file that had not, is sent."""
    if rows:
        again = case((messages.c.sent_at.is_(None), "waiting"), else_="sent")
        parked = and_(among(tx, messages.c.id, rows), messages.c.outcome == "parked")
        tx.execute(update(messages).where(parked).values(outcome=again, code=None))


def mark_dropped(tx: Connection, row_id: int) -> bool:
    """Note that a person gave a message up; False when the other side's receipt says that it has it, or refused it."""
    undecided = messages.c.outcome.in_(("waiting", "sent", "parked"))
    return tx.execute(update(messages).where(messages.c.id == row_id, undecided).values(outcome="dropped")).rowcount == 1


def outcome_of(tx: Connection, row_id: int) -> str | None:
    """Return what became of a message, None if there is none."""
    found: str | None = tx.execute(select(messages.c.outcome).where(messages.c.id == in_range(row_id))).scalar_one_or_none()
    return found


def case_of(tx: Connection, row_id: int) -> int | None:
    """Return the case of a message; a receipt has none."""
    found: int | None = tx.execute(select(messages.c.case_id).where(messages.c.id == row_id)).scalar_one_or_none()
    return found
