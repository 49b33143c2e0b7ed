"""The instant at which a day ends, in every zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from tests.clock_samples import MONDAY, ask, calendar, limit


def test_until_is_local_midnight_in_summer():
    assert ask(limit(), MONDAY).literal.until == datetime(2026, 6, 11, 22, tzinfo=UTC)


def test_until_is_local_midnight_in_winter():
    assert ask(limit(), "2026-12-01T10:15:00+01:00").literal.until == datetime(2026, 12, 11, 23, tzinfo=UTC)


def test_limit_that_crosses_the_autumn_change_ends_at_winter_midnight():
    found = ask(limit(), "2026-10-16T10:15:00+02:00")
    assert (found.literal.due_on, found.literal.until) == (date(2026, 10, 26), datetime(2026, 10, 26, 23, tzinfo=UTC))


def test_day_of_the_autumn_change_lasts_twenty_five_hours():
    rs = calendar()
    assert rs.end_of(date(2026, 10, 25)) - rs.end_of(date(2026, 10, 24)) == timedelta(hours=25)


def test_day_of_the_spring_change_lasts_twenty_three_hours():
    rs = calendar()
    assert rs.end_of(date(2026, 3, 29)) - rs.end_of(date(2026, 3, 28)) == timedelta(hours=23)


def test_day_whose_midnight_is_skipped_ends_at_the_change():
    beirut = calendar("LB", "Asia/Beirut")  # 29 March 2026 begins at 01:00 there
    end = beirut.end_of(date(2026, 3, 28))
    assert beirut.local_date(end) == date(2026, 3, 29)
    assert beirut.local_date(end - timedelta(microseconds=1)) == date(2026, 3, 28)


def test_zone_without_summer_time_ends_at_its_midnight():
    found = ask(limit(), MONDAY, requested=calendar("RS", "Asia/Karachi"))
    assert found.literal.until == datetime(2026, 6, 11, 19, tzinfo=UTC)


def test_lapse_follows_the_rolled_end():
    found = ask(limit(), "2026-06-03T10:15:00+02:00")
    assert found.lapses_at == found.rolled.until == datetime(2026, 6, 15, 22, tzinfo=UTC)


# Zones whose clocks change at midnight: a day that begins late, or an hour before midnight that comes twice.
AT_MIDNIGHT = [
    ("Asia/Beirut", date(2026, 3, 28), datetime(2026, 3, 28, 22, tzinfo=UTC)),  # 00:00 is skipped, it is 01:00
    ("Asia/Beirut", date(2026, 10, 24), datetime(2026, 10, 24, 22, tzinfo=UTC)),  # 23:00 to 24:00 comes twice
    ("Africa/Cairo", date(2026, 4, 23), datetime(2026, 4, 23, 22, tzinfo=UTC)),  # 00:00 is skipped
    ("Africa/Cairo", date(2026, 10, 29), datetime(2026, 10, 29, 22, tzinfo=UTC)),  # 23:00 to 24:00 comes twice
    ("America/Santiago", date(2026, 4, 4), datetime(2026, 4, 5, 4, tzinfo=UTC)),  # 23:00 to 24:00 comes twice
    ("America/Santiago", date(2026, 9, 5), datetime(2026, 9, 6, 4, tzinfo=UTC)),  # 00:00 is skipped
    ("America/Havana", date(2026, 10, 31), datetime(2026, 11, 1, 4, tzinfo=UTC)),  # 00:00 to 01:00 comes twice
    ("Atlantic/Azores", date(2026, 10, 24), datetime(2026, 10, 25, 0, tzinfo=UTC)),  # 00:00 to 01:00 comes twice
]


@pytest.mark.parametrize(("zone", "day", "end"), AT_MIDNIGHT)
def test_day_that_ends_while_the_clocks_change_ends_once(zone, day, end):
    assert calendar("XX", zone).end_of(day) == end


@pytest.mark.parametrize(("zone", "day", "end"), AT_MIDNIGHT)
def test_instant_before_the_end_is_still_that_day(zone, day, end):
    there = calendar("XX", zone)
    assert there.local_date(end - timedelta(microseconds=1)) == day
    assert there.local_date(end) == day + timedelta(days=1)


@pytest.mark.parametrize("zone", ["Asia/Beirut", "America/Havana", "Africa/Cairo", "Pacific/Chatham", "Australia/Lord_Howe"])
def test_days_of_a_year_lie_end_to_end(zone):
    there = calendar("XX", zone)
    ends = [there.end_of(date(2026, 1, 1) + timedelta(days=number)) for number in range(365)]
    assert sum(((later - earlier) for earlier, later in pairwise(ends)), timedelta()) == timedelta(days=364)
    assert {later - earlier for earlier, later in pairwise(ends)} <= {timedelta(minutes=minutes) for minutes in LENGTHS}


LENGTHS = (23 * 60, 23 * 60 + 30, 24 * 60, 24 * 60 + 30, 25 * 60)


def test_limit_that_ends_on_a_day_whose_next_midnight_is_skipped_ends_at_the_change():
    beirut = calendar("RS", "Asia/Beirut")
    found = ask(limit(amount=1), "2026-03-27T10:00:00+02:00", requested=beirut)
    assert found.literal.until == datetime(2026, 3, 28, 22, tzinfo=UTC)


def test_same_instant_is_another_day_on_the_other_side_of_the_world():
    start = "2026-06-01T12:00:00Z"
    first, last = (ask(limit(), start, requested=calendar("RS", zone)) for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"))
    assert (first.start_on, last.start_on) == (date(2026, 6, 2), date(2026, 6, 1))
    assert last.literal.until - first.literal.until == timedelta(hours=1)


def test_end_is_told_as_local_midnight_and_in_utc():
    assert "Literal end: Thu 11 June 2026, 24:00 in Europe/Belgrade = 2026-06-11T22:00:00Z." in ask(limit(), MONDAY).explain
