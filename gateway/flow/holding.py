"""Messages that a safeguard holds: looked at again after a person acted, and known again when they are handed in once more."""

from gateway.domain.case import Case
from gateway.domain.safeguards import HoldReason
from gateway.errors import (
    Erased,
    MessageIdReused,
    TransitionNotAllowed,
)
from gateway.flow.dispatch import guard_rights, save, seal_drafts
from gateway.flow.draft import Draft, Held, Sent, Submission, held_result, own_error
from gateway.flow.evidence import refusal
from gateway.flow.minimising import check_again
from gateway.flow.papers import sha256
from gateway.flow.ports import Runtime
from gateway.stages import Submitted
from gateway.store import cases, journal, messages
from gateway.store import statements as holds
from gateway.store.database import reading, transaction
from gateway.wire.documents import parse_xml
from gateway.wire.manifest import manifest
from gateway.wire.reading import read


def resume(case_id: int, actor: str, rt: Runtime) -> Submission:
    """Look again at a held message, after its statement was made or released; send it if nothing holds it any more.

    The case is locked meanwhile: a statement cannot change between the look and the sending.
    Raises `EvidenceStopped` while no timestamp can be had: nothing new is sent out then.
    """
    if (stopped := refusal(rt)) is not None:
        raise stopped
    with transaction(rt.engine) as tx:
        case = cases.get(tx, case_id, lock=True)
        hold = holds.open_hold(tx, case_id)
        if hold is None or hold.id is None or case.wrapped_key is None:
            raise TransitionNotAllowed("nothing of this case is held")
        draft = _held_draft(case, hold, actor, rt)
        with own_error(draft):
            draft.checked = rt.schemas.check(draft.document)
            draft.message = read(draft.checked)
            check_again(draft, rt)
            draft.named, draft.released = manifest(draft.document), True
            if messages.known(tx, "out", [(case.home, draft.message.header.message_id)]):
                raise MessageIdReused("this message id was used before, in another case", path="Header/MessageId")
            guard_rights(tx, draft, rt)
            seal_drafts([draft], rt.clock(), rt)
        if draft.refused is not None:
            raise draft.refused
        if draft.hold is not None:
            holds.change_reason(tx, hold.id, draft.hold)
            journal.append(tx, [_still_held(case, draft.hold, actor, rt)])
            return held_result(case, draft.hold)
        if not holds.end_hold(tx, hold.id, by=actor, at=rt.clock()):
            raise TransitionNotAllowed("the message was released already")
        saved = save(tx, [draft], rt)
    rt.bell.hand(saved.leaving, saved.at)
    return saved.results[0]


def _still_held(case: Case, reason: HoldReason, actor: str, rt: Runtime) -> journal.Entry:
    detail = {"code": reason, "state": str(case.state)}
    return journal.Entry(at=rt.clock(), event="message.held", actor=actor, authority=case.home, case_id=case.id, detail=detail)


def _held_draft(case: Case, hold: holds.HoldRow, actor: str, rt: Runtime) -> Draft:
    """Return the held message as it stood when it was held."""
    assert case.wrapped_key is not None
    original = rt.vault.decrypt(case.wrapped_key, hold.original, b"held-original")
    return Draft(
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
            if _is_held(case, hold, body, rt):
                return held_result(case, HoldReason(hold.reason))
    return None


def _is_held(case: Case, hold: holds.HoldRow, body: bytes, rt: Runtime) -> bool:
    """Whether a hold keeps exactly these bytes; what was erased keeps none."""
    try:
        return rt.vault.decrypt(case.wrapped_key or b"", hold.original, b"held-original") == body
    except Erased:
        return False
