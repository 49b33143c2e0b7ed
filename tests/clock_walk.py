"""The count as on paper: one day after the other, with sets of days. It shares no line with the clock it checks."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import product

from hypothesis import strategies as st

from gateway.domain.calendars import Calendar, Kind, SpecialDay, Status
from gateway.domain.counting import Standstill
from tests.clock_samples import calendar

DAY = timedelta(days=1)
FIRST, LAST = date(2026, 3, 1), date(2026, 5, 31)  # days that are drawn: close together, so that they meet
ONE_YEAR = {"known_from": date(2026, 1, 1), "known_until": date(2026, 12, 31)}

dates_drawn = st.dates(min_value=FIRST, max_value=LAST)
day_sets = st.sets(dates_drawn, max_size=12)
stops_drawn = st.lists(
    st.builds(
        lambda since, length, why: Standstill(since=since, until=since + length * DAY, why=why),
        since=dates_drawn,
        length=st.integers(1, 12),
        why=st.sampled_from(["obstacle", "suspension"]),
    ),
    max_size=4,
)


@st.composite
def calendars_drawn(draw: st.DrawFn, state: str = "RS", zone: str = "Europe/Belgrade") -> Calendar:
    """Draw a calendar with holidays, half days, worked days of the weekend, and a weekend of its own."""
    weekend = draw(st.sampled_from([frozenset({5, 6}), frozenset({4, 5}), frozenset({6})]))
    return calendar(state, zone, *draw(day_sets), half=draw(day_sets), worked=draw(day_sets), weekend=weekend, **ONE_YEAR)


def works(there: Calendar, day: date) -> bool:
    """Whether offices are open, read from the calendar's plain data."""
    entry: SpecialDay | None = there.days.get(day)
    if entry is not None:
        return entry.kind in {Kind.HALF, Kind.WORK}
    return day.weekday() not in there.weekend


def stands(stops: Iterable[Standstill], day: date) -> bool:
    return any(stop.until is not None and stop.since <= day < stop.until for stop in stops)


def walk(start: date, amount: int, step: int, counts: Callable[[date], bool]) -> date:
    """Return the day on which the `amount`-th day that counts is reached; the start is not one."""
    day = start
    while amount:
        day += step * DAY
        amount -= counts(day)
    return day


def roll(day: date, there: Calendar, stops: Iterable[Standstill] = ()) -> date:
    """Return the first day from `day` on, on which offices are open and the clock runs."""
    while not works(there, day) or stands(stops, day):
        day += DAY
    return day


def with_feasts_moved(there: Calendar) -> list[Calendar]:
    """Return the calendar in each way in which its estimated feasts may come: each a day earlier, as it is, or later."""
    feasts: list[list[date]] = []
    for day in sorted(day for day, entry in there.days.items() if entry.status is Status.ESTIMATED):
        if feasts and day - feasts[-1][-1] == DAY:
            feasts[-1].append(day)
        else:
            feasts.append([day])
    fixed = [day for day, entry in there.days.items() if entry.status is Status.CONFIRMED]
    return [
        calendar(
            there.state,
            there.zone,
            *fixed,
            *(day + by * DAY for feast, by in zip(feasts, shifts, strict=True) for day in feast),
            weekend=there.weekend,
        )
        for shifts in product((-1, 0, 1), repeat=len(feasts))
    ]
