"""Silence that was recorded: told to the other side with its evidence, or taken back by a named person, with a reason."""

from datetime import datetime

from gateway.domain.case import Case, check_lapse
from gateway.domain.messages import Step
from gateway.errors import AnswerMismatch, MissingField, NotFound, TransitionNotAllowed
from gateway.flow.clockwork import count_deadline
from gateway.flow.ports import Runtime
from gateway.store import cases, deadlines, journal, messages
from gateway.store.database import Tx, transaction

MEANINGS = {"reasons-due": "reasons"}  # word of a notice -> word of the rule files, where they are not the same


def reverse_lapse(case_id: int, limit_id: str, *, by: str, why: str, rt: Runtime) -> None:
    """Take a recorded lapse back: the deadline is open again, and what was told of it stays told.

    A lapse that the other side was told of by a LapseNotice is taken back by a Correction of that notice, so that both
    sides know. Raises `MissingField` without a person or a reason, `NotFound` for a deadline that is not
    there, `TransitionNotAllowed` for one that did not lapse.
    """
    for name, text in (("who", by), ("why", why)):
        if not text.strip():
            raise MissingField("a lapse is taken back by a named person, with a reason", path=name)
    now = rt.clock()
    with transaction(rt.engine) as tx:
        case = cases.get(tx, case_id, lock=True)
        row = deadlines.get(tx, case_id, limit_id)
        if row is None:
            raise NotFound("the case has no such deadline")
        if row.state != "lapsed":
            raise TransitionNotAllowed(f"the deadline is {row.state}: no lapse is recorded")
        if case.lapse_notice is not None:
            raise TransitionNotAllowed("the other side was told of the lapse: send a correction of the notice")
        deadlines.answer(tx, case_id, limit_id, state="open", at=now)
        journal.append(
            tx,
            [
                journal.Entry(
                    at=now,
                    event="deadline.lapse_reversed",
                    actor=by,
                    authority=case.home,
                    case_id=case_id,
                    detail={"limit": limit_id, "why": why},
                )
            ],
        )


def check_notice(tx: Tx, notice: Step, case: Case, rt: Runtime) -> None:
    """Refuse a notice of a lapse that is not recorded here as it says, with the receipt that started the clock.

    Raises `TransitionNotAllowed` where no such lapse is recorded, `AnswerMismatch` where its evidence is another.
    """
    assert case.id is not None
    row = deadlines.get(tx, case.id, notice.limit or "")
    if row is None or row.state != "lapsed":
        raise TransitionNotAllowed("no lapse of this limit is recorded", path="Lapse/Limit")
    rule = rt.rules_of(case).limit(row.limit_id, case.procedure, case.category)
    meant = (row.on_lapse, *(rule.also_on_lapse if rule else ()))
    if MEANINGS.get(notice.outcome or "", notice.outcome) not in meant:
        raise TransitionNotAllowed("the rule gives this silence another meaning", path="Lapse/Meaning")
    if notice.at != row.lapses_at:
        raise AnswerMismatch("the lapse is recorded for another instant", path="Lapse/LapsedAt")
    receipt = _receipt(tx, case, row.inputs.get("message", ""))
    if receipt is None or notice.proof is None or (notice.proof.message_id, notice.proof.digest) != receipt:
        raise AnswerMismatch("the proof is not the receipt that started the clock", path="Lapse/Proof")


def check_their_notice(tx: Tx, notice: Step, case: Case, received_at: datetime, rt: Runtime) -> None:
    """Refuse a notice of silence for an instant that lies ahead, or before the end of the limit as we count it.

    More time and standstills are left aside: the two sides may learn of them at different times, and without them no
    limit ends later for the other side. Raises `TransitionNotAllowed`, also where we know of no such limit.
    """
    row = deadlines.get(tx, case.id, notice.limit) if case.id and notice.limit else None
    earliest = None
    if row is not None:
        plain = row.inputs | {"extension": None, "stops": []}
        earliest = count_deadline(case, row.limit_id, plain, rt.rules_of(case), rt).lapses_at
    check_lapse(notice, earliest, received_at)


def _receipt(tx: Tx, case: Case, message_id: str) -> tuple[str, str] | None:
    """Return id and digest of the receipt for a message of a case, whichever side sent it."""
    assert case.id is not None
    starter = next((row for row in messages.of_case(tx, case.id) if row.message_id == message_id), None)
    if starter is None or starter.receipt_message_id is None:
        return None
    direction, key = "in" if starter.direction == "out" else "out", (starter.recipient, starter.receipt_message_id)
    found = messages.known(tx, direction, [key]).get(key)
    return (found.message_id, found.digest) if found else None
