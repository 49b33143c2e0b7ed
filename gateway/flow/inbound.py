"""The walk inward: unseal, validate, read, translate; then advance, due date, save in one transaction.

Whatever waits is taken as one batch. A batch couples nothing but the commit: a message that is refused is settled by
its own negative receipt, and the others go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain.case import Case, Event, State, advance, opened
from gateway.domain.messages import Application, Message, Receipt, Reply
from gateway.errors import AnswerMismatch, MessageIdReused, Refused, TransitionNotAllowed, UnknownCase, WrongRecipient
from gateway.flow import receipts
from gateway.flow.clockwork import first_deadlines, reply_settles
from gateway.flow.papers import paper, receipt_paper, sha256
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.stages import Checked, Opened, Received
from gateway.store import cases, deadlines, inbox, journal, messages
from gateway.store.cases import CaseKey
from gateway.store.database import Tx, transaction
from gateway.store.messages import MessageRow
from gateway.trust.seal import unseal
from gateway.wire.reading import header_of, read
from gateway.wire.translate import Translation

log = logger("inbound")


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
    with transaction(rt.engine) as tx:
        answers = _save(tx, prepared, rt)
    rt.bell.ring()
    return answers


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
        if isinstance(message, Application):
            rt.treaty(message.agreement)
        translation = None if isinstance(message, Receipt) else rt.translator(recipient).from_canonical(checked.document)  # 4
    except Refused as error:
        return Rejected(received=raw, error=error, opened=found)
    return Prepared(received=raw, opened=found, checked=checked, message=message, translation=translation)


def _save(tx: Tx, prepared: Sequence[Prepared | Rejected], rt: Runtime) -> list[Answer]:
    """Advance the cases, compute the deadlines, and write everything in one transaction."""
    work = _Batch(now=rt.clock())
    good = [item for item in prepared if isinstance(item, Prepared)]
    keys = [(item.message.header.sender, item.message.header.message_id) for item in good]
    seen = messages.known(tx, "in", keys)
    work.current = cases.load(tx, sorted({key for item in good if (key := _case_key(item.message))}))
    work.before = {key: case.state for key, case in work.current.items()}
    sent = messages.known(tx, "out", [pair for item in good for pair in _answered(item.message)])

    answers: list[Answer] = []
    in_batch: dict[tuple[str, str], str] = {}
    for item in prepared:
        if isinstance(item, Rejected):
            answers.append(_refuse(item, work))
            continue
        header, digest = item.message.header, item.opened.digest
        name = (header.sender, header.message_id)
        earlier = seen[name].digest if name in seen else in_batch.get(name)
        if earlier == digest:
            answers.append(Answer(outcome="repeated", message_id=header.message_id))
            if name in seen:
                receipts.repeat(tx, rt, seen[name], work.now)
            continue
        try:
            if earlier is not None:
                raise MessageIdReused("this message id was used before, with other bytes", path="Header/MessageId")
            case_key = _take(item, work, rt, sent)
        except Refused as error:
            rejected = Rejected(received=item.received, error=error, opened=item.opened)
            answers.append(_refuse(rejected, work, reused=isinstance(error, MessageIdReused)))
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
        _check_receipt(message, sent)
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
    answered = sent.get((header.recipient, header.answers.message_id)) if header.answers else None
    if answered is None or header.answers is None or answered.digest != header.answers.digest or answered.case_id != changed.id:
        raise AnswerMismatch("the reply does not answer the application that was sent", path="Header/InReplyTo")
    work.current[key] = changed
    return key


def _check_receipt(message: Receipt, sent: dict[tuple[str, str], MessageRow]) -> None:
    for item in message.items:
        row = sent.get((message.header.recipient, item.message_id))
        if row is None or row.recipient != message.header.sender:
            raise AnswerMismatch("the receipt names a message that was not sent to this authority", path="Item/MessageId")
        if row.digest != item.digest:
            raise AnswerMismatch("the receipt names another digest than the one that was sent", path="Item/Sha256")


def _refuse(item: Rejected, work: _Batch, *, reused: bool = False) -> Answer:
    """Note a refusal. A verified sender gets a signed negative receipt; anything else is only recorded."""
    header = header_of(item.opened.document) if item.opened else {}
    message_id = header.get("MessageId")
    draft = None
    if item.opened and message_id and item.opened.document.tag.rpartition("}")[2] != "Receipt":
        draft = work.drafts.refuse(
            sender=item.opened.signer,
            recipient=header.get("Recipient", ""),
            message_id=message_id,
            digest=item.opened.digest,
            received_at=item.received.received_at,
            error=item.error,
        )
    work.refused.append((item, draft))
    work.entries.append(
        journal.Entry(
            at=work.now,
            event="message.refused",
            actor=item.opened.signer if item.opened else "unknown",
            authority=header.get("Recipient"),
            message_id=message_id if item.opened else None,
            digest=sha256(item.received.body),
            detail={"code": item.error.code, "path": item.error.path, "transport": item.received.transport, "alarm": reused},
        )
    )
    log.warning(
        "message.refused", code=item.error.code, path=item.error.path, transport=item.received.transport, message_id=message_id
    )
    return Answer(outcome="refused", message_id=message_id, code=item.error.code)


def _write(tx: Tx, work: _Batch, rt: Runtime, sent: dict[tuple[str, str], MessageRow]) -> None:
    """Write the batch: cases, messages, documents, inboxes, deadlines, receipts, journal."""
    touched = list(dict.fromkeys(key for _, key, _ in work.taken if key))
    fresh = [key for key in touched if work.current[key].id is None]
    for fresh_key, added in zip(fresh, cases.add(tx, [work.current[key] for key in fresh]), strict=True):
        work.current[fresh_key] = added
    for changed in touched:
        if changed in work.before:
            cases.change_state(tx, work.current[changed], before=work.before[changed])

    issued = work.drafts.issue(tx, rt, work.now)
    rows = [_message_row(item, work, key, draft) for item, key, draft in work.taken]
    ids = messages.add(tx, rows)
    papers: list[messages.DocumentRow] = []
    deliveries: list[inbox.NewInboxRow] = []
    new_deadlines: list[deadlines.DeadlineRow] = []
    for (item, key, _), row_id in zip(work.taken, ids, strict=True):
        if key is None or item.translation is None:
            papers.append(receipt_paper(row_id, item.opened.signed))
            continue
        case = work.current[key]
        assert case.id is not None
        papers.append(paper(rt, case, row_id, "signed", item.opened.signed))
        papers.append(paper(rt, case, row_id, "translated", item.translation.body))
        papers.append(paper(rt, case, row_id, "report", item.translation.report.as_json()))
        dialect = rt.partners.authority(case.home).dialect
        deliveries.append(
            inbox.NewInboxRow(authority=case.home, message_row=row_id, case_id=case.id, dialect=dialect, arrived_at=work.now)
        )
        if isinstance(item.message, Application):
            new_deadlines += first_deadlines(case, item.received.received_at, rt, work.now)
    messages.add_documents(tx, papers)
    inbox.add(tx, deliveries)
    deadlines.add(tx, new_deadlines)
    for item, key, _ in work.taken:
        if isinstance(item.message, Reply) and key:
            reply_settles(tx, work.current[key], item.received.received_at, work.now)
        if isinstance(item.message, Receipt):
            receipts.apply(tx, rt, item.message, sent, work.now, work.entries)
    work.entries += [_entry(item, work, key) for item, key, _ in work.taken]
    work.entries += issued
    journal.append(tx, work.entries)


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
