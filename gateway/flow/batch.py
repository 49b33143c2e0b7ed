"""What is known of one batch of received messages before they are looked at, and what its transaction is going to write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from gateway.domain.case import Case
from gateway.domain.messages import MESSAGE_TYPES, Message, Receipt
from gateway.flow import receipts
from gateway.flow.arrival import Prepared, Rejected
from gateway.stages import Opened
from gateway.store import attachments, cases, early, journal, messages
from gateway.store.attachments import AttachmentRow
from gateway.store.cases import CaseKey
from gateway.store.database import Tx
from gateway.store.messages import MessageRow
from gateway.wire.reading import header_of

Arrived: TypeAlias = dict[tuple[str, str], dict[str, AttachmentRow]]

LONGEST_SEQUENCE = 6  # digits, as the schema has it


@dataclass(slots=True)
class Batch:
    """What is known before the messages are looked at, and what one transaction is going to write."""

    now: datetime
    seen: dict[tuple[str, str], MessageRow] = field(default_factory=dict)  # messages that came before
    gaps: bool = False  # whether any message waits for an earlier one
    kept: dict[tuple[str, str], early.EarlyRow] = field(default_factory=dict)  # messages that wait already
    arrived: Arrived = field(default_factory=dict)  # attachments of these messages, by message and digest
    sent: dict[tuple[str, str], MessageRow] = field(default_factory=dict)  # messages of ours that these speak about
    in_batch: dict[tuple[str, str], str] = field(default_factory=dict)  # digests of what was decided in this batch
    placed: dict[tuple[str, str], CaseKey] = field(default_factory=dict)  # where what was taken in this batch belongs
    current: dict[CaseKey, Case] = field(default_factory=dict)
    before: dict[CaseKey, Case] = field(default_factory=dict)
    sequences: dict[CaseKey, int] = field(default_factory=dict)  # highest number taken from the other side
    taken: list[tuple[Prepared, CaseKey | None, receipts.Draft | None]] = field(default_factory=list)
    refused: list[tuple[Rejected, receipts.Draft | None, CaseKey | None]] = field(default_factory=list)
    waiting: list[early.EarlyRow] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)  # early messages whose turn has come
    suspended: list[tuple[int, str]] = field(default_factory=list)  # early rows that go on waiting, and the type of each
    drafts: receipts.Drafts = field(default_factory=receipts.Drafts)
    entries: list[journal.Entry] = field(default_factory=list)

    def note(self, item: Prepared, event: str, detail: Mapping[str, Any], case_id: int | None = None) -> None:
        """Add a journal entry about a message that passed the checks."""
        entry = journal.Entry(
            at=self.now,
            event=event,
            actor=item.opened.signer,
            authority=item.message.header.recipient,
            case_id=case_id,
            message_id=item.message.header.message_id,
            digest=item.opened.digest,
            detail=detail,
        )
        self.entries.append(entry)


def look_up(tx: Tx, prepared: list[Prepared | Rejected], now: datetime) -> Batch:
    """Read at one go what the database knows of a batch; the cases are locked until the transaction ends."""
    good = [item for item in prepared if isinstance(item, Prepared)]
    keys = {key for item in good if (key := case_key(item.message))}
    keys |= {place[0] for item in prepared if isinstance(item, Rejected) and (place := place_of(item.opened))}
    names = [name for item in prepared if (name := name_of(item))]
    work = Batch(now=now)
    work.seen = messages.known(tx, "in", names)
    work.gaps = early.some(tx)
    if work.gaps:
        told = [one.message_id for item in good if isinstance(item.message, Receipt) for one in item.message.items]
        work.kept = early.known(tx, [message_id for _, message_id in names] + told)
    bringing = {(item.opened.signer, item.opened.sealed_id or ""): item.message.header.recipient for item in good if item.named}
    if bringing:
        work.arrived = attachments.arrived(tx, bringing)
    work.sent = messages.known(tx, "out", [pair for item in good for pair in _answered(item.message)])
    proven = {row.case_id for row in work.sent.values() if row.case_id} if _brings_receipts(good) else set()
    work.current = _locked(tx, keys, proven)
    work.before = dict(work.current)
    numbers = messages.last_sequences(tx, [case.id for case in work.current.values() if case.id is not None], "in")
    work.sequences = {key: numbers.get(case.id, 0) for key, case in work.current.items() if case.id is not None}
    return work


def _brings_receipts(good: list[Prepared]) -> bool:
    return any(isinstance(item.message, Receipt) for item in good)


def _locked(tx: Tx, keys: set[CaseKey], proven: set[int]) -> dict[CaseKey, Case]:
    """Lock the cases of messages (`keys`) and those that receipts are about (`proven`, by row); return the former.

    A receipt starts the clock that a reply stops: where two processes take them at once, one must see what the other did.
    All are locked by one statement, in one order: so no two batches wait for each other.
    """
    if not proven:
        return cases.load(tx, sorted(keys))
    known = {case.id for case in cases.load(tx, sorted(keys), lock=False).values() if case.id}
    rows = cases.get_many(tx, sorted(known | proven), lock=True)
    return {key: case for case in rows if (key := cases.key_of(case)) in keys}


def name_of(item: Prepared | Rejected) -> tuple[str, str] | None:
    """Return (sender, message id) of a message whose signature was verified: both are bound into the seal and checked."""
    opened = item.opened
    return None if opened is None or opened.sealed_id is None else (opened.signer, opened.sealed_id)


def case_key(message: Message) -> CaseKey | None:
    """Return the case a message belongs to as its recipient finds it, None for one that names none."""
    header = message.header
    return None if header.case_reference is None else (header.recipient, header.sender, header.case_reference)


def _answered(message: Message) -> list[tuple[str, str]]:
    """Return the messages of ours that this one speaks about, as (sender, message id)."""
    if isinstance(message, Receipt):
        return [(message.header.recipient, item.message_id) for item in message.items]
    return [(message.header.recipient, message.header.answers.message_id)] if message.header.answers else []


def place_of(opened: Opened | None) -> tuple[CaseKey, int] | None:
    """Return the case and the number that a verified sender gave a message which may be wrong in all else."""
    if opened is None or opened.sealed_for is None:
        return None
    header = header_of(opened.document)
    reference, sequence = header.get("CaseReference", ""), header.get("Sequence", "")
    if not (reference and sequence.isascii() and sequence.isdigit() and len(sequence) <= LONGEST_SEQUENCE):
        return None
    return (opened.sealed_for, opened.signer, reference), int(sequence)


def type_inside(opened: Opened) -> str:
    """Return the type of a document that may be anything: one of ours, or "unknown"."""
    name = str(opened.document.tag).rpartition("}")[2]
    return name if name in MESSAGE_TYPES else "unknown"
