"""Counting from a start to the last day of a limit. The start itself does not count; where the clock stood still, no day does.

Nothing here knows a treaty: amounts, units, calendars and the days of a standstill come in, a day comes out.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce

from gateway.domain.calendars import ONE_DAY, Calendar, both
from gateway.domain.limits import Direction, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """Days on which the clock did not run: from the day it stopped (not counted) to the day it went on (counted)."""

    since: date
    until: date | None  # None: it still stands
    why: str  # "obstacle" | "suspension"

    def covers(self, day: date) -> bool:
        """Whether the clock stood on `day`."""
        return self.since <= day and (self.until is None or day < self.until)


def count(start_on: date, amount: int, unit: Unit, direction: Direction, counting: Sequence[Calendar] = ()) -> date:
    """Return the last day of `amount` units counted from `start_on`, which itself does not count.

    Months and years end on the day with the same number, or on the last day of a month that has none (as in
    Reg. 1182/71, Art. 3(2)(c), and ETS 76, Art. 4). Raises `LimitNotKnown` where a calendar does not reach.
    """
    step = -1 if direction is Direction.BEFORE else 1
    if unit is Unit.CALENDAR_DAYS:
        return start_on + timedelta(days=step * amount)
    if unit is Unit.WORKING_DAYS:
        days = reduce(both, counting)
        return days.nth_working(start_on, amount) if step > 0 else days.nth_working_before(start_on, amount)
    months = start_on.year * 12 + start_on.month - 1 + step * amount * (12 if unit is Unit.YEARS else 1)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(start_on.day, monthrange(year, month)[1]))


def count_with_stops(
    start_on: date, amount: int, unit: Unit, counting: Sequence[Calendar], stops: Sequence[Standstill]
) -> date:
    """Return the last day of a limit that runs forward, with the days of each standstill left out.

    Days, months and years grow by the civil days of the standstill; of working days, those inside it are not counted.
    A standstill that began before the start counts from the start on, one that began after the limit had run out not at
    all; a day that lies in two is left out once. All of `stops` have ended.
    """
    last = count(start_on, amount, unit, Direction.AFTER, counting)
    done, settled = 0, start_on  # working days counted up to the day that is settled: counted itself, or left out
    for stop in sorted(stops, key=lambda one: one.since):
        assert stop.until is not None, "a standstill that lasts has no end to count to"
        stood = stop.until - ONE_DAY
        if stop.since > last or stood <= settled:
            continue
        if unit is Unit.WORKING_DAYS:
            done += _worked(settled, stop.since, counting)
            last = count(stood, amount - done, unit, Direction.AFTER, counting)
        else:
            last += stood - max(settled, stop.since - ONE_DAY)
        settled = stood
    return last


def hours_with_stops(start: datetime, hours: int, stops: Sequence[tuple[datetime, datetime]]) -> datetime:
    """Return the instant at which so many hours have run since `start`, with the time of each standstill left out."""
    until, settled = start + timedelta(hours=hours), start
    for since, went_on in sorted(stops):
        if since < until and went_on > settled:
            until += went_on - max(settled, since)
            settled = went_on
    return until


def _worked(after: date, before: date, counting: Sequence[Calendar]) -> int:
    """Return how many working days lie between two days, neither of them counted."""
    days = reduce(both, counting)
    return sum(1 for number in range(after.toordinal() + 1, before.toordinal()) if days.is_working(date.fromordinal(number)))
