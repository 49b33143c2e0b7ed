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
from typing import Any

from gateway.domain.answers import Deadline, End, Extended, ExtensionAsked
from gateway.domain.calendars import ONE_DAY, Calendar, Side
from gateway.domain.counting import Standstill, count, count_with_stops
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

    `applies` is False when the treaty has no rule for this procedure, person or pair of states; `known` is False when
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
    if lasting := [stop for stop in stops if stop.until is None]:
        return Deadline(why_not=f"The clock stands since {lasting[0].since} ({lasting[0].why}): no end yet.", **facts)
    try:
        facts["counting"] = counting = _counting(row, requested, requesting)
        return _counted(row, row.amount, acting, counting, start_on, extension, facts)
    except LimitNotKnown as error:
        return Deadline(why_not=f"Not known, ask: {error.message}.", **facts)
    except (OverflowError, ValueError):  # the date arithmetic of the standard library ends with the year 9999
        return Deadline(why_not="Not known, ask: the limit leads beyond the years that can be counted.", **facts)


def _why_not_applicable(row: Limit | None, facts: Mapping[str, Any]) -> str:
    if row is None:
        return (
            f"The treaty has no rule {facts['limit_id']!r} for the procedure {facts['procedure']!r} "
            f"and the category {facts['category']!r}."
        )
    pair = f"{facts['requesting'] or 'an unnamed state'} and {facts['requested']}"
    return f"The rule file does not name {pair} as its two sides."


def _stands(stop: Standstill, row: Limit) -> bool:
    """Whether a standstill touches this rule: nothing moves a limit that is counted back from a planned day."""
    allowed = row.extension is not None and row.extension.kind is ExtensionKind.OBSTACLE
    return row.direction is Direction.AFTER and (stop.why == "suspension" or allowed)


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
    if row.unit is Unit.HOURS:  # elapsed time: no day is counted, none is skipped, nothing rolls (Reg. 1182/71, Art. 3(4))
        hours = timedelta(hours=amount + 24 * sum(stop.days for stop in facts["stops"]))
        until = facts["start"] - hours if row.direction is Direction.BEFORE else facts["start"] + hours
        end = End(due_on=acting.local_date(until), until=until)
        verdict = Extended.not_asked() if extension is None else _decide(row, amount, extension, facts["start"], end)
        return Deadline(base=end, literal=end, rolled=end, extension=verdict, **facts)
    plain = Reading(acting=acting, counting=counting)
    last = _last(row, amount, start_on, plain, facts["stops"])
    rolled = _roll(row, last, acting)
    others = readings(row, plain, start_on, last, rolled)
    lasts = [(_last(row, amount, start_on, reading, facts["stops"]), reading.acting) for reading in others]
    ends = [rolled, *(_roll(row, day, calendar) for day, calendar in lasts)]
    counted = ends if row.end is EndRule.ROLLED else [last, *(day for day, _ in lasts)]
    base = literal = End.of(acting, min(counted))
    latest = base if base.due_on == max(ends) else End.of(acting, max(ends))
    facts["readings"] = others
    verdict = Extended.not_asked()
    if extension is not None:
        verdict = _decide(row, amount, extension, facts["start"], latest)
        if verdict.granted and row.extension is not None:
            longer = base.due_on + timedelta(days=verdict.days)
            # Asked after the literal end but before the rolled one: in time by the second reading only.
            if extension.at < base.until:
                literal = End.of(acting, _roll(row, longer, acting) if row.end is EndRule.ROLLED else longer)
            other = start_on + timedelta(days=(row.extension.other_base or 0) + verdict.days)
            # Where another reading ends later, the extension is added to the latest of them.
            longest = max(other, max((last, *(day for day, _ in lasts))) + timedelta(days=verdict.days))
            latest = max(latest, End.of(acting, _roll(row, longest, acting)), key=lambda end: end.due_on)
    return Deadline(base=base, literal=literal, rolled=latest, extension=verdict, **facts)


def _last(row: Limit, amount: int, start_on: date, reading: Reading, stops: Sequence[Standstill]) -> date:
    """Return the last day as counted in one reading, before anything rolls."""
    if row.direction is Direction.BEFORE:
        return count(start_on, amount, row.unit, row.direction, reading.counting)
    obstacles = [stop for stop in stops if stop.why == "obstacle" and stop.until is not None]
    if obstacles and row.extension is not None and row.extension.resumes is not None:
        freed = max(stop.until for stop in obstacles if stop.until is not None)
        return count(freed, row.extension.resumes, row.unit, row.direction, reading.counting)
    return count_with_stops(start_on, amount, row.unit, reading.counting, stops)


def _roll(row: Limit, last: date, acting: Calendar) -> date:
    """Return the day to which an end moves. Counted backward there is no later day to roll to: the duty is to act before."""
    if row.direction is Direction.BEFORE or row.end is EndRule.LITERAL:
        return last
    return acting.next_working(last)


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
