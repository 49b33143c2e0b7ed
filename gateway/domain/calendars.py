"""Which days are working days in a state: frozen data, never asked beyond its horizon."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.errors import LimitNotKnown

ONE_DAY = timedelta(days=1)


class Status(StrEnum):
    """How sure a rest day is."""

    CONFIRMED = "confirmed"
    ESTIMATED = "estimated"  # hangs on a sighting of the moon or a later decree: may move by a day


@dataclass(frozen=True, slots=True, kw_only=True)
class RestDay:
    """One public holiday."""

    on: date  # local date
    name: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The rest days of one state between two dates; outside them nothing is known."""

    id: str  # "rs"; "ba-fbih" for a part of a state
    version: str  # written into every deadline made with it
    state: str  # ISO 3166-1 alpha-2, or XK
    zone: str  # IANA time zone in which the state's days are counted
    weekend: frozenset[int]  # weekdays on which nobody works, Monday is 0
    days: Mapping[date, RestDay]
    known_from: date  # first day the calendar answers for
    known_until: date  # last day the calendar answers for
    source: str
    note: str = ""

    def is_working(self, day: date) -> bool:
        """Whether offices of the state work on `day`, a local date.

        Raises `LimitNotKnown` outside the horizon: a day without its holidays would look right and be wrong.
        """
        if not self.known_from <= day <= self.known_until:
            raise LimitNotKnown(
                f"calendar {self.id} (version {self.version}) is known from {self.known_from} to {self.known_until} only; "
                f"{day} is outside"
            )
        return day.weekday() not in self.weekend and day not in self.days

    def next_working(self, day: date) -> date:
        """Return `day` if it is a working day, else the first working day after it. Raises `LimitNotKnown`."""
        while not self.is_working(day):
            day += ONE_DAY
        return day

    def why_rest(self, day: date) -> str | None:
        """Return why nobody works on `day`: the holiday's name, "weekend", or None for a working day."""
        if day in self.days:
            return self.days[day].name
        return "weekend" if day.weekday() in self.weekend else None

    def estimated_between(self, first: date, last: date) -> tuple[RestDay, ...]:
        """Return the estimated rest days from `first` to `last`, both included."""
        found = []
        while first <= last:
            if first in self.days and self.days[first].status is Status.ESTIMATED:
                found.append(self.days[first])
            first += ONE_DAY
        return tuple(found)

    def local_date(self, instant: datetime) -> date:
        """Return the civil day of the state at `instant` (aware)."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def end_of(self, day: date) -> datetime:
        """Return the UTC instant at which the local `day` ends: the midnight that begins the next one.

        Where clocks go forward at midnight, the skipped midnight is the instant of the change (fold 0 takes the offset
        before it); where midnight comes twice, the first one begins the new day.
        """
        return datetime.combine(day + ONE_DAY, time(), ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a case: its state, and the calendar that counts for it. None: we have no calendar for this state."""

    state: str
    calendar: Calendar | None

    @classmethod
    def of(cls, state: str, calendars: Mapping[str, Calendar]) -> "Side":
        """Return the side with the calendar of the whole state, whose id is the state's code in small letters."""
        return cls(state=state, calendar=calendars.get(state.lower()))
