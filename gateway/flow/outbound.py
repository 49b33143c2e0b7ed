"""The walk outward: translate, complete the header, validate, safeguards, advance, sign, seal; saved in the outbox.

Sealing happens before the outbox: a retry sends the identical bytes. A hold is a result of its own: the message is
kept, the officer is told why, and nothing leaves.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from gateway.domain.case import Case, Event, advance, opened, step
from gateway.domain.identity import new_case_reference, new_message_id
from gateway.domain.messages import Application, Message, Receipt, Reply
from gateway.domain.safeguards import ADVICE, HoldReason, hold_reason
from gateway.errors import (
    AnswerMismatch,
    BadValue,
    Erased,
    GatewayError,
    MessageIdReused,
    Misconfigured,
    MissingField,
    Refused,
    SignerMismatch,
    StoreConflict,
    TransitionNotAllowed,
    UnknownCase,
)
from gateway.flow.clockwork import check_binds, reply_settles
from gateway.flow.papers import paper, sha256
from gateway.flow.ports import Runtime
from gateway.flow.statements import statement_of
from gateway.log import logger
from gateway.stages import Checked, Sealed, Signed, Submitted, Tree
from gateway.store import cases, journal, messages, outbox
from gateway.store import statements as holds
from gateway.store.cases import CaseKey
from gateway.store.database import Tx, reading, transaction
from gateway.store.messages import DocumentRow, MessageRow
from gateway.trust.seal import seal
from gateway.trust.sign import sign
from gateway.wire.check import canonical_document
from gateway.wire.documents import parse_xml, serialize
from gateway.wire.reading import complete_header, header_of, instant_text, read
from gateway.wire.report import Report

log = logger("outbound")

CLOCK_SKEW = timedelta(minutes=5)  # a national system's clock may be ahead by this much


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The message is signed, sealed and durable in the outbox."""

    message_id: str
    case_id: int
    case_reference: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The message is kept and must not leave yet."""

    case_id: int
    case_reference: str
    reason: HoldReason
    advice: str


Submission: TypeAlias = Sent | Held | GatewayError  # Refused: the message is at fault; another error: not done, by our fault


@dataclass(slots=True)
class _Draft:
    """One message on its way through the walk."""

    submitted: Submitted
    document: Tree = None
    header: Mapping[str, str] = field(default_factory=dict)  # as it was handed in
    report: Report | None = None
    kept_report: bytes | None = None  # of a message that was held: the report of its translation, as JSON
    case: Case | None = None  # before this message
    checked: Checked | None = None
    message: Message | None = None
    after: Case | None = None
    signed: Signed | None = None
    sealed: Sealed | None = None
    hold: HoldReason | None = None
    refused: GatewayError | None = None
    again: Sent | Held | None = None  # the same message was handed in before


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the database says about a batch, read before the work begins."""

    cases: Mapping[CaseKey, Case]
    applications: Mapping[int, MessageRow]  # by case id: the application that came in
    sequences: Mapping[int, int]  # by case id: highest number we used
    sent: Mapping[tuple[str, str], MessageRow]


def submit(batch: Sequence[Submitted], rt: Runtime) -> list[Submission]:
    """Take messages handed in by home authorities; return one result per message, in order.

    An error in the list is that message's own; the others are not touched by it. Raises `DatabaseUnavailable`.
    """
    drafts = [_translate(item, rt) for item in batch]
    first, later = _apart(drafts)
    try:
        _walk(first, rt)
        results = _commit(first, rt)
    except StoreConflict:  # another process took one of these first: now it can be seen
        fresh = [_translate(draft.submitted, rt) for draft in first]
        _walk(fresh, rt)
        results = _commit(fresh, rt)
    by_draft = dict(zip(map(id, first), results, strict=True))
    if later:
        by_draft |= dict(zip(map(id, later), submit([draft.submitted for draft in later], rt), strict=True))
    rt.bell.ring()
    return [by_draft[id(draft)] for draft in drafts]


def _apart(drafts: Sequence[_Draft]) -> tuple[list[_Draft], list[_Draft]]:
    """Set messages aside whose id or case stands in the batch already: they are looked at once the first is saved."""
    first: list[_Draft] = []
    later: list[_Draft] = []
    seen: set[tuple[str, str]] = set()
    for draft in drafts:
        names = {(name, draft.header[name]) for name in ("MessageId", "CaseReference") if name in draft.header}
        (later if names & seen else first).append(draft)
        seen |= names
    return first, later


def _walk(drafts: Sequence[_Draft], rt: Runtime) -> None:
    """Steps 2 to 7 for each message: everything but the commit."""
    with reading(rt.engine) as tx:
        known = _look_up(tx, drafts)
        for draft in drafts:
            if draft.refused is None:
                with _own_error(draft):
                    _decide(tx, draft, known, rt)
    for draft in drafts:
        if draft.refused is None and draft.again is None:
            with _own_error(draft):
                _seal(draft, rt)


def _commit(drafts: Sequence[_Draft], rt: Runtime) -> list[Submission]:
    with transaction(rt.engine) as tx:
        return _save(tx, drafts, rt)


def resume(case_id: int, actor: str, rt: Runtime) -> Submission:
    """Look again at a held message, after its statement was made or released; send it if nothing holds it any more.

    The case is locked meanwhile: a statement cannot change between the look and the sending.
    """
    with transaction(rt.engine) as tx:
        case = cases.get(tx, case_id, lock=True)
        hold = holds.open_hold(tx, case_id)
        if hold is None or hold.id is None or case.wrapped_key is None:
            raise TransitionNotAllowed("nothing of this case is held")
        draft = _held_draft(case, hold, actor, rt)
        with _own_error(draft):
            draft.checked = rt.schemas.check(draft.document)
            draft.message = read(draft.checked)
            if messages.known(tx, "out", [(case.home, draft.message.header.message_id)]):
                raise MessageIdReused("this message id was used before, in another case", path="Header/MessageId")
            _guard_rights(tx, draft, rt)
            _seal(draft, rt)
        if draft.refused is not None:
            raise draft.refused
        if draft.hold is not None:
            holds.change_reason(tx, hold.id, draft.hold)
            return _held(case, draft.hold)
        if not holds.end_hold(tx, hold.id, by=actor, at=rt.clock()):
            raise TransitionNotAllowed("the message was released already")
        (result,) = _save(tx, [draft], rt)
    rt.bell.ring()
    return result


def _held_draft(case: Case, hold: holds.HoldRow, actor: str, rt: Runtime) -> _Draft:
    """Return the held message as it stood when it was held."""
    assert case.wrapped_key is not None
    original = rt.vault.decrypt(case.wrapped_key, hold.original, b"held-original")
    return _Draft(
        submitted=Submitted(body=original, authority=case.home, dialect=hold.dialect, submitted_at=rt.clock(), actor=actor),
        document=parse_xml(rt.vault.decrypt(case.wrapped_key, hold.body, b"held")),
        kept_report=rt.vault.decrypt(case.wrapped_key, hold.report, b"held-report") if hold.report else None,
        case=case,
    )


def handed_in_before(body: bytes, authority: str, rt: Runtime) -> Sent | Held | None:
    """Return what became of exactly these bytes, if this authority handed them in before and they were not refused.

    For edges that cannot tell an interrupted answer from a new document.
    """
    with reading(rt.engine) as tx:
        earlier = messages.handed_in(tx, authority, sha256(body))
        if earlier is not None and earlier.case_id is not None:
            reference = cases.get(tx, earlier.case_id).reference
            return Sent(message_id=earlier.message_id, case_id=earlier.case_id, case_reference=reference, digest=earlier.digest)
        for hold in holds.open_holds(tx, authority):
            case = cases.get(tx, hold.case_id)
            if case.wrapped_key and rt.vault.decrypt(case.wrapped_key, hold.original, b"held-original") == body:
                return _held(case, HoldReason(hold.reason))
    return None


@contextmanager
def _own_error(draft: _Draft) -> Iterator[None]:
    """An error inside belongs to this message alone; what is outside's fault ends the batch."""
    try:
        yield
    except (Refused, Misconfigured) as error:
        draft.refused = error


def _translate(item: Submitted, rt: Runtime) -> _Draft:
    """Step 1: into canonical XML."""
    rt.require_home(item.authority)
    draft = _Draft(submitted=item)
    with _own_error(draft):
        if item.dialect == "canonical":
            draft.document = canonical_document(item.body, rt.schemas)
        else:
            translation = rt.translators[rt.partners.dialect(item.dialect).id].to_canonical(item.body)
            draft.document, draft.report = translation.document, translation.report
        draft.header = header_of(draft.document)
    return draft


def _look_up(tx: Tx, drafts: Sequence[_Draft]) -> _Known:
    """Read the cases these messages belong to, and what is known of them."""
    keys: set[CaseKey] = set()
    ids: set[tuple[str, str]] = set()
    for draft in drafts:
        if draft.refused is None:
            header = draft.header
            if "CaseReference" in header:
                keys.add((draft.submitted.authority, header.get("Recipient", ""), header["CaseReference"]))
            if "MessageId" in header:
                ids.add((draft.submitted.authority, header["MessageId"]))
    found = cases.load(tx, sorted(keys), lock=False)
    rows = [case.id for case in found.values() if case.id is not None]
    return _Known(
        cases=found,
        applications=messages.applications(tx, rows),
        sequences=messages.last_sequences(tx, rows, "out"),
        sent=messages.known(tx, "out", sorted(ids)),
    )


def _decide(tx: Tx, draft: _Draft, known: _Known, rt: Runtime) -> None:
    """Steps 2 to 4: complete the header, check schema and allow-list, ask the safeguards."""
    item, header = draft.submitted, draft.header
    kind = rt.schemas.type_of(draft.document)
    if kind is None:
        rt.schemas.check(draft.document)  # says what is wrong with the root, before the header of anything else is filled
    if kind == "Receipt":
        raise TransitionNotAllowed("receipts are written by the gateway itself", path="/Receipt")
    if header.get("Sender", item.authority) != item.authority:
        raise SignerMismatch("the sender of the message is not the authority that hands it in", path="Header/Sender")
    draft.case = known.cases.get((item.authority, header.get("Recipient", ""), header.get("CaseReference", "")))
    earlier = known.sent.get((item.authority, header.get("MessageId", "")))
    draft.again = _held_before(tx, draft, rt) if earlier is None else _sent_before(tx, draft, earlier)
    if draft.again is not None:
        return
    filled = complete_header(draft.document, _header_values(draft, header, known, rt.clock()))
    if draft.report is not None and filled:
        draft.report = draft.report.with_filled(filled)
    draft.checked = rt.schemas.check(draft.document)
    rt.allowed.check(draft.checked)
    draft.message = read(draft.checked)
    assert not isinstance(draft.message, Receipt), "refused above"
    rt.partners.authority(draft.message.header.recipient)
    if draft.message.header.created > rt.clock() + CLOCK_SKEW:
        raise BadValue("the message says it was made in the future", path="Header/Created")
    _check_place(draft.message, draft.case, known, rt)
    _guard_rights(tx, draft, rt)


def _check_place(message: Application | Reply, case: Case | None, known: _Known, rt: Runtime) -> None:
    """Check that the message fits where it stands: the treaty binds the two, a reply answers what came."""
    header = message.header
    if isinstance(message, Reply):
        _check_answer(message, case, known)
        return
    check_binds(message.agreement, requesting=header.sender, requested=header.recipient, rt=rt)
    if case is not None:
        raise TransitionNotAllowed("there is a case with this reference already", path="Header/CaseReference")


def _sent_before(tx: Tx, draft: _Draft, earlier: MessageRow) -> Sent:
    """Answer a repeat like the first time. Raises `MessageIdReused` when the bytes differ."""
    assert earlier.id is not None
    if earlier.case_id is None:
        raise MessageIdReused("this message id belongs to a receipt", path="Header/MessageId")
    case = cases.get(tx, earlier.case_id)
    original = messages.document(tx, earlier.id, "original")
    if original is None or original.sha256 != sha256(draft.submitted.body):
        raise MessageIdReused("this message id was used before, with other bytes", path="Header/MessageId")
    return Sent(message_id=earlier.message_id, case_id=earlier.case_id, case_reference=case.reference, digest=earlier.digest)


def _held_before(tx: Tx, draft: _Draft, rt: Runtime) -> Held | None:
    """Return the hold of a case whose application is held and was handed in with exactly these bytes."""
    case = draft.case
    hold = holds.open_hold(tx, case.id) if case and case.id else None
    if case is None or hold is None or case.wrapped_key is None:
        return None
    same = rt.vault.decrypt(case.wrapped_key, hold.original, b"held-original") == draft.submitted.body
    return _held(case, HoldReason(hold.reason)) if same else None


def _header_values(draft: _Draft, header: Mapping[str, str], known: _Known, now: datetime) -> dict[str, str]:
    """Return what the gateway knows of the header; only what is missing will be written."""
    values = {"MessageId": new_message_id(now), "Sender": draft.submitted.authority, "Created": instant_text(now)}
    if draft.document.tag.endswith("}ReadmissionApplication"):
        return values | {"CaseReference": new_case_reference(), "Sequence": "1"}
    if draft.case is None or draft.case.id is None:
        if "CaseReference" not in header:
            raise MissingField("a reply names the case it belongs to", path="Header/CaseReference")
        raise UnknownCase("there is no case with this reference between these two authorities", path="Header/CaseReference")
    values["Sequence"] = str(known.sequences.get(draft.case.id, 0) + 1)
    application = known.applications.get(draft.case.id)
    if application is not None:
        values |= {"InReplyTo/MessageId": application.message_id, "InReplyTo/Sha256": application.digest}
    return values


def _check_answer(message: Reply, case: Case | None, known: _Known) -> None:
    if case is not None and case.wrapped_key is None:
        raise Erased("the case was erased; nothing can be added to it", path="Header/CaseReference")
    application = known.applications.get(case.id) if case and case.id else None
    answers = message.header.answers
    if (
        application is None
        or answers is None
        or (answers.message_id, answers.digest) != (application.message_id, application.digest)
    ):
        raise AnswerMismatch("the reply does not answer the application that was received", path="Header/InReplyTo")


def _guard_rights(tx: Tx, draft: _Draft, rt: Runtime) -> None:
    """Step 5: the safeguards, for what is disclosed about a person for the first time."""
    if isinstance(draft.message, Application):
        statement = statement_of(tx, draft.case, rt) if draft.case else None
        draft.hold = hold_reason(draft.message, statement, rt.clock().date())


def _seal(draft: _Draft, rt: Runtime) -> None:
    """Steps 6 and 7: advance the case, sign, seal."""
    message, now = draft.message, rt.clock()
    assert message is not None
    assert not isinstance(message, Receipt)
    assert draft.checked is not None
    if isinstance(message, Application) and draft.case is None:
        draft.after = opened(
            message,
            home=draft.submitted.authority,
            event=Event.HOLD if draft.hold else Event.APPLICATION,
            treaty_version=rt.treaty(message.agreement).version,
            schema_version=draft.checked.schema_version,
            wrapped_key=rt.vault.new_case_key(),
            at=now,
        )
    elif draft.hold is None:
        draft.after = advance(draft.case, message, now)
    elif draft.case is not None:
        draft.after = replace(draft.case, state=step(draft.case.state, Event.HOLD))
    if draft.hold is None:
        header = message.header
        draft.signed = sign(draft.document, rt.ring.signing(header.sender), now)
        draft.sealed = seal(
            draft.signed, message_id=header.message_id, sender=header.sender, recipient=header.recipient, trust=rt.trust
        )


def _save(tx: Tx, drafts: Sequence[_Draft], rt: Runtime) -> list[Submission]:
    """Write the batch in one transaction."""
    now = rt.clock()
    fresh = [draft for draft in drafts if draft.after is not None and draft.after.id is None and draft.refused is None]
    for draft, case in zip(fresh, cases.add(tx, [draft.after for draft in fresh if draft.after]), strict=True):
        draft.after = case
    for draft in drafts:
        changed = draft.after is not None and draft.case is not None and draft.refused is None and draft.hold is None
        if changed and draft.after and draft.case and not cases.change_state(tx, draft.after, before=draft.case.state):
            draft.refused = TransitionNotAllowed("another answer to this case was faster")
    leaving = [draft for draft in drafts if draft.refused is None and draft.sealed is not None]
    ids = messages.add(tx, [_message_row(draft, now) for draft in leaving])
    papers: list[DocumentRow] = []
    for draft, row_id in zip(leaving, ids, strict=True):
        assert draft.after is not None
        assert draft.signed is not None
        papers.append(paper(rt, draft.after, row_id, "original", draft.submitted.body))
        papers.append(paper(rt, draft.after, row_id, "signed", draft.signed.body))
        report = draft.kept_report or (draft.report.as_json() if draft.report else None)
        if report is not None:
            papers.append(paper(rt, draft.after, row_id, "report", report))
    messages.add_documents(tx, papers)
    outbox.add(tx, [(row_id, draft.sealed) for draft, row_id in zip(leaving, ids, strict=True) if draft.sealed], now)
    entries: list[journal.Entry] = []
    results: list[Submission] = []
    for draft in drafts:
        results.append(_settle(tx, draft, rt, now))
        if draft.again is None:
            entries.append(_entry(draft, now))
    journal.append(tx, entries)
    return results


def _settle(tx: Tx, draft: _Draft, rt: Runtime, now: datetime) -> Submission:
    """Return the result of one message; write its hold, or settle the deadline that a reply meets."""
    if draft.again is not None:
        return draft.again
    if draft.refused is not None:
        log.info("message.refused", code=draft.refused.code, path=draft.refused.path, authority=draft.submitted.authority)
        return draft.refused
    assert draft.after is not None
    assert draft.after.id is not None
    if draft.hold is not None:
        _hold(tx, draft, rt, now)
        return _held(draft.after, draft.hold)
    assert draft.signed is not None
    assert draft.sealed is not None
    if isinstance(draft.message, Reply):
        reply_settles(tx, draft.after, now, now)
    return Sent(
        message_id=draft.sealed.message_id,
        case_id=draft.after.id,
        case_reference=draft.after.reference,
        digest=draft.signed.digest,
    )


def _held(case: Case, reason: HoldReason) -> Held:
    assert case.id is not None
    return Held(case_id=case.id, case_reference=case.reference, reason=reason, advice=ADVICE[reason])


def _hold(tx: Tx, draft: _Draft, rt: Runtime, now: datetime) -> None:
    case = draft.after
    assert case is not None
    assert case.id is not None
    assert case.wrapped_key is not None
    assert draft.hold is not None
    holds.hold(
        tx,
        holds.HoldRow(
            case_id=case.id,
            reason=draft.hold,
            body=rt.vault.encrypt(case.wrapped_key, serialize(draft.document), b"held"),
            original=rt.vault.encrypt(case.wrapped_key, draft.submitted.body, b"held-original"),
            report=rt.vault.encrypt(case.wrapped_key, draft.report.as_json(), b"held-report") if draft.report else None,
            dialect=draft.submitted.dialect,
            actor=draft.submitted.actor,
            created_at=now,
        ),
    )


def _message_row(draft: _Draft, now: datetime) -> MessageRow:
    assert draft.message is not None
    assert draft.after is not None
    assert draft.signed is not None
    assert draft.checked is not None
    header = draft.message.header
    return MessageRow(
        direction="out",
        sender=header.sender,
        message_id=header.message_id,
        recipient=header.recipient,
        case_id=draft.after.id,
        type=draft.checked.type,
        sequence=header.sequence,
        digest=draft.signed.digest,
        in_reply_to=header.answers.message_id if header.answers else None,
        signed_at=draft.signed.signed_at,
        created_at=now,
        received_at=None,
        outcome="waiting",
    )


def _entry(draft: _Draft, now: datetime) -> journal.Entry:
    """Return what the journal says: sent, held or refused; codes only."""
    event = "message.refused" if draft.refused else "message.held" if draft.hold else "message.sent"
    case = None if draft.refused else draft.after
    return journal.Entry(
        at=now,
        event=event,
        actor=draft.submitted.actor,
        authority=draft.submitted.authority,
        case_id=case.id if case else None,
        message_id=draft.message.header.message_id if draft.message else None,
        digest=draft.signed.digest if draft.signed else sha256(draft.submitted.body),
        detail={
            "type": draft.checked.type if draft.checked else None,
            "state": str(case.state) if case else None,
            "code": draft.refused.code if draft.refused else draft.hold,
            "path": draft.refused.path if draft.refused else None,
            "dialect": draft.submitted.dialect,
        },
    )
