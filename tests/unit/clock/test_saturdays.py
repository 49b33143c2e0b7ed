"""A treaty's word for a working day may include Saturday: both readings are counted."""

import pytest

from gateway.domain.calendars import with_saturdays
from gateway.domain.limits import Direction, Unit, Whose
from tests.clock_samples import MONDAY, ask, calendar, dates, june, limit

PLAIN = limit(amount=6, unit=Unit.WORKING_DAYS)  # Tuesday the 9th
EITHER = limit(amount=6, unit=Unit.WORKING_DAYS, saturday_may_count=True)


def test_literal_end_counts_saturdays_and_the_rolled_end_does_not():
    assert dates(ask(EITHER, MONDAY)) == (june(8), june(9))


def test_saturdays_do_not_count_unless_the_file_says_so():
    assert dates(ask(PLAIN, MONDAY)) == (june(9), june(9))


def test_limit_that_may_end_on_a_saturday_is_in_time_only_until_then():
    assert dates(ask(limit(amount=5, unit=Unit.WORKING_DAYS, saturday_may_count=True), MONDAY)) == (june(6), june(8))


def test_saturday_without_effect_leaves_one_end():
    assert dates(ask(limit(amount=2, unit=Unit.WORKING_DAYS, saturday_may_count=True), MONDAY)) == (june(3), june(3))


def test_holiday_on_a_saturday_does_not_count():
    rest = calendar("RS", "Europe/Belgrade", june(6))
    assert dates(ask(EITHER, MONDAY, requested=rest)) == (june(9), june(9))


def test_sunday_never_counts():
    assert with_saturdays(calendar()).is_working(june(7)) is False


def test_saturday_of_both_states_counts_only_where_neither_has_a_holiday():
    row = limit(amount=6, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH, saturday_may_count=True)
    assert dates(ask(row, MONDAY)) == (june(8), june(9))
    assert dates(ask(row, MONDAY, requesting=calendar("AT", "Europe/Vienna", june(6)))) == (june(9), june(9))


def test_friday_that_is_a_weekend_day_stays_one():
    elsewhere = with_saturdays(calendar(weekend=frozenset({4, 5})))
    assert [elsewhere.is_working(june(day)) for day in (5, 6, 7)] == [False, True, True]


def test_notice_counts_saturdays_on_the_way_back():
    row = limit(amount=3, unit=Unit.WORKING_DAYS, direction=Direction.BEFORE, saturday_may_count=True)
    assert dates(ask(row, MONDAY, planned=june(10))) == (june(5), june(6))


@pytest.mark.parametrize("unit", [Unit.CALENDAR_DAYS, Unit.MONTHS])
def test_saturday_does_not_matter_for_other_units(unit):
    assert ask(limit(unit=unit, saturday_may_count=True), MONDAY).readings == ()


def test_saturdays_and_feasts_are_counted_together():
    found = ask(EITHER, MONDAY, requested=calendar(estimated=[june(7)]))
    assert dates(found) == (june(8), june(10))
    told = "Saturday counts as a working day, and Feast comes a day earlier"
    assert any(told in sentence for sentence in found.explain)


def test_reading_is_told():
    explain = ask(EITHER, MONDAY).explain
    assert any("Other readings were counted as well: Saturday counts as a working day." in sentence for sentence in explain)
    assert "Act by the first of them; rely on silence only after the last." in explain
