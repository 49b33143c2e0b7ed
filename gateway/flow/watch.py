"""The clock's walk: deadline whose moment has come, look again, conditional update, journal.

Reminders, overdue and lapse are each told once, however many watches run. Silence is recorded with its evidence;
nothing is arranged by it. A person decides what follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.case import Case
from gateway.domain.clock import MEETS, Mark
from gateway.domain.moves import Event
from gateway.errors import Unavailable
from gateway.flow.chase import ask_again, sweep
from gateway.flow.clockwork import told
from gateway.flow.inbound import heal
from gateway.flow.openness import free_resumed, suspensions
from gateway.flow.paper_due import set_aside_for_paper
from gateway.flow.papers import happening_of
from gateway.flow.ports import Runtime
from gateway.flow.recount import recount_outdated
from gateway.log import logger
from gateway.partners.calendar_changes import CalendarBook
from gateway.store import cases, deadlines, journal, messages
from gateway.store.database import Tx, transaction
from gateway.store.deadlines import DeadlineRow

log = logger("watch")

AGAIN = timedelta(hours=1)  # when a lapse lacks its evidence, it is looked at again after this


def watch_once(rt: Runtime, *, most: int = 100) -> int:
    """Tell what is to be told of deadlines by now, in order of time; return how many things were told."""
    rt.vault.refresh()  # what another process destroyed is forgotten here too
    free_resumed(rt)  # before silence is judged: an answer may have waited
    heal(rt)
    set_aside_for_paper(rt)
    ask_again(rt)
    sweep(rt)
    if isinstance(rt.calendars, CalendarBook) and rt.calendars.refresh():
        try:
            recount_outdated(rt)
        except Unavailable:
            rt.calendars.look_again()
            raise
    count = 0
    while True:
        now = rt.clock()
        with transaction(rt.engine) as tx:
            rows = deadlines.due(tx, now, most=most)
            said = sorted((one for row in rows for one in _tell(tx, row, now, rt)), key=lambda one: one[0])
            journal.append(tx, [entry for _, entry in said])
        count += len(said)
        if len(rows) < most:
            return count


def _tell(tx: Tx, row: DeadlineRow, now: datetime, rt: Runtime) -> list[tuple[datetime, journal.Entry]]:
    """Tell of one deadline what its time has brought, each with its time; nothing if another watch was faster."""
    case = cases.get(tx, row.case_id)
    ahead = [
        Mark(stage=stage, at=datetime.fromisoformat(at))
        for stage, at in row.inputs.get("marks", ())
        if not told(stage, row.stage)
    ]
    come = [mark for mark in ahead if mark.at <= now]
    later = [mark for mark in ahead if mark.at > now]
    if not come:
        deadlines.tell(tx, row, stage=row.stage, look_at=later[0].at if later else None, at=now)
        return []
    reminders = [mark for mark in come if mark.stage.startswith("remind")]
    said = [mark for mark in come if mark not in reminders]
    if not said:
        said = reminders[-1:]  # after a downtime only the reminder nearest to the end
    lapse = None
    if said[-1].stage == "lapse" and not suspensions(rt, case.home, case.counterparty):  # else an answer may be kept, unread
        lapse = _evidence(tx, case, row)
    if said[-1].stage == "lapse" and lapse is None:
        said, later = said[:-1], [Mark(stage="lapse", at=now + AGAIN)]
    stage = said[-1].stage if said else row.stage
    state = "lapsed" if lapse is not None else "open"
    if not deadlines.tell(tx, row, stage=stage, look_at=later[0].at if later else None, at=now, state=state):
        return []
    return [(mark.at, _entry(mark, row, case, now, lapse)) for mark in said]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why silence may be recorded: what started the clock, and the signed receipt that says when it was received."""

    message_id: str
    digest: str
    sent_at: datetime | None  # when its sender signed it
    receipt: str | None  # message id of the receipt; None where we received it ourselves and issued it


def _evidence(tx: Tx, case: Case, row: DeadlineRow) -> Evidence | None:
    """Return the evidence for a lapse, None when it is not complete: no proof of receipt, or an answer is there."""
    assert case.id is not None
    rows = messages.of_case(tx, case.id)
    starter = next((one for one in rows if one.message_id == row.inputs["message"]), None)
    if starter is None or row.lapses_at is None or case.suspended:
        return None
    proven = starter.direction == "in" or (starter.receipt_message_id is not None and starter.outcome == "received")
    if not proven or _answered(rows, row):
        return None
    return Evidence(
        message_id=starter.message_id,
        digest=starter.digest,
        sent_at=starter.signed_at,
        receipt=starter.receipt_message_id,
    )


def _answered(rows: Sequence[messages.MessageRow], row: DeadlineRow) -> bool:
    """Whether a message that meets the limit was received in time, though it may be processed late."""
    assert row.lapses_at is not None
    return any(
        row.limit_id in MEETS.get(_event(one), ())
        and one.outcome not in {"refused", "parked", "dropped"}
        and (one.received_at is None or one.received_at < row.lapses_at)
        for one in rows
        if one.message_id != row.inputs["message"]
    )


def _event(row: messages.MessageRow) -> Event:
    return happening_of(row).event


def _entry(mark: Mark, row: DeadlineRow, case: Case, now: datetime, lapse: Evidence | None) -> journal.Entry:
    event = {"overdue": "deadline.overdue", "lapse": "deadline.lapsed"}.get(mark.stage, "deadline.reminded")
    log.info("deadline.told", step=mark.stage, case=case.id, limit=row.limit_id, treaty=case.treaty)
    detail = {
        "limit": row.limit_id,
        "must_act": row.must_act,
        "stage": mark.stage,
        "due_on": row.due_on.isoformat() if row.due_on else None,
        "lapses_at": row.lapses_at.isoformat() if row.lapses_at else None,
    }
    if mark.stage == "lapse" and lapse is not None:
        detail |= {
            "on_lapse": row.on_lapse,
            "sent_at": lapse.sent_at.isoformat() if lapse.sent_at else None,
            "received_at": row.started_at.isoformat(),
            "receipt": lapse.receipt,
            "treaty_version": row.treaty_version,
            "calendar_version": row.calendar_version,
        }
    return journal.Entry(
        at=now,
        event=event,
        actor="gateway",
        authority=case.home,
        case_id=case.id,
        message_id=lapse.message_id if lapse and mark.stage == "lapse" else None,
        digest=lapse.digest if lapse and mark.stage == "lapse" else None,
        detail=detail,
    )
