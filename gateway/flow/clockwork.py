"""The deadlines of a case: started by a message, met by another, moved by extensions and standstills, counted again.

Each row keeps what it was counted from (`inputs`), so that a changed calendar or rule can count it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gateway.domain.answers import Deadline, ExtensionAsked
from gateway.domain.case import Case
from gateway.domain.clock import CLOSED, MEETS, STARTS_BY, Happening, Start, kept_limits, marks
from gateway.domain.counting import Standstill
from gateway.domain.deadlines import due_date
from gateway.domain.limits import Actor, Direction, ExtensionKind, Limit
from gateway.domain.moves import OPENS, Event, Role
from gateway.domain.treaties import Treaty
from gateway.errors import TreatyDoesNotBind
from gateway.flow.papers import happening_of
from gateway.flow.ports import Runtime
from gateway.store import deadlines, messages
from gateway.store.database import Tx
from gateway.store.deadlines import DeadlineRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """One message that starts clocks: its case, what it means, and when the other side had it."""

    case: Case
    happening: Happening
    received_at: datetime  # from the receiving side's receipt: the proof that starts the clock


def first_deadlines(news: Sequence[Started], rt: Runtime, now: datetime) -> list[DeadlineRow]:
    """Return the deadlines that messages start; the same on both sides of a case.

    Cases of one batch that are counted alike (same rule, states and instant) are counted once.
    """
    counted: dict[tuple[object, ...], tuple[Deadline, dict[str, Any], dict[str, Any]]] = {}
    rows: list[DeadlineRow] = []
    for new in news:
        case = new.case
        rules = rt.rules_of(case)
        for start, row in _rows_started(rules, new):
            moment = new.happening.moment(start, new.received_at)
            if moment is None:
                continue
            alike = (
                *(rules.id, rules.protocol, row.id, row.start, moment, case.home, case.counterparty, case.role),
                *(case.procedure, case.category, new.happening.means, new.happening.escorted),
            )
            if alike not in counted:
                inputs = _inputs(row, moment, new.happening)
                found = count_deadline(case, row.id, inputs, rules, rt)
                counted[alike] = found, found.as_dict(), inputs | {"marks": _marks(found, rt)}
            found, detail, inputs = counted[alike]
            rows.append(_row(case, row.id, found, detail, inputs | {"message": new.happening.message_id}, moment, now))
    return rows


def start_clocks(tx: Tx, news: Sequence[Started], rt: Runtime, now: datetime) -> None:
    """Start, meet and move the clocks of cases by messages that the other side had."""
    opening = [new for new in news if new.happening.event in OPENS]
    deadlines.add(tx, first_deadlines(opening, rt, now))
    for new in opening:
        if new.happening.event in MEETS:
            happened(tx, new.case, new.happening, new.received_at, rt, now)
    for new in news:
        if new.happening.event not in OPENS:
            started = first_deadlines([new], rt, now)
            deadlines.put(tx, started)
            happened(tx, new.case, new.happening, new.received_at, rt, now)
            if started and new.case.id:
                _stand_still(tx, new.case, new.case.id, rt, now)


def _stand_still(tx: Tx, case: Case, case_id: int, rt: Runtime, now: datetime) -> None:
    """Let clocks that have just started stand where the case stands."""
    if messages.last_of(tx, case_id, ("Suspension",)) is None:
        return
    for row in messages.of_case(tx, case_id):
        if row.type in {"Suspension", "Resumption"} and row.outcome not in {"refused", "dropped"}:
            happened(tx, case, happening_of(row), row.received_at or now, rt, now)


def _rows_started(rules: Treaty, new: Started) -> Iterator[tuple[Start, Limit]]:
    late = {Event.AGREEMENT, Event.TRANSIT_AGREEMENT} if new.case.deemed_at is not None else {Event.LAPSE}
    if new.happening.event in late:
        return  # of silence and a reply, the clocks run from what counts: silence, or the reply that was in time after all
    only = kept_limits(new.happening)
    for start in STARTS_BY.get(new.happening.event, ()):
        for row in rules.started_by(start.word, new.case.procedure, new.case.category):
            if row.id in start.limits and (only is None or row.id in only):
                yield start, row


def _inputs(row: Limit, moment: datetime, happening: Happening) -> dict[str, Any]:
    return {
        "start": moment.isoformat(),
        "planned": row.direction is Direction.BEFORE,
        "extension": None,
        "stops": [],
        "means": happening.means,
        "escorted": happening.escorted,
    }


def count_deadline(case: Case, limit_id: str, inputs: dict[str, Any], rules: Treaty, rt: Runtime) -> Deadline:
    """Return the deadline that the kept inputs give under the rules and calendars of today."""
    start, asked = datetime.fromisoformat(inputs["start"]), inputs["extension"]
    requested, requesting = rt.side(case.requested), rt.side(case.requesting)
    row = rules.limit(limit_id, case.procedure, case.category, escorted=inputs["escorted"], means=inputs["means"])
    acting = requested if row is None or row.who is Actor.REQUESTED else requesting
    return due_date(
        rules,
        limit_id,
        start=start,
        requested=requested,
        requesting=requesting,
        procedure=case.procedure,
        category=case.category,
        extension=None
        if asked is None
        else ExtensionAsked(at=datetime.fromisoformat(asked["at"]), days=asked["days"], by=Actor(asked["by"])),
        planned=acting.calendar.local_date(start) if inputs["planned"] and acting.calendar else None,
        escorted=inputs["escorted"],
        means=inputs["means"],
        stops=tuple(
            Standstill(since=date.fromisoformat(stop["since"]), until=_day(stop["until"]), why=stop["why"])
            for stop in inputs["stops"]
        ),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _marks(found: Deadline, rt: Runtime) -> list[list[str]]:
    return [[mark.stage, mark.at.isoformat()] for mark in marks(found, rt.settings.remind_days)]


def _row(
    case: Case,
    limit_id: str,
    found: Deadline,
    detail: dict[str, Any],
    inputs: dict[str, Any],
    started_at: datetime,
    now: datetime,
) -> DeadlineRow:
    assert case.id is not None
    limit, due = found.limit, inputs["marks"]
    must_act = str(limit.who) if limit else "requested"
    return DeadlineRow(
        case_id=case.id,
        limit_id=limit_id,
        must_act=must_act,
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
        calendar_ids=found.calendar_id,
        calendar_version=found.calendar_version,
        state="open",
        detail=detail,
        changed_at=now,
        inputs=inputs,
        home=case.home,
        ours=must_act == case.role,
        stage="new",
        look_at=datetime.fromisoformat(due[0][1]) if due else None,
    )


def recounted(row: DeadlineRow, case: Case, rt: Runtime, now: datetime) -> DeadlineRow:
    """Return a deadline counted again from its inputs; what the watch has told of it stays told."""
    found = count_deadline(case, row.limit_id, row.inputs, rt.rules_of(case), rt)
    inputs = row.inputs | {"marks": _marks(found, rt)}
    fresh = _row(case, row.limit_id, found, found.as_dict(), inputs, row.started_at, now)
    ahead = [at for stage, at in inputs["marks"] if not told(stage, row.stage)]
    return replace(
        fresh,
        id=row.id,
        state=row.state,
        stage=row.stage,
        look_at=datetime.fromisoformat(ahead[0]) if ahead and row.state == "open" else None,
    )


_STAGES = ("new", "remind", "overdue", "lapse")


def told(stage: str, last: str) -> bool:
    """Whether the watch has told of `stage` once it has told of `last`; nearer reminders come later."""
    mine, known = (_STAGES.index(name.partition("-")[0]) for name in (stage, last))
    if mine == known == 1:
        return int(stage.partition("-")[2]) >= int(last.partition("-")[2])
    return mine <= known


def happened(tx: Tx, case: Case, happening: Happening, received_at: datetime, rt: Runtime, now: datetime) -> datetime | None:
    """Move the clocks of a case by one message that the other side had at `received_at`; not those it starts.

    Returns the end of the deadline of our own authority that the message keeps; if it keeps none, of the nearest that was
    open until then; None if there was none.
    """
    assert case.id is not None
    rows = deadlines.of_cases(tx, [case.id], lock=True)
    ours = [row for row in rows if row.state == "open" and row.must_act == case.role and row.due_until is not None]
    kept = [row for row in ours if row.limit_id in MEETS.get(happening.event, ())]
    ends = [row.due_until for row in kept or ours if row.due_until is not None]
    for row in rows:
        if row.limit_id in MEETS.get(happening.event, ()) and row.state in {"open", "lapsed", "met", "late"}:
            late = row.lapses_at is not None and received_at >= row.lapses_at
            deadlines.answer(tx, case.id, row.limit_id, state="late" if late else "met", at=now)
        elif row.state == "open" and (
            row.limit_id not in CLOSED.get(case.state, frozenset({row.limit_id}))
            or (row.limit_id == "transfer" and case.must_take_back)
        ):
            deadlines.answer(tx, case.id, row.limit_id, state="moot", at=now)
        elif row.state == "open" and (inputs := _moved(row, case, happening, received_at, rt)) is not None:
            deadlines.rewrite(tx, recounted(replace(row, inputs=inputs), case, rt, now))
    return min(ends, default=None)


def _moved(row: DeadlineRow, case: Case, happening: Happening, received_at: datetime, rt: Runtime) -> dict[str, Any] | None:
    """Return the inputs of a deadline after a message that prolongs it, stops it or sets it going; None: it does not."""
    by = Role.REQUESTING if happening.sender == case.requesting else Role.REQUESTED
    kept = row.inputs
    if "start" not in kept:
        return None  # written by older code, which did not keep what it was counted from
    limit = rt.rules_of(case).limit(row.limit_id, case.procedure, case.category, escorted=kept["escorted"], means=kept["means"])
    day = _local_day(row, case, happening, received_at, rt)
    prolongs = limit.extension if limit else None
    if happening.event is Event.EXTENSION_REQUEST and happening.limit == row.limit_id and prolongs is not None:
        if prolongs.kind is ExtensionKind.OBSTACLE:
            return _stopped(row.inputs, day, "obstacle", happening.message_id) if by == Role(prolongs.who) else None
        asked = {"at": received_at.isoformat(), "days": happening.days or 0, "by": str(by)}
        return row.inputs | {"extension": asked}
    if happening.event is Event.SUSPENSION:
        return _stopped(row.inputs, day, "suspension", happening.message_id)
    if happening.event is Event.RESUMPTION:
        return _going(row.inputs, day, happening.message_id)
    if row.limit_id == "transfer" and prolongs is not None and prolongs.kind is ExtensionKind.OBSTACLE:
        if happening.event is Event.POSTPONED:
            return _stopped(row.inputs, day, "obstacle", happening.message_id)
        if happening.event is Event.TRANSFER_NOTICE:
            return _going(row.inputs, day, happening.message_id)
    return None


def _local_day(row: DeadlineRow, case: Case, happening: Happening, received_at: datetime, rt: Runtime) -> date:
    """Return the day that counts: the one the message names, never before the other side had it or the clock started."""
    calendar = rt.side(case.requested if row.must_act == "requested" else case.requesting).calendar
    had, began = (calendar.local_date(at) if calendar else at.date() for at in (received_at, row.started_at))
    return max(had, began, happening.on or had)


def _stopped(inputs: dict[str, Any], day: date, why: str, message: str) -> dict[str, Any] | None:
    """Return the inputs with a clock that stands since `day`; None if it stood before.

    Of a message of ours the day is known for certain only by its receipt: then it is written anew.
    """
    stops = inputs["stops"]
    if any(stop["message"] == message for stop in stops):
        return inputs | {"stops": [_since(stop, day) if stop["message"] == message else stop for stop in stops]}
    if any(stop["until"] is None for stop in stops):
        return None
    return inputs | {
        "stops": [*stops, {"since": day.isoformat(), "until": None, "why": why, "message": message, "ended": None}]
    }


def _since(stop: dict[str, Any], day: date) -> dict[str, Any]:
    return stop | {"since": day.isoformat(), "until": max(stop["until"], day.isoformat()) if stop["until"] else None}


def _going(inputs: dict[str, Any], day: date, message: str) -> dict[str, Any] | None:
    """Return the inputs with a clock that runs again from `day`; None if it ran."""
    ends = [stop["until"] is None or stop["ended"] == message for stop in inputs["stops"]]
    if not any(ends):
        return None
    stops = [
        stop | {"until": max(day.isoformat(), stop["since"]), "ended": message} if end else stop
        for stop, end in zip(inputs["stops"], ends, strict=True)
    ]
    return inputs | {"stops": stops}


def check_binds(agreement: str, *, requesting: str, requested: str, rt: Runtime) -> None:
    """Raise `TreatyDoesNotBind` unless the two authorities' states stand on the two sides of the treaty.

    Raises `UnknownTreaty` for an id without a rule file.
    """
    if not rt.treaty(agreement, requesting, requested).binds(requesting[:2], requested[:2]):
        raise TreatyDoesNotBind(
            f"the treaty {agreement} does not bind {requesting[:2]} and {requested[:2]} to each other", path="Request/Agreement"
        )
