"""One batch of received messages, decided message by message: taken, waiting, repeated or refused. Nothing is written here.

A batch couples nothing but the commit: a message that is refused is settled alone, and the others go on.
"""

from dataclasses import replace

from gateway.domain.case import Case, advance, opened
from gateway.domain.messages import (
    OPENING,
    REPLY_TYPES,
    Application,
    Message,
    Receipt,
    ReceiptItem,
    Reply,
    Step,
    type_of,
)
from gateway.domain.moves import event_of
from gateway.errors import (
    AnswerMismatch,
    AttachmentMissing,
    Erased,
    MessageIdReused,
    PartnerSuspended,
    Refused,
    TransitionNotAllowed,
    UnknownCase,
)
from gateway.flow import receipts
from gateway.flow.arrival import CLOCK_SKEW, Answer, Prepared, Rejected
from gateway.flow.batch import Batch, case_key, name_of, place_of, type_inside
from gateway.flow.claims import check_as_named, lacking
from gateway.flow.gaps import given_up_from
from gateway.flow.lapses import check_their_notice
from gateway.flow.openness import require_production, suspension
from gateway.flow.order import missing_before, wait_for
from gateway.flow.papers import sha256
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.stages import Opened, Received
from gateway.store import early, journal, messages
from gateway.store.database import Tx
from gateway.store.messages import MessageRow

log = logger("inbound")


def decide(tx: Tx, item: Prepared | Rejected, work: Batch, rt: Runtime) -> Answer:
    """Decide one message of a batch. Nothing of a refused message is kept but its refusal."""
    name = name_of(item)
    if name is None:
        assert isinstance(item, Rejected), "what was unsealed has an id"
        return _refuse(item, work)
    assert item.opened is not None, "what has an id was opened"
    digest = item.opened.digest
    earlier = work.seen[name].digest if name in work.seen else work.in_batch.get(name)
    if earlier == digest:
        work.entries.append(_repeated(item.received, item.opened, name, work))
        if name in work.seen:
            work.entries += receipts.repeat(tx, rt, work.seen[name], work.now)
            _use_up_late(tx, item.opened, work.seen[name], work)
        return Answer(outcome="repeated", message_id=name[1])
    if name in work.kept and work.kept[name].digest != digest:
        earlier = work.kept[name].digest  # what waits goes on waiting, whatever else comes under its id
    work.in_batch.setdefault(name, digest)
    if isinstance(item, Rejected):
        return _refuse(item, work, again=earlier is not None)
    try:
        if earlier is not None:
            raise MessageIdReused("this message id was used before, with other bytes", path="Header/MessageId")
        answer = (
            _suspended(item, name, work, rt)
            or _wait(tx, item, name, work)
            or _wait_for_files(item, name, work)
            or _take(tx, item, work, rt)
        )
    except Refused as error:
        answer = _refuse(Rejected(received=item.received, error=error, opened=item.opened), work, again=earlier is not None)
    if name in work.kept and earlier is None and answer.outcome != "waiting":
        work.done.append(name)
    return answer


def _repeated(received: Received, opened: Opened, name: tuple[str, str], work: Batch) -> journal.Entry:
    return journal.Entry(
        at=work.now,
        event="message.repeated",
        actor=opened.signer,
        authority=opened.sealed_for,
        message_id=name[1],
        digest=opened.digest,
        detail={"transport": received.transport},
    )


def _use_up_late(tx: Tx, opened: Opened, row: MessageRow, work: Batch) -> None:
    """Let a message that was refused before its turn use up its number, once its turn has come: what follows need not wait."""
    place = place_of(opened)
    case = work.current.get(place[0]) if place and row.outcome == "refused" and row.sequence is None else None
    if case is None or case.id is None or place is None or row.id is None:
        return
    if place[1] == work.sequences.get(place[0], 0) + 1:
        messages.use_up(tx, row.id, case_id=case.id, sequence=place[1])
        work.sequences[place[0]] = place[1]


def _suspended(item: Prepared, name: tuple[str, str], work: Batch, rt: Runtime) -> Answer | None:
    """Keep a message whose exchange is suspended, and say so to its sender with the time it came; None if it is open.

    In production, raises `PartnerNotAdmitted` or `PartnerNotInProduction` where it never was open.
    """
    header = item.message.header
    if isinstance(item.message, Receipt):
        return None
    require_production(header.sender, rt)
    if suspension(rt, header.sender, header.recipient, item.checked.type) is None:
        return None
    kept = work.kept.get(name)
    if kept is None:
        row = wait_for(item.received, item.opened, header, files=len(item.named))
        work.waiting.append(replace(row, suspended_type=item.checked.type))
        work.note(item, "message.waiting", {"code": PartnerSuspended.code, "type": item.checked.type})
        work.drafts.wait(header, item.opened.digest, item.received.received_at, (), code=PartnerSuspended.code)
    elif kept.suspended_type is None and kept.id is not None:  # it waited for something else until now
        work.suspended.append((kept.id, item.checked.type))
    else:
        work.entries.append(_repeated(item.received, item.opened, name, work))
    return Answer(outcome="waiting", message_id=header.message_id)


def _wait(tx: Tx, item: Prepared, name: tuple[str, str], work: Batch) -> Answer | None:
    """Keep a message that came before an earlier one of its case, and ask for that; None when its turn has come.

    An earlier one that is here already, and waits for its attachments, is not asked for.
    """
    header, key = item.message.header, case_key(item.message)
    if key is None:
        return None
    given_up = work.kept[name].given_up_from if name in work.kept else None
    if given_up is not None and given_up <= work.sequences.get(key, 0) + 1:
        work.sequences[key] = (header.sequence or 0) - 1  # what is missing never comes: its sender says so
    missing = missing_before(header, work.sequences.get(key, 0))
    if not missing:
        return None
    if name in work.kept:
        work.entries.append(_repeated(item.received, item.opened, name, work))
    else:
        work.waiting.append(wait_for(item.received, item.opened, header, files=len(item.named)))
        detail = {"code": "sequence-gap", "missing": len(missing), "type": item.checked.type}
        work.note(item, "message.waiting", detail)
    place = {"home": header.recipient, "sender": header.sender, "reference": header.case_reference or ""}
    here = early.here(tx, **place) | {
        row.sequence for row in work.waiting if (row.files or row.suspended_type) and row.is_at(**place)
    }
    if asked := tuple(number for number in missing if number not in here):
        work.drafts.wait(header, item.opened.digest, item.received.received_at, asked)
    return Answer(outcome="waiting", message_id=header.message_id)


def _wait_for_files(item: Prepared, name: tuple[str, str], work: Batch) -> Answer | None:
    """Keep a message whose attachments are not all there yet; None when they are, or it has none.

    Nothing is asked for: the parts are on their way. Raises `Refused` when what came is not what the message names.
    """
    if not item.named:
        return None
    arrived = work.arrived.get(name, {})
    missing = lacking(item.named, arrived)
    if not missing:
        check_as_named(item.named, arrived)
        return None
    if name in work.kept:
        work.entries.append(_repeated(item.received, item.opened, name, work))
    else:
        work.waiting.append(wait_for(item.received, item.opened, item.message.header, files=len(item.named)))
        work.note(item, "message.waiting", {"code": AttachmentMissing.code, "missing": missing, "type": item.checked.type})
    return Answer(outcome="waiting", message_id=name[1])


def _take(tx: Tx, item: Prepared, work: Batch, rt: Runtime) -> Answer:
    """Advance the case in memory, and note the line of the receipt. Raises `Refused` when the message does not fit."""
    message, header = item.message, item.message.header
    if isinstance(message, Receipt):
        if not any(fits(one, item, work.sent) or gives_up(one, item, work) for one in message.items):
            raise AnswerMismatch("the receipt names nothing that was sent to this authority, as it was sent", path="Item")
        work.taken.append((item, None, None))
        return Answer(outcome="accepted", message_id=header.message_id)
    key = case_key(message)
    if key is None:
        raise UnknownCase("the message carries no case reference", path="Header/CaseReference")
    case = work.current.get(key)
    if isinstance(message, Application):
        if case is not None:
            raise TransitionNotAllowed("there is a case with this reference already", path="Header/CaseReference")
        work.current[key] = opened(
            message,
            home=header.recipient,
            event=event_of(message),
            treaty_version=rt.treaty(message.agreement, header.sender, header.recipient).version,
            schema_version=item.checked.schema_version,
            wrapped_key=rt.vault.new_case_key(),
            at=work.now,
        )
    else:
        work.current[key] = _advanced(tx, item, case, work, rt)
    work.sequences[key] = header.sequence or 0
    work.placed[header.sender, header.message_id] = key
    draft = None  # for an authority on paper nothing proves receipt yet, and no clock runs: flow/deliveries.py
    if not rt.on_paper(header.recipient):
        draft = work.drafts.accept(header, item.opened.digest, item.received.received_at)
    work.taken.append((item, key, draft))
    return Answer(outcome="accepted", message_id=header.message_id)


def _advanced(tx: Tx, item: Prepared, case: Case | None, work: Batch, rt: Runtime) -> Case:
    """Return the case after a message of the other side. Raises `Refused` when it does not fit."""
    message, header = item.message, item.message.header
    assert not isinstance(message, Receipt | Application), "handled before"
    lapse = case is not None and case.id is not None and type_of(message) == "LapseNotice"
    own_reply = messages.last_of(tx, case.id, REPLY_TYPES, "out") if lapse and case and case.id else None
    if lapse and case is not None and isinstance(message, Step):
        check_their_notice(tx, message, case, item.received.received_at, rt)
    changed = advance(
        case,
        message,
        work.now,
        received_at=item.received.received_at,
        answered_at=own_reply.received_at if own_reply else None,
    )
    if changed.wrapped_key is None:
        raise Erased("the case was erased; nothing can be added to it", path="Header/CaseReference")
    answers = header.answers
    if answers is None or (not isinstance(message, Reply) and _came_together(message, work)):
        return changed
    answered = work.sent.get((header.recipient, answers.message_id)) or messages.known(
        tx, "in", [(header.sender, answers.message_id)]
    ).get((header.sender, answers.message_id))
    if answered is None or answered.digest != answers.digest or answered.case_id != changed.id:
        raise AnswerMismatch("the message answers nothing that was exchanged in this case", path="Header/InReplyTo")
    if isinstance(message, Reply) and answered.type not in OPENING:
        raise AnswerMismatch("the reply does not answer the application that was sent", path="Header/InReplyTo")
    return changed


def _came_together(message: Message, work: Batch) -> bool:
    """Whether a message answers one of its own sender's that was taken in this very batch, in the same case."""
    header = message.header
    name = (header.sender, header.answers.message_id) if header.answers else None
    same = name in work.placed and work.placed[name] == case_key(message)
    return same and header.answers is not None and name is not None and work.in_batch.get(name) == header.answers.digest


def fits(one: ReceiptItem, item: Prepared, sent: dict[tuple[str, str], MessageRow]) -> bool:
    """Whether a line of a receipt speaks of a message of ours, sent to this authority, as it was sent, at a possible time."""
    header = item.message.header
    row = sent.get((header.recipient, one.message_id))
    if row is None or row.recipient != header.sender or row.digest != one.digest or row.signed_at is None:
        return False
    return row.signed_at - CLOCK_SKEW <= one.received_at <= item.opened.signed_at + CLOCK_SKEW


def gives_up(one: ReceiptItem, item: Prepared, work: Batch) -> int | None:
    """Return the first of the numbers that a line of a receipt gives up for a message of its signer that waits here."""
    header = item.message.header
    return given_up_from(one, work.kept.get((header.sender, one.message_id)), home=header.recipient)


def _refuse(item: Rejected, work: Batch, *, again: bool = False) -> Answer:
    """Note a refusal. A verified sender gets a signed negative receipt; anything else is only recorded.

    Ids come from the seal, which was checked: the refused document itself may say anything. `again` means that the id was
    used before with other bytes; that is alarmed.
    """
    opened = item.opened
    message_id = opened.sealed_id if opened else None
    draft = None
    if opened and opened.sealed_for and message_id and type_inside(opened) != "Receipt":
        draft = work.drafts.refuse(
            sender=opened.signer,
            recipient=opened.sealed_for,
            message_id=message_id,
            digest=opened.digest,
            received_at=item.received.received_at,
            error=item.error,
        )
    place = place_of(opened)
    case = work.current.get(place[0]) if place else None
    if case is None or again or place is None or place[1] != work.sequences.get(place[0], 0) + 1:
        place = None
    else:
        work.sequences[place[0]] = place[1]  # its number is used up: what follows it need not wait
    work.refused.append((item, None if again else draft, place[0] if place else None))
    work.entries.append(
        journal.Entry(
            at=work.now,
            event="message.refused",
            actor=opened.signer if opened else "unknown",
            authority=opened.sealed_for if opened else None,
            case_id=case.id if case else None,
            message_id=message_id,
            digest=sha256(item.received.body),
            detail={
                "code": item.error.code,
                "path": item.error.path,
                "transport": item.received.transport,
                "alarm": again,
                "signed": opened.digest if opened else None,  # of the envelope inside, once it was verified
            },
        )
    )
    log.warning("message.refused", code=item.error.code, transport=item.received.transport, message_id=message_id)
    return Answer(outcome="refused", message_id=message_id, code=item.error.code)
