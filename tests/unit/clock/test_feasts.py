"""Feasts that are only estimated: each may come a day earlier or later, and every reading is counted."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.domain.answers import ExtensionAsked
from gateway.domain.calendars import both, moved
from gateway.domain.limits import Actor, Direction, EndRule, Extension, ExtensionKind, Unit, Whose
from gateway.domain.readings import MOST_FEASTS, Reading, doubtful_feasts
from tests.clock_samples import MONDAY, ask, calendar, dates, instant, june, limit

WEDNESDAY = "2026-06-03T10:15:00+02:00"  # ten days end on Saturday the 13th
WORKING = limit(amount=5, unit=Unit.WORKING_DAYS)  # from Monday the 1st: Monday the 8th


def feast(*days, **other):
    return calendar(estimated=[june(day) for day in days], **other)


def ends(row, start=MONDAY, *, requested, **other):
    return dates(ask(row, start, requested=requested, **other))


# --- which feasts matter --------------------------------------------------------------------------------------------


def test_feast_among_counted_working_days_is_told():
    found = ask(WORKING, MONDAY, requested=feast(3))
    assert found.estimated is True
    told = "Wed 3 June 2026 (Feast) is an estimate and may move: ask RS before you rely on a date near it."
    assert told in found.explain


def test_feast_inside_calendar_days_does_not_matter():
    assert ask(limit(), MONDAY, requested=feast(3)).estimated is False


@pytest.mark.parametrize(("day", "matters"), [(9, False), (10, True), (11, True), (12, True), (13, False)])
def test_feast_at_or_beside_the_end_matters(day, matters):
    assert ask(limit(), MONDAY, requested=feast(day)).estimated is matters


def test_feast_beside_the_rolled_end_matters():
    assert ends(limit(), WEDNESDAY, requested=feast(16)) == (june(13), june(16))


def test_feast_does_not_matter_for_hours():
    assert ask(limit(amount=24, unit=Unit.HOURS), MONDAY, requested=feast(2)).estimated is False


def test_feast_of_the_state_that_neither_acts_nor_counts_does_not_matter():
    there = calendar("AT", "Europe/Vienna", estimated=[june(11)])
    assert ask(limit(), MONDAY, requesting=there).estimated is False


def test_feast_does_not_matter_where_the_text_says_that_the_end_does_not_move():
    assert ask(limit(end=EndRule.LITERAL), MONDAY, requested=feast(11)).estimated is False


def test_confirmed_holiday_is_not_in_doubt():
    assert ask(limit(), MONDAY, requested=calendar("RS", "Europe/Belgrade", june(11))).estimated is False


@pytest.mark.parametrize(("day", "matters"), [(0, False), (1, True), (8, True), (9, True), (11, False)])
def test_feast_matters_for_working_days_from_the_start_to_beside_the_end(day, matters):
    there = calendar(estimated=[date(2026, 5, 30) if day == 0 else june(day)])
    assert ask(WORKING, MONDAY, requested=there).estimated is matters


# --- the ends widen -------------------------------------------------------------------------------------------------


def test_end_on_a_feast_may_roll_or_not():
    assert ends(limit(), requested=feast(11)) == (june(11), june(12))


def test_feast_the_day_after_the_end_may_come_on_it():
    assert ends(limit(), requested=feast(12)) == (june(11), june(12))


def test_feast_the_day_before_the_end_may_come_on_it():
    assert ends(limit(), requested=feast(10)) == (june(11), june(12))


def test_feast_before_a_weekend_may_roll_the_end_over_it():
    assert ends(limit(), "2026-06-02T10:15:00+02:00", requested=feast(11)) == (june(12), june(15))


def test_both_ends_widen_for_working_days():
    friday = feast(5)  # on Saturday it would cost no working day, on Thursday as many as on Friday
    assert ends(WORKING, requested=friday) == (june(8), june(9))
    assert ends(WORKING, requested=feast(7)) == (june(8), june(9))


def test_feast_of_several_days_moves_as_a_whole():
    assert ends(limit(amount=9), requested=feast(8, 9, 10)) == (june(10), june(12))
    assert ends(limit(amount=9), requested=feast(10, 11, 12)) == (june(10), june(15))


def test_feast_that_moves_onto_a_holiday_takes_no_other_day():
    there = calendar("RS", "Europe/Belgrade", june(12), estimated=[june(11)])
    assert ends(limit(), requested=there) == (june(11), june(15))


def test_feast_that_moves_onto_a_half_day_closes_it():
    assert ends(limit(), requested=calendar(estimated=[june(12)], half=[june(11)])) == (june(11), june(12))


def test_feast_that_moves_onto_a_worked_weekend_day_closes_it():
    there = calendar(estimated=[june(12)], worked=[june(13)])
    assert ends(limit(), WEDNESDAY, requested=there) == (june(13), june(15))


def test_silence_waits_for_the_latest_reading():
    found = ask(limit(), MONDAY, requested=feast(11))
    assert found.lapses_at == found.rolled.until


def test_rolled_end_of_the_text_has_an_earliest_reading():
    assert ends(limit(end=EndRule.ROLLED), requested=feast(11)) == (june(11), june(12))


def test_feast_before_a_long_weekend_may_spare_the_whole_of_it():
    there = calendar("RS", "Europe/Belgrade", june(12), estimated=[june(11)])
    assert ends(limit(end=EndRule.ROLLED), requested=there) == (june(11), june(15))


# --- several feasts -------------------------------------------------------------------------------------------------


def test_feasts_move_independently():
    row = limit(amount=5, unit=Unit.WORKING_DAYS)  # Saturday or Sunday: neither costs a day, one does, or both do
    assert ends(row, requested=feast(6, 14)) == (june(8), june(9))
    assert ends(limit(amount=9, unit=Unit.WORKING_DAYS), requested=feast(6, 14)) == (june(12), june(16))


def test_later_end_brings_the_next_feast_into_doubt():
    # The 11th may be a rest day; then the end is the 12th, onto which the feast of the 13th may move: Monday.
    assert ends(limit(), requested=feast(10, 13)) == (june(11), june(15))


def test_same_feast_of_two_states_moves_in_each_by_itself():
    row = limit(amount=1, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    there = calendar("AT", "Europe/Vienna", estimated=[june(3)])
    assert ends(row, requested=feast(3), requesting=there) == (june(2), june(4))


def test_feast_of_the_state_that_counts_and_of_the_one_that_acts_both_matter():
    row = limit(amount=1, unit=Unit.WORKING_DAYS, calendar=Whose.REQUESTING)
    there = calendar("AT", "Europe/Vienna", estimated=[june(2)])
    assert ends(row, requested=calendar("RS", "Europe/Belgrade", june(3)), requesting=there) == (june(2), june(4))
    assert ends(row, requested=feast(3), requesting=there) == (june(2), june(4))


@pytest.mark.parametrize(("direction", "kept"), [(Direction.AFTER, [26, 22, 18, 15]), (Direction.BEFORE, [4, 8, 11, 15])])
def test_feasts_nearest_to_the_end_are_counted_where_there_are_many(direction, kept):
    many = feast(4, 8, 11, 15, 18, 22, 26)
    row = limit(unit=Unit.WORKING_DAYS, direction=direction)
    plain = Reading(acting=many, counting=(many,))
    nearest_last = doubtful_feasts(row, plain, june(15), june(1), june(30))
    assert [days[0].day for _, days in nearest_last[-MOST_FEASTS:]] == kept[::-1]


# --- counted back ---------------------------------------------------------------------------------------------------

NOTICE = limit(id="transfer-notice", direction=Direction.BEFORE, amount=3, unit=Unit.WORKING_DAYS)


def test_both_ends_of_a_notice_widen():
    assert ends(NOTICE, requested=feast(7), planned=june(10)) == (june(4), june(5))


def test_feast_that_may_come_on_the_last_day_of_a_notice_counts():
    assert ends(NOTICE, requested=feast(4), planned=june(10)) == (june(4), june(5))


def test_feast_beyond_the_planned_day_may_come_before_it():
    assert ends(NOTICE, requested=feast(10), planned=june(10)) == (june(4), june(5))


def test_earlier_end_brings_the_feast_before_it_into_doubt():
    # The 8th may be a rest day; then the notice ends on the 4th, onto which the feast of the 3rd may move.
    assert ends(NOTICE, requested=feast(3, 7), planned=june(10)) == (june(3), june(5))


def test_feast_at_a_notice_in_calendar_days_does_not_matter():
    row = replace(NOTICE, unit=Unit.CALENDAR_DAYS)
    assert ask(row, MONDAY, requested=feast(7), planned=june(10)).estimated is False


def test_notice_of_one_state_counted_by_the_other_does_not_roll_at_home():
    row = replace(NOTICE, calendar=Whose.REQUESTING)
    assert ask(row, MONDAY, requested=feast(5), planned=june(10)).estimated is False


# --- with more time -------------------------------------------------------------------------------------------------

SIX = Extension(kind=ExtensionKind.INCREMENT, days=6, who=Actor.REQUESTED, article="Art. 10(3)")
MORE = ExtensionAsked(at=instant("2026-06-10T12:00:00+02:00"), days=6)  # to the 17th


def test_feast_at_the_extended_end_matters():
    found = ask(limit(extension=SIX), MONDAY, requested=feast(17), extension=MORE)
    assert (dates(found), found.estimated) == ((june(17), june(18)), True)


def test_feast_at_the_end_that_was_extended_no_longer_matters():
    found = ask(limit(extension=SIX), MONDAY, requested=feast(11), extension=MORE)
    assert (dates(found), found.estimated) == ((june(17), june(17)), False)


def test_request_for_more_time_is_in_time_until_the_latest_reading():
    late = ExtensionAsked(at=instant("2026-06-12T12:00:00+02:00"), days=6)
    found = ask(limit(extension=SIX), MONDAY, requested=feast(11), extension=late)
    assert (found.extension.granted, dates(found)) == (True, (june(11), june(17)))


# --- calendars as they would be -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "rest"), [(-1, [2]), (1, [4])])
def test_moved_feast_leaves_its_day_free(by, rest):
    there = moved(feast(3), (june(3),), by)
    assert [day for day in (2, 3, 4) if not there.is_working(june(day))] == rest


def test_calendar_of_both_states_keeps_no_feast_in_doubt():
    assert both(feast(3), calendar("AT", "Europe/Vienna")).shaky is False


def test_days_that_follow_each_other_are_one_feast():
    assert feast(3, 4, 8).feasts(june(1), june(30)) == ((june(3), june(4)), (june(8),))


def test_feasts_are_found_with_both_ends_included():
    there = feast(3, 4, 8, 12)
    assert there.feasts(june(4), june(8)) == ((june(3), june(4)), (june(8),))
    assert there.feasts(june(5), june(7)) == ()


def test_estimated_half_day_is_no_feast():
    there = calendar(half=[june(3)])
    shaky = replace(there, days={june(3): replace(there.days[june(3)], status="estimated")})
    assert shaky.shaky is False


# --- what is told ---------------------------------------------------------------------------------------------------


def test_readings_are_told():
    explain = ask(limit(), MONDAY, requested=feast(11)).explain
    assert (
        "Other readings were counted as well: Feast comes a day earlier; Feast comes a day later. "
        "The ends shown are the earliest and the latest of all."
    ) in explain
    assert "Latest end: Fri 12 June 2026, 24:00 in Europe/Belgrade = 2026-06-12T22:00:00Z." in explain


def test_feasts_that_move_together_are_told_together():
    explain = ask(limit(amount=9, unit=Unit.WORKING_DAYS), MONDAY, requested=feast(6, 14)).explain
    assert any("Feast comes a day earlier, and Feast comes a day later" in sentence for sentence in explain)
