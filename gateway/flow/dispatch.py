"""The end of the walk outward: safeguards, advance, sign, seal, and the transaction that decides.

Sealing happens before the outbox: a retry sends the identical bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain.case import advance, opened
from gateway.domain.clock import Happening
from gateway.domain.messages import Application, Receipt
from gateway.domain.moves import Event, Role, event_of, step
from gateway.domain.safeguards import hold_reason
from gateway.errors import BadValue, EvidenceStopped, StoreConflict
from gateway.flow.claims import claim, leave_with
from gateway.flow.clockwork import happened
from gateway.flow.draft import Draft, Held, Sent, Submission, each, held_result
from gateway.flow.openness import require_open
from gateway.flow.papers import facts_of, original_paper, report_paper, sha256, signed_paper
from gateway.flow.ports import Runtime
from gateway.flow.statements import statement_of
from gateway.log import logger
from gateway.store import cases, journal, messages, outbox
from gateway.store import statements as holds
from gateway.store.database import Tx
from gateway.store.messages import DocumentRow, MessageRow
from gateway.store.outbox import OutboxRow, Place
from gateway.trust.seal import seal
from gateway.trust.sign import sign
from gateway.wire.documents import serialize

log = logger("outbound")

CLOCK_SKEW = timedelta(minutes=5)  # a national system's clock may be ahead by this much


def guard_rights(tx: Tx, draft: Draft, rt: Runtime) -> None:
    """Step 5: whether the exchange is open; the safeguards, for what is disclosed about a person for the first time."""
    assert draft.message is not None
    assert draft.checked is not None
    require_open(draft.message.header.sender, draft.message.header.recipient, draft.checked.type, rt)
    if isinstance(draft.message, Application):
        statement = statement_of(tx, draft.case, rt) if draft.case else None
        draft.hold = hold_reason(draft.message, statement, rt.clock().date())


def seal_drafts(drafts: Sequence[Draft], now: datetime, rt: Runtime) -> None:
    """Steps 6 and 7: advance the cases, sign, seal. What fails belongs to its message alone."""
    each(drafts, lambda draft: _check_time(draft, now))
    each(drafts, lambda draft: _advance(draft, rt, now))
    each(drafts, lambda draft: _sign(draft, rt, now))
    each(drafts, lambda draft: _seal(draft, rt))


def _check_time(draft: Draft, now: datetime) -> None:
    """Raise `BadValue` for what would be signed long before it was made; the other side would refuse it."""
    assert draft.message is not None
    if draft.message.header.created > now + CLOCK_SKEW:
        raise BadValue("the message says it was made in the future", path="Header/Created")


def _advance(draft: Draft, rt: Runtime, now: datetime) -> None:
    message = draft.message
    assert message is not None
    assert not isinstance(message, Receipt)
    assert draft.checked is not None
    if isinstance(message, Application) and draft.case is None:
        draft.after = opened(
            message,
            home=draft.submitted.authority,
            event=Event.HOLD if draft.hold else event_of(message),
            treaty_version=rt.treaty(message.agreement, message.header.sender, message.header.recipient).version,
            schema_version=draft.checked.schema_version,
            wrapped_key=rt.vault.new_case_key(),
            at=now,
        )
    elif draft.hold is None:
        draft.after = advance(draft.case, message, now)
    elif draft.case is not None:
        draft.after = replace(draft.case, state=step(draft.case.state, Event.HOLD, Role.REQUESTING))


def _sign(draft: Draft, rt: Runtime, now: datetime) -> None:
    assert draft.message is not None
    if draft.hold is None:
        draft.signed = sign(draft.document, rt.ring.signing(draft.message.header.sender, now), now)


def _seal(draft: Draft, rt: Runtime) -> None:
    assert draft.message is not None
    if draft.signed is not None:
        header = draft.message.header
        draft.sealed = seal(
            draft.signed,
            message_id=header.message_id,
            sender=header.sender,
            recipient=header.recipient,
            trust=rt.trust,
            ring=rt.ring,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What one transaction wrote. Once it is committed, `leaving` is handed to the delivery loop."""

    results: list[Submission]
    leaving: list[OutboxRow]
    at: datetime


def save(tx: Tx, drafts: Sequence[Draft], rt: Runtime) -> Saved:
    """Write the batch in one transaction."""
    now = rt.clock()
    fresh = [draft for draft in drafts if draft.after is not None and draft.after.id is None and draft.refused is None]
    for draft, case in zip(fresh, cases.add(tx, [draft.after for draft in fresh if draft.after]), strict=True):
        draft.after = case
    for draft in drafts:
        changed = draft.after is not None and draft.case is not None and draft.refused is None and draft.hold is None
        if changed and draft.after and draft.case and not cases.change(tx, draft.after, before=draft.case):
            raise StoreConflict("the case was changed meanwhile")
    leaving = [draft for draft in drafts if draft.refused is None and draft.sealed is not None]
    ids = messages.add(tx, [_message_row(draft, now) for draft in leaving])
    papers: list[DocumentRow] = []
    for draft, row_id in zip(leaving, ids, strict=True):
        assert draft.after is not None
        assert draft.signed is not None
        if draft.named and draft.sealed is not None:
            outbox.add_attachments(tx, row_id, draft.sealed, leave_with(tx, draft, row_id, rt), now)
        papers.append(original_paper(rt, draft.after, row_id, draft.submitted))
        papers.append(signed_paper(rt, draft.after, row_id, draft.signed.body, draft.signed.digest))
        if report := draft.kept_report or draft.report:
            papers.append(report_paper(rt, draft.after, row_id, report))
            draft.reported = papers[-1].sha256
    messages.add_documents(tx, papers)
    entries: list[journal.Entry] = []
    results: list[Submission] = []
    for draft in drafts:
        results.append(_settle(tx, draft, rt, now))
        if draft.again is not None:
            entries.append(_repeated(draft, draft.again, now))
        elif not isinstance(draft.refused, EvidenceStopped):  # that one was not looked at
            entries.append(_entry(draft, now))
    sealed = [(row_id, draft.sealed) for draft, row_id in zip(leaving, ids, strict=True) if draft.sealed]
    places = {row_id: _place(draft) for draft, row_id in zip(leaving, ids, strict=True)}
    queued = outbox.add(tx, sealed, now, lease=rt.bell.lease(now), places=places)
    journal.append(tx, entries)
    return Saved(results=results, leaving=queued, at=now)


def _place(draft: Draft) -> Place:
    """Return where a message stands among those that wait to leave."""
    return Place(case_id=draft.after.id if draft.after else None, due_at=draft.due_at)


def _settle(tx: Tx, draft: Draft, rt: Runtime, now: datetime) -> Submission:
    """Return the result of one message; write its hold, or settle the deadline that a reply meets."""
    if draft.again is not None:
        return replace(draft.again, document=draft.document)
    if draft.refused is not None:
        log.info("message.refused", code=draft.refused.code, path=draft.refused.path, authority=draft.submitted.authority)
        return draft.refused
    assert draft.after is not None
    assert draft.after.id is not None
    if draft.hold is not None:
        _hold(tx, draft, rt, now)
        return replace(held_result(draft.after, draft.hold), document=draft.document)
    assert draft.signed is not None
    assert draft.sealed is not None
    assert draft.message is not None
    assert not isinstance(draft.message, Receipt)
    if not isinstance(draft.message, Application):
        # For our own screens; the other side's receipt says when it counts, and settles it anew.
        draft.due_at = happened(tx, draft.after, Happening.of(draft.message), now, rt, now)
    return Sent(
        message_id=draft.sealed.message_id,
        case_id=draft.after.id,
        case_reference=draft.after.reference,
        digest=draft.signed.digest,
        document=draft.document,
    )


def _hold(tx: Tx, draft: Draft, rt: Runtime, now: datetime) -> None:
    case = draft.after
    assert case is not None
    assert case.id is not None
    assert case.wrapped_key is not None
    assert draft.hold is not None
    claim(tx, case, None, draft.named, draft.files, rt)
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


def _message_row(draft: Draft, now: datetime) -> MessageRow:
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
        facts=facts_of(draft.message),
    )


def _repeated(draft: Draft, before: Sent | Held, now: datetime) -> journal.Entry:
    """Return what the journal says of a message that was handed in before: nothing was done."""
    return journal.Entry(
        at=now,
        event="message.repeated",
        actor=draft.submitted.actor,
        authority=draft.submitted.authority,
        case_id=before.case_id,
        message_id=before.message_id if isinstance(before, Sent) else None,
        digest=sha256(draft.submitted.body),
        detail={"dialect": draft.submitted.dialect},
    )


def _entry(draft: Draft, now: datetime) -> journal.Entry:
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
        }
        | ({"report": draft.reported} if draft.reported else {}),
    )
