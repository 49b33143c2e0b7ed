"""Open deadlines counted again: after a calendar or a rule has changed, and for the question what would change if."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.domain.calendars import Calendar
from gateway.domain.case import Case
from gateway.domain.treaties import Treaty
from gateway.flow.clockwork import recounted
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.store import cases, deadlines, journal
from gateway.store.database import Tx, reading, transaction
from gateway.store.deadlines import DeadlineRow

log = logger("recount")

PORTION = 1000  # deadlines in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One deadline that ends elsewhere than it did."""

    case_id: int
    reference: str
    home: str
    limit_id: str
    must_act: str
    before: tuple[date | None, date | None]  # literal, rolled
    after: tuple[date | None, date | None]
    calendar_before: str | None
    calendar_after: str | None


def _outdated(row: DeadlineRow, rt: Runtime) -> bool:
    """Whether a deadline was counted with a calendar that is no longer the one in force."""
    versions = [rt.calendars[one].version if one in rt.calendars else "" for one in (row.calendar_ids or "").split("+") if one]
    return bool(versions) and row.calendar_version != "+".join(versions)


def recount_outdated(rt: Runtime) -> list[Move]:
    """Count every open deadline again whose calendar has changed; journal what moved."""
    return list(_recount(rt, only_outdated=True))


def recount_all(rt: Runtime) -> list[Move]:
    """Count every open deadline again, whatever it was counted with; journal what moved."""
    return list(_recount(rt, only_outdated=False))


def _recount(rt: Runtime, *, only_outdated: bool) -> Iterator[Move]:
    after = 0
    while True:
        now = rt.clock()
        with transaction(rt.engine) as tx:
            rows = deadlines.still_open(tx, after=after, most=PORTION, lock=True)
            if not rows:
                return
            after = rows[-1].id or after
            wanted = [row for row in rows if row.inputs.get("start") and (not only_outdated or _outdated(row, rt))]
            moves = _portion(tx, wanted, rt, now)
        yield from moves


def _portion(tx: Tx, rows: list[DeadlineRow], rt: Runtime, now: datetime) -> list[Move]:
    found = {case.id: case for case in cases.get_many(tx, sorted({row.case_id for row in rows}))}
    pairs = [(row, recounted(row, found[row.case_id], rt, now)) for row in rows]
    deadlines.rewrite_many(tx, [fresh for _, fresh in pairs])
    moves = [move(row, fresh, found[row.case_id]) for row, fresh in pairs if _ends(row) != _ends(fresh)]
    journal.append(tx, [_entry(one, now) for one in moves])
    if moves:
        log.info("deadlines.moved", count=len(moves))
    return moves


def _ends(row: DeadlineRow) -> tuple[date | None, date | None]:
    return row.due_on, row.rolled_on


def move(row: DeadlineRow, fresh: DeadlineRow, case: Case) -> Move:
    """Return how a deadline moved."""
    return Move(
        case_id=row.case_id,
        reference=case.reference,
        home=case.home,
        limit_id=row.limit_id,
        must_act=row.must_act,
        before=_ends(row),
        after=_ends(fresh),
        calendar_before=row.calendar_version,
        calendar_after=fresh.calendar_version,
    )


def _entry(moved: Move, now: datetime) -> journal.Entry:
    return journal.Entry(
        at=now,
        event="deadline.moved",
        actor="gateway",
        authority=moved.home,
        case_id=moved.case_id,
        detail={
            "limit": moved.limit_id,
            "before": [day.isoformat() if day else None for day in moved.before],
            "after": [day.isoformat() if day else None for day in moved.after],
            "calendar_before": moved.calendar_before,
            "calendar_after": moved.calendar_after,
        },
    )


def what_if(rt: Runtime, *, calendars: Mapping[str, Calendar], treaties: Mapping[str, Treaty]) -> tuple[list[Move], int]:
    """Return which open deadlines would move under these calendars and treaties, and how many were looked at.

    Nothing is written.
    """
    other = replace(rt, calendars=calendars, directory=rt.directory.with_treaties(treaties))
    moves: list[Move] = []
    looked = after = 0
    while True:
        with reading(rt.engine) as tx:
            rows = deadlines.still_open(tx, after=after, most=PORTION)
            found = {case.id: case for case in cases.get_many(tx, sorted({row.case_id for row in rows}))}
        if not rows:
            return moves, looked
        after = rows[-1].id or after
        for row in rows:
            if row.inputs.get("start"):
                looked += 1
                fresh = recounted(row, found[row.case_id], other, rt.clock())
                if _ends(row) != _ends(fresh):
                    moves.append(move(row, fresh, found[row.case_id]))
