"""What cannot be delivered in time goes on paper: tries end while an officer can still send it, and the officer is told.

The message is set aside in the outbox, where `gateway queue` shows it, and on the worklist and the case page. From there it
goes one of three ways: its delivery on paper is recorded (flow/deliveries.py) and the electronic copy ends; a receipt shows
that it had arrived after all; or somebody lets it be tried again. It is set aside once.
"""

from datetime import datetime, timedelta

from gateway.domain.calendars import Calendar
from gateway.domain.clock import morning_before
from gateway.errors import PaperDue, PartnerSuspended
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.store import journal, messages, outbox_paper
from gateway.store.database import Tx, reading, transaction
from gateway.store.outbox_paper import Nearing

log = logger("paper")

_STUCK = timedelta(minutes=5)  # what was written since is on its way, or is given a chance
_PORTION = 100


def set_aside_for_paper(rt: Runtime) -> int:
    """Set aside what has not left although its deadline is near; return how many messages."""
    now = rt.clock()
    # Whatever calendar holds, so many working days lie within three times as many days and the longest feasts.
    horizon = now + timedelta(days=3 * rt.settings.paper_days + 21)
    count, after = 0, 0
    while True:
        with reading(rt.engine) as tx:
            rows = outbox_paper.nearing(tx, now=now, before=horizon, after=after, most=_PORTION)
        if due := [row for row in rows if _is_due(row, now, rt)]:
            with transaction(rt.engine) as tx:
                count += _set_aside(tx, due, now)
        if len(rows) < _PORTION:
            return count
        after = rows[-1].id


def _is_due(row: Nearing, now: datetime, rt: Runtime) -> bool:
    if row.code == PartnerSuspended.code or (row.parked_at is None and now - row.created_at < _STUCK):
        return False  # a suspension is a decision: paper would go around it
    begins = paper_from(row.created_at, row.due_at, rt.side(row.sender).calendar, rt.settings.paper_days)
    return begins is not None and begins <= now


def paper_from(created_at: datetime, due_at: datetime, calendar: Calendar | None, days: int) -> datetime | None:
    """Return from when on a message that has not left goes on paper; None for one that was late when it was written.

    That is the morning of the day `days` working days before the end. Of a message that was written shortly before the end,
    or under a limit of hours, half of the time is left to the officer. A calendar that does not reach leaves half too.
    """
    if due_at <= created_at:
        return None
    half = created_at + (due_at - created_at) / 2
    if calendar is None:
        return half
    last_day = calendar.local_date(due_at - timedelta(microseconds=1))  # an end is the first instant that is too late
    morning = morning_before(calendar, last_day, days)
    return half if morning is None else max(half, morning)


def _set_aside(tx: Tx, due: list[Nearing], now: datetime) -> int:
    """Set these aside; each is told once, however many watches run."""
    aside = [row for row in due if outbox_paper.set_aside(tx, row.id, at=now, code=PaperDue.code)]
    messages.mark_parked(tx, [row.message_row for row in aside], PaperDue.code)
    for row in aside:
        log.warning("message.set_aside", code=PaperDue.code, message_id=row.message_id, recipient=row.recipient)
    journal.append(tx, [_entry(row, now) for row in aside])
    return len(aside)


def _entry(row: Nearing, now: datetime) -> journal.Entry:
    return journal.Entry(
        at=now,
        event="message.set_aside",
        actor="gateway",
        authority=row.sender,
        case_id=row.case_id,
        message_id=row.message_id,
        detail={"code": PaperDue.code, "trouble": row.code, "due_at": row.due_at.isoformat(), "attempts": row.attempts},
    )
