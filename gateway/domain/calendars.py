"""Which days are working days in a state: frozen data, never asked beyond its horizon."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from gateway.errors import LimitNotKnown

ONE_DAY = timedelta(days=1)
SATURDAY = 5


class Status(StrEnum):
    """How sure a day is."""

    CONFIRMED = "confirmed"
    ESTIMATED = "estimated"  # hangs on a sighting of the moon or a later decree: may move by a day


class Kind(StrEnum):
    """What offices do on a day of its own."""

    REST = "rest"  # closed
    HALF = "half"  # open for a part of the day: a working day, said in the explanation
    WORK = "work"  # open although it is a day of the weekend, in exchange for another day


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """One day that is not like its weekday."""

    on: date  # local date
    name: str
    status: Status
    kind: Kind = Kind.REST
    source: str = ""  # "" : the source of the calendar


@dataclass(frozen=True, kw_only=True, eq=False)
class Calendar:
    """The special days of one state between two dates; outside them nothing is known. Compared by identity."""

    id: str  # "rs"; "ba-fbih" for a part of a state
    version: str  # written into every deadline made with it
    state: str  # ISO 3166-1 alpha-2, or XK
    zone: str  # IANA time zone in which the state's days are counted
    weekend: frozenset[int]  # weekdays on which nobody works, Monday is 0
    days: Mapping[date, SpecialDay]
    known_from: date  # first day the calendar answers for
    known_until: date  # last day the calendar answers for
    source: str
    note: str = ""

    @cached_property
    def clock(self) -> ZoneInfo:
        """Return the time zone."""
        return ZoneInfo(self.zone)

    @cached_property
    def _working(self) -> tuple[int, ...]:
        """Return every working day between the two dates as an ordinal: the n-th one is then found by its place."""
        first, last = self.known_from.toordinal(), self.known_until.toordinal()
        special = {day.toordinal(): entry.kind is not Kind.REST for day, entry in self.days.items()}
        weekend = {(day + 1) % 7 for day in self.weekend}  # ordinal 1 was a Monday
        return tuple(day for day in range(first, last + 1) if special.get(day, day % 7 not in weekend))

    def is_working(self, day: date) -> bool:
        """Whether offices of the state work on `day`, a local date.

        Raises `LimitNotKnown` outside the horizon: a day without its holidays would look right and be wrong.
        """
        if not self.known_from <= day <= self.known_until:
            raise self._unknown(day)
        special = self.days.get(day)
        return day.weekday() not in self.weekend if special is None else special.kind is not Kind.REST

    def next_working(self, day: date) -> date:
        """Return `day` if it is a working day, else the first working day after it. Raises `LimitNotKnown`."""
        while not self.is_working(day):
            day += ONE_DAY
        return day

    def nth_working(self, start: date, number: int) -> date:
        """Return the `number`-th working day after `start`, which itself does not count. Raises `LimitNotKnown`."""
        if start + ONE_DAY < self.known_from:
            raise self._unknown(start + ONE_DAY)
        place = bisect_right(self._working, start.toordinal()) + number - 1
        if place >= len(self._working):
            raise self._unknown(max(start, self.known_until) + ONE_DAY)
        return date.fromordinal(self._working[place])

    def nth_working_before(self, start: date, number: int) -> date:
        """Return the `number`-th working day before `start`, which itself does not count. Raises `LimitNotKnown`."""
        if start - ONE_DAY > self.known_until:
            raise self._unknown(start - ONE_DAY)
        place = bisect_left(self._working, start.toordinal()) - number
        if place < 0:
            raise self._unknown(min(start, self.known_from) - ONE_DAY)
        return date.fromordinal(self._working[place])

    def why_rest(self, day: date) -> str | None:
        """Return why nobody works on `day`: the holiday's name, "weekend", or None for a working day."""
        special = self.days.get(day)
        if special is not None:
            return special.name if special.kind is Kind.REST else None
        return "weekend" if day.weekday() in self.weekend else None

    def why_open(self, day: date) -> str | None:
        """Return what is particular about a working day: a half day, or a weekend day that is worked; None otherwise."""
        special = self.days.get(day)
        if special is None or special.kind is Kind.REST:
            return None
        return f"{special.name}, a half day" if special.kind is Kind.HALF else f"{special.name}, worked in exchange"

    @cached_property
    def _feasts(self) -> tuple[tuple[date, ...], ...]:
        """Return the estimated feasts, each as its run of days."""
        shaky = sorted(day for day, entry in self.days.items() if entry.status is Status.ESTIMATED and entry.kind is Kind.REST)
        runs: list[list[date]] = []
        for day in shaky:
            if runs and day - runs[-1][-1] == ONE_DAY:
                runs[-1].append(day)
            else:
                runs.append([day])
        return tuple(map(tuple, runs))

    @property
    def shaky(self) -> bool:
        """Whether some of its days are only estimated."""
        return bool(self._feasts)

    def feasts(self, first: date, last: date) -> tuple[tuple[date, ...], ...]:
        """Return the estimated feasts that touch the days from `first` to `last`, each as its run of days."""
        return tuple(feast for feast in self._feasts if feast[-1] >= first and feast[0] <= last)

    def local_date(self, instant: datetime) -> date:
        """Return the civil day of the state at `instant` (aware)."""
        return instant.astimezone(self.clock).date()

    def end_of(self, day: date) -> datetime:
        """Return the UTC instant at which the local `day` ends: the midnight that begins the next one.

        Where clocks go forward at midnight, the skipped midnight is the instant of the change (fold 0 takes the offset
        before it); where midnight comes twice, the first one begins the new day.
        """
        return datetime.combine(day + ONE_DAY, time(), self.clock).astimezone(UTC)

    def _unknown(self, day: date) -> LimitNotKnown:
        return LimitNotKnown(
            f"calendar {self.id} (version {self.version}) is known from {self.known_from} to {self.known_until} only; "
            f"{day} is outside"
        )


@lru_cache(maxsize=512)
def moved(calendar: Calendar, feast: tuple[date, ...], by: int) -> Calendar:
    """Return the calendar as it would be if an estimated feast came `by` days later (earlier if negative).

    A half day or a worked day on which the feast then falls is a rest day; another holiday stays what it is.
    """
    days = {day: entry for day, entry in calendar.days.items() if day not in feast}
    for day in feast:
        on = day + by * ONE_DAY
        if on not in days or days[on].kind is not Kind.REST:
            days[on] = replace(calendar.days[day], on=on)
    return replace(calendar, days=days)


@lru_cache(maxsize=64)
def with_saturdays(calendar: Calendar) -> Calendar:
    """Return the calendar as it would be if Saturday were a day like Friday."""
    return replace(calendar, weekend=calendar.weekend - {SATURDAY})


@lru_cache(maxsize=512)
def both(one: Calendar, other: Calendar) -> Calendar:
    """Return the calendar of the days on which two states both work, between the dates that both know."""
    first, last = max(one.known_from, other.known_from), min(one.known_until, other.known_until)
    closed = {
        day: SpecialDay(on=day, name="closed in one of the two", status=Status.CONFIRMED)
        for day in map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
        if not (one.is_working(day) and other.is_working(day))
    }
    return replace(one, id=f"{one.id}+{other.id}", weekend=frozenset(), days=closed, known_from=first, known_until=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a case: its state, and the calendar that counts for it. None: we have no calendar for this state."""

    state: str
    calendar: Calendar | None

    @classmethod
    def of(cls, state: str, calendars: Mapping[str, Calendar], calendar_id: str | None = None) -> "Side":
        """Return the side with its authority's own calendar, or that of the whole state: the code in small letters."""
        return cls(state=state, calendar=calendars.get(calendar_id or state.lower()))
