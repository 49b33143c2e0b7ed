"""The one place where a limit becomes a date.

No article read so far says what happens when a limit in calendar days ends on a rest day. Two ends can be defended:
the *literal* one (the last day as counted) and the *rolled* one (the next working day of the state that must act).
Both are computed. The side that must act is warned by the literal end; the other side may rely on silence only after
the rolled one. Where a feast is only estimated, or a word of the text can be read in two ways, every reading is
counted: the literal end is the earliest of them, the rolled end the latest. A date is never guessed: without a number
we may trust, or a calendar that reaches, it is not known.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from gateway.domain.answers import Deadline, End, Extended, ExtensionAsked
from gateway.domain.calendars import ONE_DAY, Calendar, Side
from gateway.domain.counting import Standstill, count, count_with_stops, hours_with_stops
from gateway.domain.limits import (
    COMPUTABLE,
    LIMIT_IDS,
    Actor,
    Direction,
    EndRule,
    Extension,
    ExtensionKind,
    Limit,
    Unit,
    Whose,
)
from gateway.domain.readings import Reading, readings
from gateway.domain.treaties import Treaty
from gateway.errors import LimitNotKnown, UnknownLimit


def due_date(
    treaty: Treaty,
    limit_id: str,
    *,
    start: datetime,
    requested: Side,
    requesting: Side | None,
    procedure: str = "ordinary",
    category: str = "national",
    extension: ExtensionAsked | None = None,
    planned: date | None = None,
    escorted: bool = False,
    means: str | None = None,
    stops: Sequence[Standstill] = (),
) -> Deadline:
    """Return by when the side that must act has to do so.

    `start` is the instant of the event that starts the clock, aware, in any zone; its civil day in the state that must
    act does not count. `planned` is the local day from which a limit with direction "before" is counted back. `stops`
    are days on which the clock stood still: a suspension always counts, an obstacle only where the rule allows it.
    A requesting state that is not named is counted with the requested state's days, and the explanation says so.

    `applies` is False when the rule file has no rule for this procedure, person or pair of states; `known` is False when
    the number is not one we may trust, or a calendar does not reach. Raises `UnknownLimit` for an id that is no limit.
    """
    if limit_id not in LIMIT_IDS:
        raise UnknownLimit(f"there is no limit {limit_id!r}; limits are {', '.join(LIMIT_IDS)}")
    facts: dict[str, Any] = {
        "treaty": treaty,
        "limit_id": limit_id,
        "procedure": procedure,
        "category": category,
        "requested": requested.state,
        "requesting": requesting.state if requesting else None,
        "start": start.astimezone(UTC),
    }
    row = treaty.limit(limit_id, procedure, category, escorted=escorted, means=means)
    if row is None or not treaty.binds(facts["requesting"], requested.state):
        return Deadline(limit=None, why_not=_why_not_applicable(row, facts), **facts)
    facts["limit"] = row
    acting_side = requested if row.who is Actor.REQUESTED or requesting is None else requesting
    acting = acting_side.calendar
    if acting is None:
        return Deadline(why_not=f"There is no calendar for {acting_side.state}, whose days count here.", **facts)
    facts["acting"] = acting
    facts["start_on"] = start_on = planned if row.direction is Direction.BEFORE else acting.local_date(facts["start"])
    if row.confidence not in COMPUTABLE or row.amount is None:
        return Deadline(why_not="Nobody has verified the number of this limit: not known, ask.", **facts)
    if start_on is None:
        return Deadline(why_not="The limit is counted back from a planned day, and none was given.", **facts)
    if row.direction is Direction.BEFORE:
        facts["start"] = acting.end_of(start_on - ONE_DAY)
    facts["stops"] = stops = tuple(stop for stop in stops if _stands(stop, row))
    try:
        facts["counting"] = counting = _counting(row, requested, requesting)
        return _unless_it_stands(_counted(row, row.amount, acting, counting, start_on, extension, facts), stops, facts)
    except LimitNotKnown as error:
        return Deadline(why_not=f"Not known, ask: {error.message}.", **facts)
    except (OverflowError, ValueError):  # the date arithmetic of the standard library ends with the year 9999
        return Deadline(why_not="Not known, ask: the limit leads beyond the years that can be counted.", **facts)


def _why_not_applicable(row: Limit | None, facts: Mapping[str, Any]) -> str:
    if row is None:
        return (
            f"The rule file has no rule {facts['limit_id']!r} for the procedure {facts['procedure']!r} "
            f"and the category {facts['category']!r}. The treaty's own text may still have one that nobody entered."
        )
    pair = f"{facts['requesting'] or 'an unnamed state'} and {facts['requested']}"
    return f"The rule file does not name {pair} as its two sides."


def _stands(stop: Standstill, row: Limit) -> bool:
    """Whether a standstill touches this rule: nothing moves a limit that is counted back from a planned day."""
    allowed = row.extension is not None and row.extension.kind is ExtensionKind.OBSTACLE
    lasts = stop.until is None or stop.until > stop.since
    return lasts and row.direction is Direction.AFTER and (stop.why == "suspension" or allowed)


def _unless_it_stands(found: Deadline, stops: Sequence[Standstill], facts: dict[str, Any]) -> Deadline:
    """Return `found`, unless a standstill that lasts began before its end: then there is no end yet."""
    for stop in stops:
        if stop.until is None and found.rolled is not None and stop.since <= found.rolled.due_on:
            return Deadline(why_not=f"The clock stands since {stop.since} ({stop.why}): no end yet.", **facts)
    return found


def _counting(row: Limit, requested: Side, requesting: Side | None) -> tuple[Calendar, ...]:
    """Return the calendars whose working days are counted; none for other units. Raises `LimitNotKnown`."""
    if row.unit is not Unit.WORKING_DAYS:
        return ()
    if row.calendar is Whose.BOTH and requesting is None:
        raise LimitNotKnown("the working days of both states count, and the requesting state was not named")
    sides = {
        Whose.REQUESTED: (requested,),
        Whose.REQUESTING: (requesting or requested,),
        Whose.BOTH: (requested, requesting or requested),
    }[row.calendar]
    missing = [side.state for side in sides if side.calendar is None]
    if missing:
        raise LimitNotKnown(f"there is no calendar for {missing[0]}, whose working days count")
    return tuple(side.calendar for side in sides if side.calendar is not None)


def _counted(
    row: Limit,
    amount: int,
    acting: Calendar,
    counting: tuple[Calendar, ...],
    start_on: date,
    extension: ExtensionAsked | None,
    facts: dict[str, Any],
) -> Deadline:
    stops = tuple(stop for stop in facts["stops"] if stop.until is not None)
    if row.unit is Unit.HOURS:
        base = literal = rolled = _hours(row, amount, acting, facts["start"], stops)
        verdict = Extended.not_asked() if extension is None else _decide(row, amount, extension, facts["start"], rolled)
        return Deadline(base=base, literal=literal, rolled=rolled, extension=verdict, **_touched(facts, stops, start_on, base))
    plain = Reading(acting=acting, counting=counting)
    ends = _ends(row, amount, start_on, plain, stops)
    base = literal = End.of(acting, ends.literal)
    rolled = base if ends.rolled == ends.literal else End.of(acting, ends.rolled)
    verdict = Extended.not_asked()
    if extension is not None:
        verdict = _decide(row, amount, extension, facts["start"], rolled)
        if verdict.granted:
            ends = _ends(row, amount, start_on, plain, stops, more=verdict.days)
            # Asked after the literal end but before the rolled one: in time by the second reading only.
            if extension.at < base.until:
                literal = End.of(acting, ends.literal)
            rolled = End.of(acting, ends.rolled)
    if facts["stops"]:
        facts = _touched(facts, stops, start_on, rolled)
    return Deadline(base=base, literal=literal, rolled=rolled, extension=verdict, readings=ends.readings, **facts)


def _touched(facts: dict[str, Any], stops: Sequence[Standstill], start_on: date, rolled: End) -> dict[str, Any]:
    """Return the facts with only those standstills that left out a day of the limit."""
    kept = [stop for stop in stops if stop.since <= rolled.due_on and stop.until and stop.until > start_on + ONE_DAY]
    return facts | {"stops": tuple(sorted(kept, key=lambda stop: stop.since))}


def _hours(row: Limit, amount: int, acting: Calendar, start: datetime, stops: Sequence[Standstill]) -> End:
    """Return the end in elapsed time: no day is counted, none is skipped, nothing rolls (Reg. 1182/71, Art. 3(4))."""
    if row.direction is Direction.BEFORE:
        until = start - timedelta(hours=amount)
    else:
        stood = [(acting.end_of(stop.since - ONE_DAY), acting.end_of(stop.until - ONE_DAY)) for stop in stops if stop.until]
        until = hours_with_stops(start, amount, stood)
    return End(due_on=acting.local_date(until - timedelta.resolution), until=until)


class _Ends(NamedTuple):
    literal: date  # the earliest of all readings
    rolled: date  # the latest
    readings: tuple[Reading, ...]


def _ends(row: Limit, amount: int, start_on: date, plain: Reading, stops: Sequence[Standstill], *, more: int = 0) -> _Ends:
    """Return the ends over all readings, `more` calendar days later. A later end may bring another feast into doubt."""
    last, literal, rolled = _read(row, amount, start_on, plain, stops, more)
    others = readings(row, plain, start_on, last, rolled)
    while others:
        found = [_read(row, amount, start_on, reading, stops, more) for reading in (plain, *others)]
        lasts, literals, rolls = zip(*found, strict=True)
        literal, rolled = min(literals), max(rolls)
        wider = readings(row, plain, start_on, min(lasts), rolled)
        if len(wider) == len(others):
            break
        others = wider
    return _Ends(literal, rolled, others)


def _read(
    row: Limit, amount: int, start_on: date, reading: Reading, stops: Sequence[Standstill], more: int
) -> tuple[date, date, date]:
    """Return the last day as counted in one reading, the literal end and the rolled end."""
    last = latest = _last(row, amount, start_on, reading, stops)
    if more:
        last = latest = count_with_stops(last, more, Unit.CALENDAR_DAYS, (), stops)
        if row.extension is not None and row.extension.other_base is not None:
            latest = max(last, count_with_stops(start_on, row.extension.other_base + more, Unit.CALENDAR_DAYS, (), stops))
    literal = _roll(row, last, reading.acting, stops) if row.end is EndRule.ROLLED else last
    return last, literal, _roll(row, latest, reading.acting, stops)


def _last(row: Limit, amount: int, start_on: date, reading: Reading, stops: Sequence[Standstill]) -> date:
    """Return the last day as counted in one reading, before anything rolls."""
    if row.direction is Direction.BEFORE or not stops:
        return count(start_on, amount, row.unit, row.direction, reading.counting)
    resumes = row.extension.resumes if row.extension is not None else None
    if resumes is None:
        return count_with_stops(start_on, amount, row.unit, reading.counting, stops)
    suspended = [stop for stop in stops if stop.why == "suspension"]
    last = count_with_stops(start_on, amount, row.unit, reading.counting, suspended)
    for stop in sorted(stops, key=lambda one: one.since):
        if stop.why != "suspension" and stop.since <= last and stop.until is not None and stop.until > start_on:
            last = max(last, count_with_stops(stop.until, resumes, row.unit, reading.counting, suspended))
    return last


def _roll(row: Limit, last: date, acting: Calendar, stops: Sequence[Standstill]) -> date:
    """Return the day to which an end moves: the first working day on which the clock runs.

    Counted backward there is no later day to roll to: the duty is to act before.
    """
    if row.direction is Direction.BEFORE or row.end is EndRule.LITERAL:
        return last
    day = acting.next_working(last)
    while stops and any(stop.covers(day) for stop in stops):
        day = acting.next_working(day + ONE_DAY)
    return day


def _decide(row: Limit, amount: int, asked: ExtensionAsked, start: datetime, lapse: End) -> Extended:
    """Return whether a request for more time is one that the rule allows, and how many days it gives."""
    rule = row.extension
    if rule is None:
        return Extended(granted=False, why="The rule allows no extension.")
    if rule.days is None:
        why = f"{rule.article} prolongs the limit for as long as an obstacle lasts: record the obstacle, not a number of days."
        return Extended(granted=False, why=why)
    if asked.by is not None and asked.by is not rule.who:
        return Extended(granted=False, why=f"The {asked.by} state asked; {rule.article} lets the {rule.who} state ask.")
    days, most = _days_asked(rule, asked.days, amount)
    if not 1 <= days <= most:
        return Extended(granted=False, why=f"{asked.days} days were asked for; {rule.article} allows 1 to {most}.")
    if asked.at < start:
        return Extended(granted=False, why="It was asked for before the limit began.")
    if asked.at >= lapse.until:
        return Extended(granted=False, why="It was asked for after the limit had run out.")
    total = f" ({rule.days} in all)" if rule.kind is ExtensionKind.TOTAL else ""
    why = f"{days} of at most {most} calendar days more{total}, {rule.article}."
    return Extended(granted=True, why=why, days=days)


def _days_asked(rule: Extension, asked: int, amount: int) -> tuple[int, int]:
    """Return the days asked for beyond the limit, and the most the rule gives.

    Where the rule states a total, a number beyond what may be added can only be meant as that total.
    """
    assert rule.days is not None, "an obstacle has no number"
    if rule.kind is ExtensionKind.INCREMENT:
        return asked, rule.days
    most = rule.days - amount
    return (asked - amount if most < asked <= rule.days else asked), most
