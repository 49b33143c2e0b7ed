"""The one place where a limit becomes a date.

No article read so far says what happens when a limit in calendar days ends on a rest day. Two ends can be defended:
the *literal* one (the last day as counted) and the *rolled* one (the next working day of the state that must act).
Both are computed. The side that must act is warned by the literal end; the other side may rely on silence only after
the rolled one. A date is never guessed: without a number we may trust, or a calendar that reaches, it is not known.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gateway.domain.calendars import ONE_DAY, Calendar, RestDay, Side
from gateway.domain.explanations import iso, sentences
from gateway.domain.treaties import COMPUTABLE, Actor, Direction, ExtensionKind, Limit, Treaty, Unit, Whose
from gateway.errors import LimitNotKnown, UnknownLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """When a limit ends."""

    due_on: date  # the last day on which to act is in time: a local date of the state that must act
    until: datetime  # the UTC instant at which that day (or the last hour of a limit in hours) ends


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionAsked:
    """A request for more time."""

    at: datetime  # aware
    days: int  # calendar days beyond the limit, at least 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """What became of a request for more time."""

    granted: bool
    why: str
    asked: bool = True


NOT_ASKED = Extended(granted=False, why="No extension was asked for.", asked=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The answer of `due_date`, with everything its explanation needs."""

    treaty: Treaty
    limit_id: str
    limit: Limit | None  # the row that applies; None: the treaty has none for this procedure, person or pair of states
    procedure: str
    category: str
    requested: str  # state
    requesting: str | None  # state; None: not named
    start: datetime  # UTC; for a limit counted backward, the first instant of the planned day
    start_on: date | None = None  # local date in `zone`
    acting: Calendar | None = None  # of the state that must act
    counting: tuple[Calendar, ...] = ()  # whose working days are counted
    base: End | None = None  # literal end before any extension
    literal: End | None = None
    rolled: End | None = None
    extension: Extended = NOT_ASKED
    why_not: str = ""  # why it does not apply, or is not known

    @property
    def applies(self) -> bool:
        return self.limit is not None

    @property
    def known(self) -> bool:
        return self.rolled is not None

    @property
    def zone(self) -> str | None:
        return self.acting.zone if self.acting else None

    @property
    def lapses_at(self) -> datetime | None:
        """Return the first UTC instant at which the other side may rely on silence, if silence means anything."""
        return self.rolled.until if self.rolled else None

    @property
    def calendars(self) -> tuple[Calendar, ...]:
        """Return the calendars the ends hang on, each once."""
        found = (*self.counting, *((self.acting,) if self.acting else ()))
        return tuple(calendar for place, calendar in enumerate(found) if calendar not in found[:place])

    @property
    def calendar_id(self) -> str | None:
        return "+".join(calendar.id for calendar in self.calendars) or None

    @property
    def calendar_version(self) -> str | None:
        return "+".join(calendar.version for calendar in self.calendars) or None

    @property
    def estimated(self) -> bool:
        """Whether a rest day that may still move could move the end."""
        return any(self.shaky_days(calendar) for calendar in self.calendars)

    def shaky_days(self, calendar: Calendar) -> tuple[RestDay, ...]:
        """Return the estimated days that matter: a day that hangs on the moon may move by one.

        They matter where working days are counted, and around an end that rolls; not inside a limit of calendar days.
        """
        if self.literal is None or self.rolled is None or self.start_on is None or self.limit is None:
            return ()
        if self.limit.unit is Unit.HOURS:
            return ()
        first = self.start_on if self.counting else self.literal.due_on
        first, last = sorted((first, self.rolled.due_on))
        return calendar.estimated_between(first - ONE_DAY, last + ONE_DAY)

    @property
    def explain(self) -> tuple[str, ...]:
        """Return sentences a lawyer can follow line by line; built only when somebody reads them."""
        return sentences(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of `gateway deadline --json`: plain values only, the same keys in every case."""
        row = self.limit
        return {
            "treaty": self.treaty.id,
            "limit": self.limit_id,
            "applies": self.applies,
            "known": self.known,
            "start_on": self.start_on.isoformat() if self.start_on else None,
            "zone": self.zone,
            "unit": str(row.unit) if row else None,
            "amount": row.amount if row else None,
            "literal": _plain(self.literal),
            "rolled": _plain(self.rolled),
            "extension": {"granted": self.extension.granted, "why": self.extension.why},
            "on_lapse": str(row.on_lapse) if row else None,
            "lapses_at": iso(self.lapses_at) if self.lapses_at else None,
            "source": row.cited if row else None,
            "confidence": str(row.confidence) if row else None,
            "calendar": {"id": self.calendar_id, "version": self.calendar_version},
            "estimated": self.estimated,
            "explain": list(self.explain),
        }


def _plain(end: End | None) -> dict[str, str | None]:
    return {"due_on": end.due_on.isoformat() if end else None, "until": iso(end.until) if end else None}


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
) -> Deadline:
    """Return by when the side that must act has to do so.

    `start` is the instant of the event that starts the clock, aware, in any zone; its civil day in the state that must
    act does not count. `planned` is the local day from which a limit with direction "before" is counted back.
    A requesting state that is not named is counted with the requested state's days, and the explanation says so.

    `applies` is False when the treaty has no rule for this procedure, person or pair of states; `known` is False when
    the number is not one we may trust, or a calendar does not reach. Raises `UnknownLimit` for an id the treaty has not.
    """
    if not any(row.id == limit_id for row in treaty.limits):
        raise UnknownLimit(f"treaty {treaty.id!r} has no limit {limit_id!r}")
    facts: dict[str, Any] = {
        "treaty": treaty,
        "limit_id": limit_id,
        "procedure": procedure,
        "category": category,
        "requested": requested.state,
        "requesting": requesting.state if requesting else None,
        "start": start.astimezone(UTC),
    }
    row = treaty.limit(limit_id, procedure, category, escorted=escorted)
    if row is None:
        why = f"The treaty has no rule {limit_id!r} for the procedure {procedure!r} and the category {category!r}."
        return Deadline(limit=None, why_not=why, **facts)
    if not treaty.binds(facts["requesting"], requested.state):
        pair = f"{facts['requesting'] or 'an unnamed state'} and {requested.state}"
        return Deadline(limit=None, why_not=f"The rule file does not name {pair} as its two sides.", **facts)
    facts["limit"] = row
    acting_side = requested if row.who is Actor.REQUESTED or requesting is None else requesting
    acting = acting_side.calendar
    if acting is None:
        return Deadline(why_not=f"There is no calendar for {acting_side.state}, whose days count here.", **facts)
    facts["acting"] = acting
    facts["start_on"] = start_on = planned if row.direction is Direction.BEFORE else acting.local_date(start)
    if row.confidence not in COMPUTABLE or row.amount is None:
        return Deadline(why_not="Nobody has verified the number of this limit: not known, ask.", **facts)
    if start_on is None:
        return Deadline(why_not="The limit is counted back from a planned day, and none was given.", **facts)
    if row.direction is Direction.BEFORE:
        facts["start"] = acting.end_of(start_on - ONE_DAY)
    try:
        facts["counting"] = counting = _counting(row, requested, requesting)
        return _counted(row, row.amount, acting, counting, start_on, extension, facts)
    except LimitNotKnown as error:
        return Deadline(why_not=f"Not known, ask: {error.message}.", **facts)
    except (OverflowError, ValueError):  # the date arithmetic of the standard library ends with the year 9999
        return Deadline(why_not="Not known, ask: the limit leads beyond the years that can be counted.", **facts)


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
        hours = timedelta(hours=amount)
        until = facts["start"] - hours if row.direction is Direction.BEFORE else facts["start"] + hours
        end = End(due_on=acting.local_date(until), until=until)
        verdict = NOT_ASKED if extension is None else _decide(row, amount, extension, facts["start"], end)
        return Deadline(base=end, literal=end, rolled=end, extension=verdict, **facts)
    last = count(start_on, amount, row.unit, row.direction, counting)
    base = literal = End(due_on=last, until=acting.end_of(last))
    # Counted backward there is no later day to roll to: the duty is to act before the planned day.
    rolled = literal if row.direction is Direction.BEFORE else _end(acting, acting.next_working(last))
    verdict = NOT_ASKED
    if extension is not None:
        verdict = _decide(row, amount, extension, facts["start"], rolled)
        if verdict.granted:
            longer = last + timedelta(days=extension.days)
            # Asked after the literal end but before the rolled one: in time by the second reading only.
            if extension.at < base.until:
                literal = _end(acting, longer)
            rolled = max(rolled, _end(acting, acting.next_working(longer)), key=lambda end: end.due_on)
    return Deadline(base=base, literal=literal, rolled=rolled, extension=verdict, **facts)


def _end(acting: Calendar, day: date) -> End:
    return End(due_on=day, until=acting.end_of(day))


def _decide(row: Limit, amount: int, asked: ExtensionAsked, start: datetime, lapse: End) -> Extended:
    """Return whether a request for more time is one that the rule allows."""
    rule = row.extension
    if rule is None:
        return Extended(granted=False, why="The rule allows no extension.")
    most = rule.days if rule.kind is ExtensionKind.INCREMENT else rule.days - amount
    if not 1 <= asked.days <= most:
        return Extended(granted=False, why=f"{asked.days} days were asked for; {rule.article} allows 1 to {most}.")
    if asked.at < start:
        return Extended(granted=False, why="It was asked for before the limit began.")
    if asked.at >= lapse.until:
        return Extended(granted=False, why="It was asked for after the limit had run out.")
    return Extended(granted=True, why=f"{asked.days} of at most {most} calendar days more, {rule.article}.")


def count(start_on: date, amount: int, unit: Unit, direction: Direction, counting: tuple[Calendar, ...]) -> date:
    """Return the last day of `amount` units counted from `start_on`, which itself does not count.

    Months and years end on the day with the same number, or on the last day of a month that has none (as in
    Reg. 1182/71, Art. 3(2)(c), and ETS 76, Art. 4). Raises `LimitNotKnown` where a calendar does not reach.
    """
    step = -1 if direction is Direction.BEFORE else 1
    if unit is Unit.CALENDAR_DAYS:
        return start_on + timedelta(days=step * amount)
    if unit is Unit.WORKING_DAYS:
        day, counted = start_on, 0
        while counted < amount:
            day += step * ONE_DAY
            if all(calendar.is_working(day) for calendar in counting):
                counted += 1
        return day
    months = start_on.year * 12 + start_on.month - 1 + step * amount * (12 if unit is Unit.YEARS else 1)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(start_on.day, monthrange(year, month)[1]))
