"""Why a deadline is what it is, in sentences a lawyer can follow line by line. Nothing here decides a date."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gateway.domain.counting import count
from gateway.domain.limits import Actor, Confidence, Direction, EndRule, Limit, OnLapse, Unit, Whose

if TYPE_CHECKING:
    from gateway.domain.answers import Deadline, End
    from gateway.domain.calendars import Calendar

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_ONE_DAY = timedelta(days=1)
_UNITS = {
    Unit.HOURS: "hour",
    Unit.CALENDAR_DAYS: "calendar day",
    Unit.WORKING_DAYS: "working day",
    Unit.MONTHS: "month",
    Unit.YEARS: "year",
}
_LAPSE = {
    OnLapse.AGREED: "agreement is deemed to be given",
    OnLapse.DOCUMENT_CONSENT: "consent to the requesting side's travel document is deemed to be given",
    OnLapse.PROPOSAL_ACCEPTED: "the proposal is deemed to be accepted",
    OnLapse.REASONS: "the silent side owes its reasons",
}
_CONFIDENCE = {
    Confidence.VERIFIED: "verified: read in the treaty's own text",
    Confidence.SECONDARY: "secondary: a third party says so, the treaty's own text was not read",
    Confidence.UNVERIFIED: "unverified: nobody has read it",
    Confidence.OPERATOR: "operator: set by the operator of this installation",
}


def iso(instant: datetime) -> str:
    """Return a UTC instant as "2026-06-11T22:00:00Z"."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day_text(day: date) -> str:
    """Return e.g. "Thu 11 June 2026", the same in every locale."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def amount_text(amount: int | None, unit: Unit) -> str:
    """Return e.g. "10 calendar days", "1 year", or that the number is not known."""
    if amount is None:
        return f"a number of {_UNITS[unit]}s that is not known"
    return f"{amount} {_UNITS[unit]}" + ("" if amount == 1 else "s")


def sentences(deadline: "Deadline") -> tuple[str, ...]:
    """Return the explanation: the rule, the start, each step of the count, both ends, extension, lapse, trust."""
    return tuple(_sentences(deadline))


def _sentences(deadline: "Deadline") -> Iterator[str]:
    row, treaty = deadline.limit, deadline.treaty
    yield f"{treaty.name} ({treaty.id}, rule file version {treaty.version}), limit {deadline.limit_id!r}."
    if treaty.protocol is not None and row is not None:
        whose = (
            "the protocol, which prevails"
            if row.treaty == treaty.protocol
            else "the agreement; the protocol has none of its own"
        )
        yield f"Between these two states the protocol {treaty.protocol} applies; this rule is that of {whose}."
    if row is None:
        yield f"It does not apply: {deadline.why_not}"
        return
    yield from _rule(deadline, row)
    if deadline.acting is None or deadline.start_on is None or deadline.literal is None:
        yield f"The end is not known. {deadline.why_not}"
        return
    yield from _start(deadline, row, deadline.acting, deadline.start_on)
    yield from _ends(deadline, row, deadline.acting, deadline.start_on)
    yield from _lapse(deadline, row)
    yield from _doubts(deadline, row)


def _rule(deadline: "Deadline", row: Limit) -> Iterator[str]:
    when = "before" if row.direction is Direction.BEFORE else "after"
    state = deadline.requested if row.who is Actor.REQUESTED else deadline.requesting
    actor = f"The {row.who} state" + (f" ({state})" if state else "")
    how_long = f"{amount_text(row.amount, row.unit)} {when} {row.start.replace('-', ' ')}"
    yield (
        f"{actor} has {how_long}, {deadline.procedure} procedure, category {deadline.category}: "
        f"{row.article} ({_CONFIDENCE[row.confidence]})."
    )
    if row.override is not None:
        yield f"The figure was set by {row.override.who} on {day_text(row.override.when)}: {row.override.reference}."
    if row.note:
        yield f"Note of the rule file: {row.note}"


def _start(deadline: "Deadline", row: Limit, acting: "Calendar", start_on: date) -> Iterator[str]:
    if row.who is Actor.REQUESTING and deadline.requesting is None:
        yield f"The requesting state was not named; days are those of {acting.state}, the requested state."
    if row.direction is Direction.BEFORE:
        yield f"Planned for {day_text(start_on)} in {acting.zone}; that day does not count."
        return
    local = deadline.start.astimezone(ZoneInfo(acting.zone))
    counted = "the hours run from this instant" if row.unit is Unit.HOURS else "that day does not count"
    yield f"Start ({row.start.replace('-', ' ')}): {day_text(start_on)}, {local:%H:%M}, in {acting.zone}; {counted}."


def _ends(deadline: "Deadline", row: Limit, acting: "Calendar", start_on: date) -> Iterator[str]:
    assert deadline.base is not None  # a known deadline has its ends
    assert deadline.literal is not None
    assert deadline.rolled is not None
    yield from _count(row, deadline, start_on)
    yield from _standstills(row, deadline)
    if row.unit is Unit.HOURS:
        yield f"The limit ends {_hour_text(deadline.base, acting)}; a limit in hours does not move for rest days."
        return
    if deadline.extension.granted:
        yield f"Without the extension the literal end would be {day_text(deadline.base.due_on)}."
    literal, rolled = deadline.literal, deadline.rolled
    if row.end is not EndRule.OPEN:
        moves = "moves to the next working day" if row.end is EndRule.ROLLED else "does not move"
        yield f"The text says that an end on a rest day {moves}: {row.end_source}."
        yield f"End: {_end_text(literal, acting)}."
    else:
        yield f"Literal end: {_end_text(literal, acting)}."
    if row.direction is Direction.BEFORE:
        yield "Counted backward, the end does not move for rest days."
    if literal == rolled:
        if row.direction is Direction.AFTER and row.end is EndRule.OPEN:
            yield f"{day_text(literal.due_on)} is a working day in {acting.state}: the rolled end is the same."
    else:
        yield from _roll(deadline, acting, literal, rolled)


def _roll(deadline: "Deadline", acting: "Calendar", literal: "End", rolled: "End") -> Iterator[str]:
    if deadline.extension.granted and literal == deadline.base:
        yield "The extension was asked for after the literal end and before the rolled end: only the rolled end moves."
    extension = deadline.limit.extension if deadline.limit else None
    if deadline.extension.granted and extension and extension.other_base:
        yield f"The text does not say to which day the extension is added: the rolled end takes day {extension.other_base}."
    passed: list[str] = []
    day = rolled.due_on - _ONE_DAY
    while day >= literal.due_on and (why := acting.why_rest(day)) is not None:
        passed.insert(0, f"{day_text(day)} is a rest day in {acting.state}: {why}.")
        day -= _ONE_DAY
    yield from passed
    if deadline.readings:
        readings = "; ".join(dict.fromkeys(reading.why for reading in deadline.readings))
        yield f"Other readings were counted as well: {readings}. The ends shown are the earliest and the latest of all."
        yield f"Latest end: {_end_text(rolled, acting)}."
        yield "Act by the first of them; rely on silence only after the last."
        return
    yield f"Rolled end, on a working day in {acting.state}: {_end_text(rolled, acting)}."
    yield "The text does not say which end counts: act by the literal end; rely on silence only after the rolled end."


def _standstills(row: Limit, deadline: "Deadline") -> Iterator[str]:
    for stop in deadline.stops:
        if stop.until is None:
            continue
        if stop.why == "obstacle" and (resumes := _resumes(row)):
            yield (
                f"An obstacle stood from {day_text(stop.since)} and had fallen away on {day_text(stop.until)}: "
                f"{amount_text(resumes, row.unit)} run from that day, where they end later."
            )
        else:
            yield (
                f"The clock stood still ({stop.why}) from {day_text(stop.since)} until it went on, on {day_text(stop.until)}: "
                "the days between are left out."
            )


def _resumes(row: Limit) -> int | None:
    return row.extension.resumes if row.extension else None


def _count(row: Limit, deadline: "Deadline", start_on: date) -> Iterator[str]:
    """Tell the count as the text reads at first sight, without extension, roll or other reading."""
    amount, step = row.amount or 0, -_ONE_DAY if row.direction is Direction.BEFORE else _ONE_DAY
    if row.unit is Unit.CALENDAR_DAYS:
        if not deadline.stops:
            last = count(start_on, amount, row.unit, row.direction)
            yield f"Every day counts: day 1 is {day_text(start_on + step)}, day {amount} is {day_text(last)}."
    elif row.unit is Unit.WORKING_DAYS:
        counting = deadline.counting
        whose = " and ".join(f"{calendar.state} (calendar {calendar.id}, {calendar.version})" for calendar in counting)
        yield f"Working days of {whose} count" + (", when both work." if row.calendar is Whose.BOTH else ".")
        if not (deadline.stops and _resumes(row)):
            yield from _each_day(amount, step, deadline, start_on)
    elif row.unit in {Unit.MONTHS, Unit.YEARS} and not deadline.stops:
        last = count(start_on, amount, row.unit, row.direction)
        shorter = "" if last.day == start_on.day else ", the last day of a month that has no such day"
        yield f"{amount_text(amount, row.unit)} from {day_text(start_on)} end on {day_text(last)}{shorter}."


def _each_day(amount: int, step: timedelta, deadline: "Deadline", start_on: date) -> Iterator[str]:
    """Name each day on the way to the end of a limit in working days, and whether it counts."""
    day, number = start_on, 0
    while number < amount:
        day += step
        reasons = [f"{why} in {calendar.state}" for calendar in deadline.counting if (why := calendar.why_rest(day))]
        reasons += [f"the clock stands, {stop.why}" for stop in deadline.stops if stop.covers(day)]
        number += not reasons
        open_ = "".join(f" ({why})" for calendar in deadline.counting if (why := calendar.why_open(day)))
        yield f"{day_text(day)}: " + (f"not counted ({', '.join(reasons)})." if reasons else f"working day {number}{open_}.")


def _end_text(end: "End", acting: "Calendar") -> str:
    return f"{day_text(end.due_on)}, 24:00 in {acting.zone} = {iso(end.until)}"


def _hour_text(end: "End", acting: "Calendar") -> str:
    local = end.until.astimezone(ZoneInfo(acting.zone))
    return f"{day_text(local.date())}, {local:%H:%M} in {acting.zone} = {iso(end.until)}"


def _lapse(deadline: "Deadline", row: Limit) -> Iterator[str]:
    assert deadline.rolled is not None
    verdict = "granted" if deadline.extension.granted else "not granted"
    yield f"Extension {verdict}: {deadline.extension.why}" if deadline.extension.asked else deadline.extension.why
    meanings = [_LAPSE[one] for one in (row.on_lapse, *row.also_on_lapse) if one is not OnLapse.NOTHING]
    if not meanings:
        yield "Nothing follows from silence by itself: no rule says that it means agreement."
    else:
        said = ", and ".join(meanings)
        yield f"Without an answer by {iso(deadline.rolled.until)}, {said}; a person decides what follows."


def _doubts(deadline: "Deadline", row: Limit) -> Iterator[str]:
    for calendar in deadline.calendars:
        yield f"Rest days of {calendar.state}: calendar {calendar.id}, version {calendar.version}."
        if calendar.note:
            yield f"Note of calendar {calendar.id}: {calendar.note}"
    for calendar, feast in deadline.doubtful:
        yield (
            f"{day_text(feast[0])} ({calendar.days[feast[0]].name}) is an estimate and may move: "
            f"ask {calendar.state} before you rely on a date near it."
        )
    if row.confidence is Confidence.SECONDARY:
        yield "The number comes from a secondary source: have it checked against the treaty's text."
