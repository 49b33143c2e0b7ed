"""The walk inward: unseal, validate, read, translate; then advance, due date, save in one transaction.

Whatever waits is taken as one batch. A batch couples nothing but the commit: a message that is refused is settled by
its own negative receipt, and the others go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.domain.case import Case, Event, State, advance, opened
from gateway.domain.messages import MESSAGE_TYPES, Application, Message, Receipt, ReceiptItem, Reply
from gateway.errors import (
    AnswerMismatch,
    Erased,
    MessageIdReused,
    Refused,
    SigningTimeInvalid,
    StoreConflict,
    TransitionNotAllowed,
    UnknownCase,
    WrongRecipient,
)
from gateway.flow import receipts
from gateway.flow.clockwork import check_binds, first_deadlines, reply_settles
from gateway.flow.papers import paper, receipt_paper, report_paper, sha256
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.stages import Checked, Opened, Received
from gateway.store import cases, deadlines, inbox, journal, messages
from gateway.store.cases import CaseKey
from gateway.store.database import Tx, transaction
from gateway.store.messages import MessageRow
from gateway.trust.seal import unseal
from gateway.wire.reading import read
from gateway.wire.translate import Translation

log = logger("inbound")

CLOCK_SKEW = timedelta(minutes=5)  # two machines' clocks may differ by this much


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A message that passed every check that needs no database."""

    received: Received
    opened: Opened
    checked: Checked
    message: Message
    translation: Translation | None  # into the recipient's dialect; None for a receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A message that was refused. `opened` is known once the signature was verified: only then it can be answered."""

    received: Received
    error: Refused
    opened: Opened | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one received message."""

    outcome: str  # accepted | repeated | refused
    message_id: str | None
    code: str | None = None


@dataclass(slots=True)
class _Batch:
    """What one transaction is going to write."""

    now: datetime
    current: dict[CaseKey, Case] = field(default_factory=dict)
    before: dict[CaseKey, State] = field(default_factory=dict)
    taken: list[tuple[Prepared, CaseKey | None, receipts.Draft | None]] = field(default_factory=list)
    refused: list[tuple[Rejected, receipts.Draft | None]] = field(default_factory=list)
    drafts: receipts.Drafts = field(default_factory=receipts.Drafts)
    entries: list[journal.Entry] = field(default_factory=list)


def receive(batch: Sequence[Received], rt: Runtime) -> list[Answer]:
    """Take in what was waiting; return one answer per message, in order. After the return everything is durable.

    Raises `DatabaseUnavailable`; then nothing was saved and the transport brings the messages again.
    """
    prepared = [prepare(raw, rt) for raw in batch]
    try:
        answers, work = _commit(prepared, rt)
    except StoreConflict:  # another process took one of these messages first: now it can be seen
        answers, work = _commit(prepared, rt)
    rt.bell.hand(work.drafts.leaving, work.now)
    return answers


def _commit(prepared: Sequence[Prepared | Rejected], rt: Runtime) -> tuple[list[Answer], _Batch]:
    work = _Batch(now=rt.clock())
    with transaction(rt.engine) as tx:
        return _save(tx, prepared, work, rt), work


def prepare(raw: Received, rt: Runtime) -> Prepared | Rejected:
    """Do everything with one message that needs no database. The first step that refuses ends the walk."""
    found: Opened | None = None
    try:
        found = unseal(raw, rt.ring, rt.trust)  # 1 decrypt, verify, who signed it
        checked = rt.schemas.check(found.document)  # 2 schema and rules between fields
        message = read(checked)  # 3 into our words
        recipient = message.header.recipient
        if not rt.is_home(recipient):
            raise WrongRecipient(f"this gateway is not home to {recipient}", path="Header/Recipient")
        if message.header.created > found.signed_at + CLOCK_SKEW:
            raise SigningTimeInvalid("the message says it was made after it was signed", path="Header/Created")
        if isinstance(message, Application):
            check_binds(message.agreement, requesting=message.header.sender, requested=recipient, rt=rt)
        translation = None  # 4 into the recipient's dialect; nobody's dialect has a receipt
        if not isinstance(message, Receipt):
            translation = rt.translator(recipient).from_canonical(checked.document, sha256_in=found.inside)
    except Refused as error:
        return Rejected(received=raw, error=error, opened=found)
    return Prepared(received=raw, opened=found, checked=checked, message=message, translation=translation)


def _save(tx: Tx, prepared: Sequence[Prepared | Rejected], work: _Batch, rt: Runtime) -> list[Answer]:
    """Advance the cases, compute the deadlines, and write everything in one transaction."""
    good = [item for item in prepared if isinstance(item, Prepared)]
    seen = messages.known(tx, "in", [name for item in prepared if (name := _name(item))])
    work.current = cases.load(tx, sorted({key for item in good if (key := _case_key(item.message))}))
    work.before = {key: case.state for key, case in work.current.items()}
    sent = messages.known(tx, "out", [pair for item in good for pair in _answered(item.message)])

    answers: list[Answer] = []
    in_batch: dict[tuple[str, str], str] = {}
    for item in prepared:
        name = _name(item)
        if isinstance(item, Rejected) and name is None:
            answers.append(_refuse(item, work))
            continue
        assert name is not None, "what was unsealed has an id"
        assert item.opened is not None, "what has an id was opened"
        digest = item.opened.digest
        earlier = seen[name].digest if name in seen else in_batch.get(name)
        if earlier == digest:
            answers.append(Answer(outcome="repeated", message_id=name[1]))
            if name in seen:
                receipts.repeat(tx, rt, seen[name], work.now)
            continue
        if isinstance(item, Rejected):
            answers.append(_refuse(item, work, again=earlier is not None))
            in_batch.setdefault(name, digest)
            continue
        header = item.message.header
        try:
            if earlier is not None:
                raise MessageIdReused("this message id was used before, with other bytes", path="Header/MessageId")
            case_key = _take(item, work, rt, sent)
        except Refused as error:
            rejected = Rejected(received=item.received, error=error, opened=item.opened)
            answers.append(_refuse(rejected, work, again=earlier is not None))
            in_batch.setdefault(name, digest)
            continue
        in_batch[name] = digest
        draft = (
            None
            if isinstance(item.message, Receipt)
            else work.drafts.accept(item.message.header, digest, item.received.received_at)
        )
        work.taken.append((item, case_key, draft))
        answers.append(Answer(outcome="accepted", message_id=header.message_id))
    _write(tx, work, rt, sent)
    return answers


def _name(item: Prepared | Rejected) -> tuple[str, str] | None:
    """Return (sender, message id) of a message whose signature was verified: both are bound into the seal and checked."""
    opened = item.opened
    return None if opened is None or opened.sealed_id is None else (opened.signer, opened.sealed_id)


def _case_key(message: Message) -> CaseKey | None:
    header = message.header
    return None if header.case_reference is None else (header.recipient, header.sender, header.case_reference)


def _answered(message: Message) -> list[tuple[str, str]]:
    """Return the messages of ours that this one speaks about, as (sender, message id)."""
    if isinstance(message, Receipt):
        return [(message.header.recipient, item.message_id) for item in message.items]
    return [(message.header.recipient, message.header.answers.message_id)] if message.header.answers else []


def _take(item: Prepared, work: _Batch, rt: Runtime, sent: dict[tuple[str, str], MessageRow]) -> CaseKey | None:
    """Advance the case in memory. Raises `Refused` when the message does not fit; then nothing of it is kept."""
    message, header = item.message, item.message.header
    if isinstance(message, Receipt):
        if not any(_fits(one, item, sent) for one in message.items):
            raise AnswerMismatch("the receipt names nothing that was sent to this authority, as it was sent", path="Item")
        return None
    key = _case_key(message)
    if key is None:
        raise UnknownCase("the message carries no case reference", path="Header/CaseReference")
    case = work.current.get(key)
    if isinstance(message, Application):
        if case is not None:
            raise TransitionNotAllowed("there is a case with this reference already", path="Header/CaseReference")
        work.current[key] = opened(
            message,
            home=header.recipient,
            event=Event.APPLICATION,
            treaty_version=rt.treaty(message.agreement).version,
            schema_version=item.checked.schema_version,
            wrapped_key=rt.vault.new_case_key(),
            at=work.now,
        )
        return key
    changed = advance(case, message, work.now)
    if changed.wrapped_key is None:
        raise Erased("the case was erased; nothing can be added to it", path="Header/CaseReference")
    answered = sent.get((header.recipient, header.answers.message_id)) if header.answers else None
    if answered is None or header.answers is None or answered.digest != header.answers.digest or answered.case_id != changed.id:
        raise AnswerMismatch("the reply does not answer the application that was sent", path="Header/InReplyTo")
    work.current[key] = changed
    return key


def _fits(one: ReceiptItem, item: Prepared, sent: dict[tuple[str, str], MessageRow]) -> bool:
    """Whether a line of a receipt speaks of a message of ours, sent to this authority, as it was sent, at a possible time."""
    header = item.message.header
    row = sent.get((header.recipient, one.message_id))
    if row is None or row.recipient != header.sender or row.digest != one.digest or row.signed_at is None:
        return False
    return row.signed_at - CLOCK_SKEW <= one.received_at <= item.opened.signed_at + CLOCK_SKEW


def _refuse(item: Rejected, work: _Batch, *, again: bool = False) -> Answer:
    """Note a refusal. A verified sender gets a signed negative receipt; anything else is only recorded.

    Ids come from the seal, which was checked: the refused document itself may say anything. `again` means that the id was
    used before with other bytes; that is alarmed.
    """
    opened = item.opened
    message_id = opened.sealed_id if opened else None
    draft = None
    if opened and opened.sealed_for and message_id and _type(opened) != "Receipt":
        draft = work.drafts.refuse(
            sender=opened.signer,
            recipient=opened.sealed_for,
            message_id=message_id,
            digest=opened.digest,
            received_at=item.received.received_at,
            error=item.error,
        )
    work.refused.append((item, None if again else draft))
    work.entries.append(
        journal.Entry(
            at=work.now,
            event="message.refused",
            actor=opened.signer if opened else "unknown",
            authority=opened.sealed_for if opened else None,
            message_id=message_id,
            digest=sha256(item.received.body),
            detail={"code": item.error.code, "path": item.error.path, "transport": item.received.transport, "alarm": again},
        )
    )
    log.warning("message.refused", code=item.error.code, transport=item.received.transport, message_id=message_id)
    return Answer(outcome="refused", message_id=message_id, code=item.error.code)


def _type(opened: Opened) -> str:
    """Return the type of a document that may be anything: one of ours, or "unknown"."""
    name = str(opened.document.tag).rpartition("}")[2]
    return name if name in MESSAGE_TYPES else "unknown"


def _refused_row(item: Rejected, draft: receipts.Draft, work: _Batch) -> MessageRow:
    """Return the row of a refused message: a repeat of it gets the recorded receipt."""
    opened = item.opened
    assert opened is not None
    return MessageRow(
        direction="in",
        sender=opened.signer,
        message_id=opened.sealed_id or "",
        recipient=draft.issuer,
        case_id=None,
        type=_type(opened),
        sequence=None,
        digest=opened.digest,
        in_reply_to=None,
        signed_at=opened.signed_at,
        created_at=work.now,
        received_at=item.received.received_at,
        outcome="refused",
        code=item.error.code,
        receipt_message_id=draft.message_id,
    )


def _write(tx: Tx, work: _Batch, rt: Runtime, sent: dict[tuple[str, str], MessageRow]) -> None:
    """Write the batch: cases, messages, documents, inboxes, deadlines, receipts, journal."""
    _write_cases(tx, work)
    issued = work.drafts.issue(tx, rt, work.now)
    rows = [_message_row(item, work, key, draft) for item, key, draft in work.taken]
    rows += [_refused_row(item, draft, work) for item, draft in work.refused if draft is not None]
    ids = messages.add(tx, rows)[: len(work.taken)]
    papers: list[messages.DocumentRow] = []
    deliveries: list[inbox.NewInboxRow] = []
    starts: list[tuple[Case, datetime]] = []
    for (item, key, _), row_id in zip(work.taken, ids, strict=True):
        if key is None or item.translation is None:
            papers.append(receipt_paper(row_id, item.opened.signed))
            continue
        case = work.current[key]
        assert case.id is not None
        papers.append(paper(rt, case, row_id, "signed", item.opened.signed, digest=item.opened.digest))
        papers.append(paper(rt, case, row_id, "translated", item.translation.body, digest=item.translation.report.sha256_out))
        papers.append(report_paper(rt, case, row_id, item.translation.report))
        dialect = rt.partners.authority(case.home).dialect
        deliveries.append(
            inbox.NewInboxRow(authority=case.home, message_row=row_id, case_id=case.id, dialect=dialect, arrived_at=work.now)
        )
        if isinstance(item.message, Application):
            starts.append((case, item.received.received_at))
    messages.add_documents(tx, papers)
    inbox.add(tx, deliveries)
    deadlines.add(tx, first_deadlines(starts, rt, work.now))
    for item, key, _ in work.taken:
        if isinstance(item.message, Reply) and key:
            reply_settles(tx, work.current[key], item.received.received_at, work.now)
        if isinstance(item.message, Receipt):
            good = tuple(one for one in item.message.items if _fits(one, item, sent))
            work.entries += receipts.apply(tx, rt, replace(item.message, items=good), sent, work.now)
            if len(good) < len(item.message.items):
                work.entries.append(_unfit(item, len(item.message.items) - len(good), work))
    work.entries += [_entry(item, work, key) for item, key, _ in work.taken]
    work.entries += issued
    journal.append(tx, work.entries)


def _write_cases(tx: Tx, work: _Batch) -> None:
    """Insert the cases that were opened, change those that advanced."""
    touched = list(dict.fromkeys(key for _, key, _ in work.taken if key))
    fresh = [key for key in touched if work.current[key].id is None]
    for fresh_key, added in zip(fresh, cases.add(tx, [work.current[key] for key in fresh]), strict=True):
        work.current[fresh_key] = added
    for changed in touched:
        if changed in work.before:
            cases.change_state(tx, work.current[changed], before=work.before[changed])


def _message_row(item: Prepared, work: _Batch, key: CaseKey | None, draft: receipts.Draft | None) -> MessageRow:
    header = item.message.header
    return MessageRow(
        direction="in",
        sender=header.sender,
        message_id=header.message_id,
        recipient=header.recipient,
        case_id=work.current[key].id if key else None,
        type=item.checked.type,
        sequence=header.sequence,
        digest=item.opened.digest,
        in_reply_to=header.answers.message_id if header.answers else None,
        signed_at=item.opened.signed_at,
        created_at=work.now,
        received_at=item.received.received_at,
        outcome="accepted",
        receipt_message_id=draft.message_id if draft else None,
    )


def _unfit(item: Prepared, count: int, work: _Batch) -> journal.Entry:
    return journal.Entry(
        at=work.now,
        event="receipt.partly_refused",
        actor=item.opened.signer,
        authority=item.message.header.recipient,
        message_id=item.message.header.message_id,
        digest=item.opened.digest,
        detail={"code": AnswerMismatch.code, "count": count},
    )


def _entry(item: Prepared, work: _Batch, key: CaseKey | None) -> journal.Entry:
    case = work.current[key] if key else None
    return journal.Entry(
        at=work.now,
        event="message.received",
        actor=item.opened.signer,
        authority=item.message.header.recipient,
        case_id=case.id if case else None,
        message_id=item.message.header.message_id,
        digest=item.opened.digest,
        detail={"type": item.checked.type, "state": str(case.state) if case else None, "transport": item.received.transport},
    )
