"""The deadlines of a case: set when the clock starts, settled when the message that is awaited comes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.domain.answers import Deadline
from gateway.domain.calendars import Side
from gateway.domain.case import Case
from gateway.domain.deadlines import due_date
from gateway.errors import TreatyDoesNotBind, UnknownLimit
from gateway.flow.ports import Runtime
from gateway.store import deadlines
from gateway.store.database import Tx
from gateway.store.deadlines import DeadlineRow

REPLY = "reply"
# Limits that the receipt of an application starts. The reply itself starts the next ones (part of the rule engine).
STARTED_BY_RECEIPT = (REPLY,)


def first_deadlines(cases: Sequence[tuple[Case, datetime]], rt: Runtime, now: datetime) -> list[DeadlineRow]:
    """Return the deadlines that the receipt of an application starts; the same on both sides of a case.

    The instant beside each case stands in the requested side's receipt: it is the proof that starts the clock.
    Cases of one batch that are counted alike (same rule, states and instant) are counted once.
    """
    counted: dict[tuple[object, ...], tuple[Deadline, dict[str, Any]] | None] = {}
    rows: list[DeadlineRow] = []
    for case, received_at in cases:
        for limit_id in STARTED_BY_RECEIPT:
            alike = (
                case.treaty,
                limit_id,
                received_at,
                case.requested_state,
                case.requesting_state,
                case.procedure,
                case.category,
            )
            if alike not in counted:
                counted[alike] = _count(case, limit_id, received_at, rt)
            found = counted[alike]
            if found is not None:
                rows.append(_row(case, limit_id, *found, received_at, now))
    return rows


def _count(case: Case, limit_id: str, received_at: datetime, rt: Runtime) -> tuple[Deadline, dict[str, Any]] | None:
    try:
        found = due_date(
            rt.treaty(case.treaty),
            limit_id,
            start=received_at,
            requested=Side.of(case.requested_state, rt.calendars),
            requesting=Side.of(case.requesting_state, rt.calendars),
            procedure=case.procedure,
            category=case.category,
        )
    except UnknownLimit:
        return None  # the treaty says nothing about it: there is no deadline, and none is invented
    return found, found.as_dict()


def _row(
    case: Case, limit_id: str, found: Deadline, detail: dict[str, Any], started_at: datetime, now: datetime
) -> DeadlineRow:
    assert case.id is not None
    limit = found.limit
    return DeadlineRow(
        case_id=case.id,
        limit_id=limit_id,
        must_act=str(limit.who) if limit else "requested",
        started_at=started_at,
        known=found.known,
        due_on=found.literal.due_on if found.literal else None,
        due_until=found.literal.until if found.literal else None,
        rolled_on=found.rolled.due_on if found.rolled else None,
        rolled_until=found.rolled.until if found.rolled else None,
        lapses_at=found.lapses_at,
        on_lapse=str(limit.on_lapse) if limit else "nothing",
        source=limit.cited if limit else "",
        confidence=str(limit.confidence) if limit else "unverified",
        treaty_version=found.treaty.version,
        calendar_version=found.calendar_version,
        state="open",
        detail=detail,
        changed_at=now,
    )


def check_binds(agreement: str, *, requesting: str, requested: str, rt: Runtime) -> None:
    """Raise `TreatyDoesNotBind` unless the two authorities' states stand on the two sides of the treaty.

    Raises `UnknownTreaty` for an id without a rule file.
    """
    if not rt.treaty(agreement).binds(requesting[:2], requested[:2]):
        raise TreatyDoesNotBind(
            f"the treaty {agreement} does not bind {requesting[:2]} and {requested[:2]} to each other", path="Request/Agreement"
        )


def reply_settles(tx: Tx, case: Case, replied_at: datetime, now: datetime) -> None:
    """Settle the deadline of the reply: met or late. A reply received in time wins over a lapse recorded before it was read."""
    assert case.id is not None
    for row in deadlines.of_cases(tx, [case.id]):
        if row.limit_id != REPLY:
            continue
        late = row.lapses_at is not None and replied_at >= row.lapses_at
        deadlines.answer(tx, case.id, REPLY, state="late" if late else "met", at=now)
