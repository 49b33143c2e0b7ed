"""The clock agrees with a count on paper, day by day: forward and backward, with one calendar and with two."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.domain.answers import ExtensionAsked
from gateway.domain.counting import count_with_stops
from gateway.domain.limits import Actor, Direction, EndRule, Extension, ExtensionKind, Unit, Whose
from gateway.domain.readings import MOST_FEASTS
from tests.clock_samples import ask, calendar, dates, instant, limit
from tests.clock_walk import (
    DAY,
    ONE_YEAR,
    calendars_drawn,
    dates_drawn,
    day_sets,
    roll,
    stands,
    stops_drawn,
    walk,
    with_feasts_moved,
    works,
)

AMOUNTS = st.integers(1, 25)
BACK: dict[str, Any] = {"id": "transfer-notice", "direction": Direction.BEFORE}
OBSTACLE = Extension(kind=ExtensionKind.OBSTACLE, days=None, who=Actor.REQUESTED, article="Art. 10(4)")


def at_noon(day: date) -> str:
    return f"{day}T12:00:00+01:00"


# --- forward --------------------------------------------------------------------------------------------------------


@given(dates_drawn, AMOUNTS, calendars_drawn())
def test_calendar_days_equal_a_walk(start, amount, here):
    last = walk(start, amount, 1, lambda _: True)
    assert dates(ask(limit(amount=amount), at_noon(start), requested=here)) == (last, roll(last, here))


@given(dates_drawn, AMOUNTS, calendars_drawn())
def test_working_days_equal_a_walk(start, amount, here):
    last = walk(start, amount, 1, lambda day: works(here, day))
    row = limit(amount=amount, unit=Unit.WORKING_DAYS)
    assert dates(ask(row, at_noon(start), requested=here)) == (last, last)


@given(dates_drawn, AMOUNTS, calendars_drawn(), calendars_drawn("AT", "Europe/Vienna"))
def test_working_days_of_both_states_equal_a_walk(start, amount, here, there):
    last = walk(start, amount, 1, lambda day: works(here, day) and works(there, day))
    row = limit(amount=amount, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    assert dates(ask(row, at_noon(start), requested=here, requesting=there)) == (last, last)


@given(dates_drawn, AMOUNTS, calendars_drawn(), calendars_drawn("AT", "Europe/Vienna"))
def test_working_days_of_the_other_state_equal_a_walk_that_rolls_at_home(start, amount, here, there):
    last = walk(start, amount, 1, lambda day: works(there, day))
    row = limit(amount=amount, unit=Unit.WORKING_DAYS, calendar=Whose.REQUESTING)
    assert dates(ask(row, at_noon(start), requested=here, requesting=there)) == (last, roll(last, here))


@given(dates_drawn, AMOUNTS, calendars_drawn(), st.sampled_from([Unit.CALENDAR_DAYS, Unit.WORKING_DAYS]))
def test_end_that_the_text_fixes_equals_a_walk(start, amount, here, unit):
    last = walk(start, amount, 1, lambda day: unit is Unit.CALENDAR_DAYS or works(here, day))
    literal = limit(amount=amount, unit=unit, end=EndRule.LITERAL)
    rolled = limit(amount=amount, unit=unit, end=EndRule.ROLLED)
    assert dates(ask(literal, at_noon(start), requested=here)) == (last, last)
    assert dates(ask(rolled, at_noon(start), requested=here)) == (roll(last, here), roll(last, here))


# --- backward -------------------------------------------------------------------------------------------------------


@given(dates_drawn, AMOUNTS, calendars_drawn())
def test_calendar_days_counted_back_equal_a_walk(planned, amount, here):
    last = walk(planned, amount, -1, lambda _: True)
    row = limit(amount=amount, **BACK)
    assert dates(ask(row, at_noon(planned), requested=here, planned=planned)) == (last, last)


@given(dates_drawn, AMOUNTS, calendars_drawn())
def test_working_days_counted_back_equal_a_walk(planned, amount, here):
    last = walk(planned, amount, -1, lambda day: works(here, day))
    row = limit(amount=amount, unit=Unit.WORKING_DAYS, **BACK)
    assert dates(ask(row, at_noon(planned), requested=here, planned=planned)) == (last, last)


@given(dates_drawn, AMOUNTS, calendars_drawn(), calendars_drawn("AT", "Europe/Vienna"))
def test_working_days_of_both_states_counted_back_equal_a_walk(planned, amount, here, there):
    last = walk(planned, amount, -1, lambda day: works(here, day) and works(there, day))
    row = limit(amount=amount, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH, **BACK)
    assert dates(ask(row, at_noon(planned), requested=here, requesting=there, planned=planned)) == (last, last)


@given(dates_drawn, AMOUNTS, calendars_drawn())
def test_working_days_back_and_forth_reach_the_same_day(start, amount, here):
    last = here.nth_working(start, amount)
    assert here.nth_working_before(last + DAY, amount) == here.nth_working(start, 1)


# --- with standstills -----------------------------------------------------------------------------------------------


@given(dates_drawn, AMOUNTS, calendars_drawn(), stops_drawn)
def test_calendar_days_with_standstills_equal_a_walk(start, amount, here, stops):
    last = walk(start, amount, 1, lambda day: not stands(stops, day))
    row = limit(amount=amount, extension=OBSTACLE)
    assert dates(ask(row, at_noon(start), requested=here, stops=stops)) == (last, roll(last, here, stops))


@given(dates_drawn, AMOUNTS, calendars_drawn(), stops_drawn)
def test_working_days_with_standstills_equal_a_walk(start, amount, here, stops):
    last = walk(start, amount, 1, lambda day: works(here, day) and not stands(stops, day))
    row = limit(amount=amount, unit=Unit.WORKING_DAYS, extension=OBSTACLE)
    assert dates(ask(row, at_noon(start), requested=here, stops=stops)) == (last, last)


@given(dates_drawn, AMOUNTS, calendars_drawn(), calendars_drawn("AT", "Europe/Vienna"), stops_drawn)
def test_working_days_of_both_states_with_standstills_equal_a_walk(start, amount, here, there, stops):
    last = walk(start, amount, 1, lambda day: works(here, day) and works(there, day) and not stands(stops, day))
    row = limit(amount=amount, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH, extension=OBSTACLE)
    found = ask(row, at_noon(start), requested=here, requesting=there, stops=stops)
    assert dates(found) == (last, roll(last, here, stops))


@given(dates_drawn, st.integers(1, 3), stops_drawn)
def test_months_with_standstills_equal_a_walk_over_their_days(start, amount, stops):
    plain = count_with_stops(start, amount, Unit.MONTHS, (), ())
    last = walk(start, (plain - start).days, 1, lambda day: not stands(stops, day))
    assert count_with_stops(start, amount, Unit.MONTHS, (), stops) == last


@given(dates_drawn, AMOUNTS, stops_drawn)
def test_suspensions_alone_count_where_the_rule_allows_no_obstacle(start, amount, stops):
    last = walk(start, amount, 1, lambda day: not stands([stop for stop in stops if stop.why == "suspension"], day))
    assert dates(ask(limit(amount=amount), at_noon(start), stops=stops))[0] == last


@given(dates_drawn, AMOUNTS, stops_drawn, st.sampled_from([Unit.CALENDAR_DAYS, Unit.WORKING_DAYS]))
def test_order_in_which_standstills_are_told_does_not_matter(start, amount, stops, unit):
    row = limit(amount=amount, unit=unit, extension=OBSTACLE)
    assert dates(ask(row, at_noon(start), stops=stops)) == dates(ask(row, at_noon(start), stops=stops[::-1]))


@given(dates_drawn, AMOUNTS, calendars_drawn(), stops_drawn, st.integers(1, 20))
def test_extension_with_suspensions_equals_a_walk(start, amount, here, stops, days):
    suspended = [replace(stop, why="suspension") for stop in stops]
    last = walk(start, amount + days, 1, lambda day: not stands(suspended, day))
    row = limit(amount=amount, extension=Extension(kind=ExtensionKind.INCREMENT, days=20, who=Actor.REQUESTED, article="x"))
    asked = ExtensionAsked(at=instant(at_noon(start)), days=days)
    found = ask(row, at_noon(start), requested=here, stops=suspended, extension=asked)
    assert dates(found) == (last, roll(last, here, suspended))


# --- with estimated feasts ------------------------------------------------------------------------------------------

few_feasts = st.lists(dates_drawn, max_size=3, unique=True)


@given(dates_drawn, AMOUNTS, day_sets, few_feasts)
def test_ends_over_moving_feasts_are_the_earliest_and_the_latest_of_all(start, amount, rest, feasts):
    here = calendar("RS", "Europe/Belgrade", *(rest - set(feasts)), estimated=feasts, **ONE_YEAR)
    lasts = [walk(start, amount, 1, lambda day, one=one: works(one, day)) for one in with_feasts_moved(here)]
    row = limit(amount=amount, unit=Unit.WORKING_DAYS)
    assert dates(ask(row, at_noon(start), requested=here)) == (min(lasts), max(lasts))


@given(dates_drawn, AMOUNTS, day_sets, few_feasts)
def test_rolled_end_over_moving_feasts_is_the_latest_of_all(start, amount, rest, feasts):
    here = calendar("RS", "Europe/Belgrade", *(rest - set(feasts)), estimated=feasts, **ONE_YEAR)
    last = start + amount * DAY
    rolls = [roll(last, one) for one in with_feasts_moved(here)]
    assert dates(ask(limit(amount=amount), at_noon(start), requested=here)) == (last, max(rolls))
    fixed = limit(amount=amount, end=EndRule.ROLLED)
    assert dates(ask(fixed, at_noon(start), requested=here)) == (min(rolls), max(rolls))


@given(dates_drawn, AMOUNTS, day_sets, few_feasts)
def test_ends_counted_back_over_moving_feasts_are_the_earliest_and_the_latest_of_all(planned, amount, rest, feasts):
    here = calendar("RS", "Europe/Belgrade", *(rest - set(feasts)), estimated=feasts, **ONE_YEAR)
    lasts = [walk(planned, amount, -1, lambda day, one=one: works(one, day)) for one in with_feasts_moved(here)]
    row = limit(amount=amount, unit=Unit.WORKING_DAYS, **BACK)
    assert dates(ask(row, at_noon(planned), requested=here, planned=planned)) == (min(lasts), max(lasts))


@settings(deadline=None, max_examples=50)
@given(dates_drawn, st.integers(1, 15), few_feasts, few_feasts)
def test_feasts_of_two_states_move_by_themselves(start, amount, ours, theirs):
    assume(len(ours) + len(theirs) <= MOST_FEASTS)
    here, there = calendar(estimated=ours, **ONE_YEAR), calendar("AT", "Europe/Vienna", estimated=theirs, **ONE_YEAR)
    lasts = [
        walk(start, amount, 1, lambda day, one=one, other=other: works(one, day) and works(other, day))
        for one in with_feasts_moved(here)
        for other in with_feasts_moved(there)
    ]
    row = limit(amount=amount, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    found = ask(row, at_noon(start), requested=here, requesting=there)
    assert found.literal.due_on == min(lasts)
    assert found.rolled.due_on >= max(lasts)
    assert found.rolled.due_on - max(lasts) <= timedelta(days=7)  # both work on the last day; the state that acts may not
