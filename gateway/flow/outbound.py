"""The walk outward: translate, complete the header, validate, safeguards, advance, sign, seal; saved in the outbox.

Sealing happens before the outbox: a retry sends the identical bytes. A hold is a result of its own: the message is
kept, the officer is told why, and nothing leaves. While the evidence clock stands (flow/evidence.py) nothing new is taken.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from gateway.domain.case import Case
from gateway.domain.identity import new_case_reference, new_message_id
from gateway.domain.messages import OPENING, Application, Receipt, Reply, Step
from gateway.domain.safeguards import HoldReason
from gateway.errors import (
    AnswerMismatch,
    Erased,
    GatewayError,
    MessageIdReused,
    MissingField,
    SequenceUsed,
    SignerMismatch,
    StoreConflict,
    TransitionNotAllowed,
    UnknownCase,
)
from gateway.flow.claims import find_handed_in
from gateway.flow.clockwork import check_binds
from gateway.flow.dispatch import guard_rights, save, seal_drafts
from gateway.flow.draft import Draft, Held, Known, Sent, Submission, each, held_result, own_error
from gateway.flow.evidence import refusal
from gateway.flow.lapses import check_notice
from gateway.flow.minimising import minimise
from gateway.flow.papers import sha256
from gateway.flow.ports import Runtime
from gateway.flow.questions import answered_by, usual_question
from gateway.log import logger
from gateway.stages import Submitted
from gateway.store import cases, messages
from gateway.store import statements as holds
from gateway.store.cases import CaseKey
from gateway.store.database import Tx, reading, transaction
from gateway.store.messages import MessageRow
from gateway.wire.check import canonical_document
from gateway.wire.manifest import digests, manifest
from gateway.wire.reading import complete_header, header_of, instant_text, read
from gateway.wire.translate import CANONICAL

log = logger("outbound")

Note: TypeAlias = Callable[[Tx, Sequence[tuple[Submitted, Submission]]], None]


def submit(batch: Sequence[Submitted], rt: Runtime, note: Note | None = None) -> list[Submission]:
    """Take messages handed in by home authorities; return one result per message, in order.

    An error in the list is that message's own; the others are not touched by it. `note` is called with results before they
    are committed, each beside what was handed in: what it writes stands if and only if the messages do. Raises
    `DatabaseUnavailable`, and `StoreConflict` when `note` does; whatever is raised, nothing stands.
    """
    drafts = [_translate(item, rt) for item in batch]
    first, later = _apart(drafts)
    try:
        _walk(first, rt)
        results = _commit(first, rt, note)
    except StoreConflict:  # another process took one of these first: now it can be seen
        fresh = [_translate(draft.submitted, rt) for draft in first]
        _walk(fresh, rt)
        results = _commit(fresh, rt, note)
    by_draft = dict(zip(map(id, first), results, strict=True))
    if later:
        by_draft |= dict(zip(map(id, later), _afterwards(later, rt, note), strict=True))
    return [by_draft[id(draft)] for draft in drafts]


def _afterwards(drafts: Sequence[Draft], rt: Runtime, note: Note | None) -> Sequence[Submission]:
    """Take what had to wait for the first of the batch. Those stand already, so what goes wrong now is told and not raised."""
    try:
        return submit([draft.submitted for draft in drafts], rt, note)
    except GatewayError as error:
        return [error] * len(drafts)
    except Exception as error:  # noqa: BLE001  # a defect; who hands in is told that it was one
        log.error("message.failed", error_type=type(error).__name__, count=len(drafts))  # noqa: TRY400  # no person in a log
        return [GatewayError("a defect kept the message from being taken")] * len(drafts)


def _apart(drafts: Sequence[Draft]) -> tuple[list[Draft], list[Draft]]:
    """Set messages aside whose id, case or attachment stands in the batch already: they are looked at after the first."""
    first: list[Draft] = []
    later: list[Draft] = []
    seen: set[tuple[str, str]] = set()
    for draft in drafts:
        names = {(name, draft.header[name]) for name in ("MessageId", "CaseReference") if name in draft.header}
        if len(drafts) > 1:
            names |= {("Attachment", digest) for digest in digests(draft.document)}
        (later if names & seen else first).append(draft)
        seen |= names
    return first, later


def _walk(drafts: Sequence[Draft], rt: Runtime) -> None:
    """Steps 2 to 7, each for the whole batch: everything but the commit.

    They take one instant from the clock. If it were asked twice, and went back in between, the message would say that it was
    made after it was signed.
    """
    now = rt.clock()
    with reading(rt.engine) as tx:
        known = _look_up(tx, drafts)
        each(drafts, lambda draft: _complete(tx, draft, known, now, rt))
        each(drafts, lambda draft: _check(draft, rt))
        each(drafts, lambda draft: _decide(tx, draft, known, rt))
    if (stopped := refusal(rt)) is not None:
        for draft in drafts:
            if draft.refused is None and draft.again is None:
                draft.refused = stopped
    seal_drafts(drafts, now, rt)


def _commit(drafts: Sequence[Draft], rt: Runtime, note: Note | None) -> list[Submission]:
    with transaction(rt.engine) as tx:
        saved = save(tx, drafts, rt)
        if note is not None:
            note(tx, [(draft.submitted, result) for draft, result in zip(drafts, saved.results, strict=True)])
    rt.bell.hand(saved.leaving, saved.at)
    if any(draft.named for draft in drafts):
        rt.bell.ring()  # attachments are not handed over
    return saved.results


def _translate(item: Submitted, rt: Runtime) -> Draft:
    """Step 1: into canonical XML."""
    rt.require_home(item.authority)
    draft = Draft(submitted=item)
    with own_error(draft):
        dialect = None if item.dialect == CANONICAL else rt.partners.dialect(item.dialect)
        if rt.screen is not None and not (dialect and dialect.form.table and dialect.form.text):
            rt.screen(item.body)  # what is no XML, nor JSON, nor a package of XML never meets the parser it is about
        if dialect is None:
            draft.document = canonical_document(item.body, rt.schemas)
        else:
            translation = rt.translators[dialect.id].to_canonical(item.body)
            draft.document, draft.report = translation.document, translation.report
        draft.header = header_of(draft.document)
    return draft


def _look_up(tx: Tx, drafts: Sequence[Draft]) -> Known:
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
    return Known(
        cases=found,
        openers=messages.openers(tx, rows),
        sequences=messages.last_sequences(tx, rows, "out"),
        sent=messages.known(tx, "out", sorted(ids)),
    )


def _complete(tx: Tx, draft: Draft, known: Known, now: datetime, rt: Runtime) -> None:
    """Step 2: whether it was handed in before; else complete its header."""
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
    filled = complete_header(draft.document, _header_values(tx, draft, kind or "", known, now))
    if draft.report is not None and filled:
        draft.report = draft.report.with_filled(filled)


def _check(draft: Draft, rt: Runtime) -> None:
    """Step 3: schema, rules between fields, allow-list."""
    draft.checked = rt.schemas.check(draft.document)
    rt.allowed.check(draft.checked)


def _decide(tx: Tx, draft: Draft, known: Known, rt: Runtime) -> None:
    """Steps 4 and 5: into our words; whether it fits its case, without what the treaty withholds; the safeguards."""
    assert draft.checked is not None
    draft.message = read(draft.checked)
    assert not isinstance(draft.message, Receipt), "refused above"
    rt.partners.authority(draft.message.header.recipient)
    _check_place(tx, draft.message, draft.case, known, rt)
    minimise(draft, rt)
    draft.named = manifest(draft.document)
    draft.files = find_handed_in(tx, draft.submitted.authority, draft.named)
    guard_rights(tx, draft, rt)


def _check_place(tx: Tx, message: Application | Reply | Step, case: Case | None, known: Known, rt: Runtime) -> None:
    """Check that the message fits where it stands: the treaty binds the two, its number is the next, it answers what came."""
    header = message.header
    last = known.sequences.get(case.id, 0) if case and case.id and not isinstance(message, Application) else 0
    if header.sequence != last + 1:
        raise SequenceUsed(f"the next message of this case has the number {last + 1}", path="Header/Sequence")
    if isinstance(message, Application):
        check_binds(message.agreement, requesting=header.sender, requested=header.recipient, rt=rt)
        if case is not None:
            raise TransitionNotAllowed("there is a case with this reference already", path="Header/CaseReference")
        return
    if case is not None and case.wrapped_key is None:
        raise Erased("the case was erased; nothing can be added to it", path="Header/CaseReference")
    if isinstance(message, Reply):
        _check_reply(message, case, known)
    elif header.answers is not None and case is not None:
        answered = answered_by(tx, case, header.answers.message_id)
        if answered is None or answered.digest != header.answers.digest:
            raise AnswerMismatch("the message answers nothing that was exchanged in this case", path="Header/InReplyTo")
    if isinstance(message, Step) and message.type == "LapseNotice" and case is not None:
        check_notice(tx, message, case, rt)


def _sent_before(tx: Tx, draft: Draft, earlier: MessageRow) -> Sent:
    """Answer a repeat like the first time. Raises `MessageIdReused` when the bytes differ."""
    assert earlier.id is not None
    if earlier.case_id is None:
        raise MessageIdReused("this message id belongs to a receipt", path="Header/MessageId")
    case = cases.get(tx, earlier.case_id)
    original = messages.document(tx, earlier.id, "original")
    if original is None or original.sha256 != sha256(draft.submitted.body):
        raise MessageIdReused("this message id was used before, with other bytes", path="Header/MessageId")
    return Sent(message_id=earlier.message_id, case_id=earlier.case_id, case_reference=case.reference, digest=earlier.digest)


def _held_before(tx: Tx, draft: Draft, rt: Runtime) -> Held | None:
    """Return the hold of a case whose application is held and was handed in with exactly these bytes."""
    case = draft.case
    hold = holds.open_hold(tx, case.id) if case and case.id else None
    if case is None or hold is None or case.wrapped_key is None:
        return None
    same = rt.vault.decrypt(case.wrapped_key, hold.original, b"held-original") == draft.submitted.body
    return held_result(case, HoldReason(hold.reason)) if same else None


def _header_values(tx: Tx, draft: Draft, kind: str, known: Known, now: datetime) -> dict[str, str]:
    """Return what the gateway knows of the header; only what is missing will be written."""
    values = {"MessageId": new_message_id(now), "Sender": draft.submitted.authority, "Created": instant_text(now)}
    if kind in OPENING:
        return values | {"CaseReference": new_case_reference(), "Sequence": "1"}
    if draft.case is None or draft.case.id is None:
        if "CaseReference" not in draft.header:
            raise MissingField("the message names the case it belongs to", path="Header/CaseReference")
        raise UnknownCase("there is no case with this reference between these two authorities", path="Header/CaseReference")
    values["Sequence"] = str(known.sequences.get(draft.case.id, 0) + 1)
    answered = usual_question(tx, draft.case, kind, known.openers.get(draft.case.id))
    if answered is not None:
        values |= {"InReplyTo/MessageId": answered.message_id, "InReplyTo/Sha256": answered.digest}
    return values


def _check_reply(message: Reply, case: Case | None, known: Known) -> None:
    opener = known.openers.get(case.id) if case and case.id else None
    answers = message.header.answers
    if opener is None or answers is None or (answers.message_id, answers.digest) != (opener.message_id, opener.digest):
        raise AnswerMismatch("the reply does not answer the application that was received", path="Header/InReplyTo")
