"""Calendar days: the start does not count, every other day does, and an end on a rest day has two readings."""

from datetime import date, timedelta

import pytest

from gateway.domain.limits import Actor, Whose
from tests.clock_samples import MONDAY, SERBIA, ask, between, calendar, dates, instant, june, limit


def test_day_of_receipt_does_not_count():
    assert dates(ask(limit(), MONDAY)) == (date(2026, 6, 11), date(2026, 6, 11))


def test_period_ending_on_a_saturday_rolls_to_monday():
    assert dates(ask(limit(), "2026-06-03T10:15:00+02:00")) == (date(2026, 6, 13), date(2026, 6, 15))


def test_period_ending_on_a_sunday_rolls_to_monday():
    assert dates(ask(limit(), "2026-06-04T10:15:00+02:00")) == (date(2026, 6, 14), date(2026, 6, 15))


def test_period_ending_on_a_holiday_rolls_to_the_next_day():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 11))
    assert dates(ask(limit(), MONDAY, requested=rest)) == (date(2026, 6, 11), date(2026, 6, 12))


def test_holiday_after_a_weekend_rolls_on():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 15))
    assert dates(ask(limit(), "2026-06-03T10:15:00+02:00", requested=rest)) == (date(2026, 6, 13), date(2026, 6, 16))


def test_holidays_inside_calendar_days_do_not_move_the_end():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 8), date(2026, 6, 9))
    assert dates(ask(limit(), MONDAY, requested=rest)) == (date(2026, 6, 11), date(2026, 6, 11))


def test_rest_day_of_the_other_state_does_not_move_the_end():
    other = calendar("AT", "Europe/Vienna", date(2026, 6, 11))
    assert dates(ask(limit(), MONDAY, requesting=other)) == (date(2026, 6, 11), date(2026, 6, 11))


def test_friday_and_saturday_weekend_rolls_to_sunday():
    elsewhere = calendar(weekend=frozenset({4, 5}))
    assert dates(ask(limit(amount=4), MONDAY, requested=elsewhere)) == (date(2026, 6, 5), date(2026, 6, 7))


def test_day_is_the_civil_day_of_the_state_that_must_act():
    late = "2026-06-01T23:30:00+00:00"  # already 2 June in Belgrade
    found = ask(limit(), late)
    assert (found.start_on, found.literal.due_on) == (date(2026, 6, 2), date(2026, 6, 12))


def test_requesting_state_acts_by_its_own_civil_day():
    row = limit(who=Actor.REQUESTING, calendar=Whose.REQUESTING)
    found = ask(row, "2026-06-01T23:30:00+00:00", requesting=calendar("AT", "Atlantic/Azores"))
    assert (found.start_on, found.zone) == (date(2026, 6, 1), "Atlantic/Azores")


def test_zone_in_which_the_start_is_written_does_not_matter():
    same = ("2026-06-01T10:15:00+02:00", "2026-06-01T08:15:00Z", "2026-06-01T13:15:00+05:00")
    assert len({ask(limit(), start).rolled for start in same}) == 1


def test_unnamed_requesting_state_is_counted_by_the_days_of_the_requested_state():
    row = limit(who=Actor.REQUESTING, calendar=Whose.REQUESTING)
    found = between(SERBIA, None, row)
    assert (found.zone, found.literal.due_on) == ("Europe/Belgrade", june(11))


def test_start_at_local_midnight_belongs_to_the_day_that_begins():
    assert ask(limit(), "2026-06-01T22:00:00Z").start_on == june(2)


def test_start_a_moment_before_local_midnight_belongs_to_the_day_that_ends():
    assert ask(limit(), "2026-06-01T21:59:59.999999Z").start_on == june(1)


@pytest.mark.parametrize("start", ["2026-06-01T23:59:00+14:00", "2026-06-01T08:15:00Z", "2026-05-31T20:15:00-12:00"])
def test_start_is_kept_in_utc(start):
    assert ask(limit(), start).start == instant(start)
    assert ask(limit(), start).start.utcoffset() == timedelta(0)
