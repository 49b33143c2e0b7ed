"""Silence that was recorded, and taken back: by a named person, with a reason."""

from gateway.errors import NotFound, TransitionNotAllowed
from gateway.flow.ports import Runtime
from gateway.store import cases, deadlines, journal
from gateway.store.database import transaction


def reverse_lapse(case_id: int, limit_id: str, *, by: str, why: str, rt: Runtime) -> None:
    """Take a recorded lapse back: the deadline is open again, and what was told of it stays told.

    A lapse that the other side was told of by a LapseNotice is taken back by a Correction of that notice, so that both
    sides know. Raises `NotFound` for a deadline that is not there, `TransitionNotAllowed` for one that did not lapse.
    """
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
