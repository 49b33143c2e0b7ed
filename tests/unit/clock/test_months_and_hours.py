"""Months, years and hours."""

from datetime import date

import pytest

from gateway.domain.counting import count
from gateway.domain.limits import Direction, Unit
from tests.clock_samples import MONDAY, ask, calendar, dates, instant, june, limit


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        (date(2026, 6, 3), 3, Unit.MONTHS, date(2026, 9, 3)),
        (date(2026, 11, 30), 3, Unit.MONTHS, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, Unit.MONTHS, date(2028, 2, 29)),
        (date(2026, 12, 31), 2, Unit.MONTHS, date(2027, 2, 28)),
        (date(2026, 1, 31), 1, Unit.MONTHS, date(2026, 2, 28)),
        (date(2026, 2, 28), 1, Unit.MONTHS, date(2026, 3, 28)),
        (date(2026, 11, 15), 1, Unit.MONTHS, date(2026, 12, 15)),
        (date(2026, 12, 15), 12, Unit.MONTHS, date(2027, 12, 15)),
        (date(2026, 6, 1), 1, Unit.YEARS, date(2027, 6, 1)),
        (date(2028, 2, 29), 1, Unit.YEARS, date(2029, 2, 28)),
        (date(2028, 2, 29), 4, Unit.YEARS, date(2032, 2, 29)),
    ],
)
def test_months_and_years_end_on_the_same_day_or_the_last_of_the_month(start, amount, unit, end):
    assert count(start, amount, unit, Direction.AFTER, ()) == end


def test_months_counted_backward_end_on_the_last_day_of_a_shorter_month():
    assert count(date(2026, 3, 31), 1, Unit.MONTHS, Direction.BEFORE, ()) == date(2026, 2, 28)


def test_month_end_on_a_sunday_rolls():
    found = ask(limit(amount=3, unit=Unit.MONTHS), "2026-11-30T12:00:00+01:00")
    assert dates(found) == (date(2027, 2, 28), date(2027, 3, 1))


def test_hours_run_through_a_weekend_without_rolling():
    found = ask(limit(amount=48, unit=Unit.HOURS), "2026-06-05T10:15:00+02:00")
    assert found.literal == found.rolled
    assert (found.rolled.until, found.rolled.due_on) == (instant("2026-06-07T08:15:00+00:00"), date(2026, 6, 7))


def test_hours_are_elapsed_time_over_the_change_of_clocks():
    found = ask(limit(amount=24, unit=Unit.HOURS), "2026-10-24T12:00:00+02:00")
    assert found.rolled.until == instant("2026-10-25T11:00:00+01:00")


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        (date(2026, 6, 3), 3, Unit.MONTHS, date(2026, 3, 3)),
        (date(2026, 1, 31), 2, Unit.MONTHS, date(2025, 11, 30)),
        (date(2026, 1, 15), 1, Unit.MONTHS, date(2025, 12, 15)),
        (date(2026, 12, 31), 12, Unit.MONTHS, date(2025, 12, 31)),
        (date(2028, 2, 29), 1, Unit.YEARS, date(2027, 2, 28)),
    ],
)
def test_months_and_years_counted_backward_end_on_the_same_day_or_the_last_of_the_month(start, amount, unit, end):
    assert count(start, amount, unit, Direction.BEFORE, ()) == end


def test_year_that_ends_on_a_holiday_rolls():
    rest = calendar("RS", "Europe/Belgrade", date(2027, 6, 1))
    assert dates(ask(limit(amount=1, unit=Unit.YEARS), MONDAY, requested=rest)) == (date(2027, 6, 1), date(2027, 6, 2))


def test_holidays_inside_months_do_not_move_the_end():
    rest = calendar("RS", "Europe/Belgrade", june(2), june(30))
    assert dates(ask(limit(amount=1, unit=Unit.MONTHS), MONDAY, requested=rest)) == (date(2026, 7, 1), date(2026, 7, 1))


def test_shorter_month_is_told():
    explain = ask(limit(amount=3, unit=Unit.MONTHS), "2026-11-30T12:00:00+01:00").explain
    assert (
        "3 months from Mon 30 November 2026 end on Sun 28 February 2027, the last day of a month that has no such day."
        in explain
    )


def test_month_of_the_same_length_is_told():
    assert "1 month from Mon 1 June 2026 end on Wed 1 July 2026." in ask(limit(amount=1, unit=Unit.MONTHS), MONDAY).explain


def test_hours_that_run_out_at_midnight_end_on_the_day_that_ends():
    found = ask(limit(amount=24, unit=Unit.HOURS), "2026-06-01T00:00:00+02:00")
    assert (found.rolled.due_on, found.rolled.until) == (june(1), instant("2026-06-02T00:00:00+02:00"))


def test_hours_do_not_roll_for_a_holiday():
    rest = calendar("RS", "Europe/Belgrade", june(2))
    assert dates(ask(limit(amount=24, unit=Unit.HOURS), MONDAY, requested=rest)) == (june(2), june(2))


def test_hours_are_told_with_the_local_instant():
    explain = ask(limit(amount=24, unit=Unit.HOURS), "2026-06-01T00:00:00+02:00").explain
    told = "Tue 2 June 2026, 00:00 in Europe/Belgrade = 2026-06-01T22:00:00Z"
    assert f"The limit ends {told}; a limit in hours does not move for rest days." in explain
    assert "Start (receipt): Mon 1 June 2026, 00:00, in Europe/Belgrade; the hours run from this instant." in explain


def test_hours_over_the_spring_change_are_elapsed_time():
    found = ask(limit(amount=24, unit=Unit.HOURS), "2026-03-28T12:00:00+01:00")
    assert found.rolled.until == instant("2026-03-29T13:00:00+02:00")
