"""Days on which the clock stood still: obstacles where the rule allows them, suspensions always."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from gateway.domain.answers import ExtensionAsked
from gateway.domain.counting import Standstill
from gateway.domain.limits import Actor, Confidence, EndRule, Extension, ExtensionKind, Unit
from tests.clock_samples import MONDAY, ask, calendar, dates, instant, june, limit

OBSTACLE = Extension(kind=ExtensionKind.OBSTACLE, days=None, who=Actor.REQUESTED, article="Art. 10(4)")
DAYS, WORKING = limit(extension=OBSTACLE), limit(unit=Unit.WORKING_DAYS, extension=OBSTACLE)  # 11 June; 15 June
MONTHS = limit(amount=1, unit=Unit.MONTHS, extension=OBSTACLE)  # 1 July


def stop(since, until, why="obstacle"):
    return Standstill(since=since, until=until, why=why)


def stopped(row, *stops, **other):
    return ask(row, MONDAY, stops=stops, **other)


def ends(row, *stops, **other):
    return dates(stopped(row, *stops, **other))


# --- which standstills count ----------------------------------------------------------------------------------------


def test_obstacle_prolongs_a_rule_that_allows_it():
    assert ends(DAYS, stop(june(3), june(8))) == (june(16), june(16))


def test_obstacle_does_not_prolong_a_rule_without_that_extension():
    assert ends(limit(), stop(june(3), june(8))) == (june(11), june(11))


@pytest.mark.parametrize("kind", [ExtensionKind.INCREMENT, ExtensionKind.TOTAL])
def test_obstacle_does_not_prolong_a_rule_that_adds_a_number_of_days(kind):
    row = limit(extension=Extension(kind=kind, days=30, who=Actor.REQUESTED, article="Art. 1"))
    assert ends(row, stop(june(3), june(8))) == (june(11), june(11))
    assert stopped(row, stop(june(3), june(8))).stops == ()


@pytest.mark.parametrize("row", [limit(), DAYS])
def test_suspension_counts_for_every_rule(row):
    assert ends(row, stop(june(3), june(8), "suspension")) == (june(16), june(16))


# --- calendar days --------------------------------------------------------------------------------------------------


def test_end_moved_by_an_obstacle_rolls():
    assert ends(DAYS, stop(june(3), june(5))) == (june(13), june(15))


@pytest.mark.parametrize(
    ("since", "until", "end"),
    [
        (june(11), june(12), june(12)),  # its last day is the first of the obstacle: it does not count
        (june(12), june(20), june(11)),  # after the end
        (june(2), june(3), june(12)),  # day 1 does not count
        (june(1), june(2), june(11)),  # the start does not count anyway
        (june(1), june(4), june(13)),
        (date(2026, 5, 1), june(4), june(13)),  # it stood before the start
        (date(2026, 5, 1), june(2), june(11)),
        (date(2026, 5, 1), date(2026, 5, 20), june(11)),  # over before the start
        (june(3), june(3), june(11)),  # fell away on its first day
        (june(5), june(3), june(11)),
    ],
)
def test_only_days_of_the_limit_are_left_out(since, until, end):
    assert ends(DAYS, stop(since, until))[0] == end


def test_standstills_one_after_the_other_add_up():
    assert ends(DAYS, stop(june(3), june(5)), stop(june(8), june(10)))[0] == june(15)
    assert ends(DAYS, stop(june(8), june(10)), stop(june(3), june(5)))[0] == june(15)


def test_days_in_two_standstills_are_left_out_once():
    assert ends(DAYS, stop(june(3), june(8)), stop(june(5), june(10), "suspension"))[0] == june(18)
    assert ends(DAYS, stop(june(3), june(10)), stop(june(5), june(8), "suspension"))[0] == june(18)


def test_second_standstill_counts_if_the_first_has_moved_the_end_to_it():
    assert ends(DAYS, stop(june(10), june(13)), stop(june(13), june(16)))[0] == june(17)
    assert ends(DAYS, stop(june(13), june(16)))[0] == june(11)


# --- working days ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "end"),
    [
        (june(3), june(8), june(18)),  # three working days
        (june(6), june(8), june(15)),  # a weekend: nothing is lost
        (june(15), june(16), june(16)),
        (june(16), june(20), june(15)),
        (june(1), june(2), june(15)),
        (date(2026, 5, 1), june(4), june(17)),
        (date(2026, 5, 1), june(2), june(15)),
        (june(3), june(3), june(15)),
    ],
)
def test_working_days_inside_a_standstill_are_not_counted(since, until, end):
    assert ends(WORKING, stop(since, until)) == (end, end)


def test_working_days_in_two_standstills_are_left_out_once():
    assert ends(WORKING, stop(june(3), june(8)), stop(june(4), june(10), "suspension"))[0] == june(22)


def test_standstills_of_working_days_add_up():
    assert ends(WORKING, stop(june(9), june(11)), stop(june(3), june(4)))[0] == june(18)


def test_holiday_inside_a_standstill_is_not_left_out_twice():
    rest = calendar("RS", "Europe/Belgrade", june(4))
    assert ends(WORKING, stop(june(3), june(8)), requested=rest)[0] == june(18)


def test_each_day_of_a_standstill_is_told():
    explain = stopped(WORKING, stop(june(3), june(5))).explain
    assert "Wed 3 June 2026: not counted (the clock stands, obstacle)." in explain
    assert "Fri 5 June 2026: working day 2." in explain
    assert "Wed 17 June 2026: working day 10." in explain


# --- months and hours -----------------------------------------------------------------------------------------------


def test_months_grow_by_the_days_of_a_standstill():
    assert ends(MONTHS, stop(june(3), june(8))) == (date(2026, 7, 6), date(2026, 7, 6))


def test_months_grow_only_by_days_after_the_start():
    assert ends(MONTHS, stop(date(2026, 5, 1), june(4)))[0] == date(2026, 7, 3)


def test_years_grow_by_the_days_of_a_standstill():
    row = replace(MONTHS, unit=Unit.YEARS)
    assert ends(row, stop(date(2027, 2, 20), date(2027, 3, 2)))[0] == date(2027, 6, 11)


HOURS = limit(amount=24, unit=Unit.HOURS)  # from Monday 10:15 to Tuesday 10:15


@pytest.mark.parametrize(
    ("since", "until", "end"),
    [
        (june(2), june(3), "2026-06-03T10:15:00+02:00"),
        (june(1), june(2), "2026-06-03T00:00:00+02:00"),  # stood from the start to midnight
        (june(3), june(9), "2026-06-02T10:15:00+02:00"),  # after the end
        (date(2026, 5, 1), june(1), "2026-06-02T10:15:00+02:00"),  # over before the start
    ],
)
def test_hours_stand_from_midnight_to_midnight(since, until, end):
    assert stopped(HOURS, stop(since, until, "suspension")).rolled.until == instant(end)


def test_hours_in_two_standstills_are_left_out_once():
    found = stopped(HOURS, stop(june(2), june(4), "suspension"), stop(june(3), june(5), "suspension"))
    assert found.rolled.until == instant("2026-06-05T10:15:00+02:00")


def test_standstill_from_the_instant_at_which_the_hours_run_out_changes_nothing():
    found = ask(HOURS, "2026-06-01T00:00:00+02:00", stops=(stop(june(2), june(5), "suspension"),))
    assert (found.rolled.until, found.stops) == (instant("2026-06-02T00:00:00+02:00"), ())


def test_hours_stand_for_a_day_that_is_an_hour_longer():
    found = ask(HOURS, "2026-10-24T12:00:00+02:00", stops=(stop(date(2026, 10, 25), date(2026, 10, 26), "suspension"),))
    assert found.rolled.until == instant("2026-10-26T12:00:00+01:00")


# --- an end on a rest day -------------------------------------------------------------------------------------------

SATURDAY = replace(DAYS, amount=12)  # literal end Saturday the 13th, rolled end Monday the 15th


def test_clock_that_stands_before_the_rolled_end_moves_the_rolled_end_only():
    assert ends(SATURDAY, stop(june(14), june(17))) == (june(13), june(17))
    assert ends(SATURDAY, stop(june(15), june(20))) == (june(13), june(22))


def test_rolled_end_waits_for_one_standstill_after_another():
    assert ends(SATURDAY, stop(june(3), june(4)), stop(june(15), june(17))) == (june(14), june(17))
    assert ends(SATURDAY, stop(june(14), june(17)), stop(june(17), june(19))) == (june(13), june(19))


def test_clock_that_stands_after_the_rolled_end_changes_nothing():
    found = stopped(SATURDAY, stop(june(16), june(20)))
    assert (dates(found), found.stops) == ((june(13), june(15)), ())


def test_clock_that_stands_after_an_end_that_the_text_fixes_changes_nothing():
    assert ends(replace(SATURDAY, end=EndRule.LITERAL), stop(june(14), june(17))) == (june(13), june(13))


# --- standstills that last ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("since", [date(2026, 5, 1), june(1), june(11)])
@pytest.mark.parametrize("why", ["obstacle", "suspension"])
def test_clock_that_still_stands_has_no_end(since, why):
    found = stopped(DAYS, stop(since, None, why))
    assert (found.applies, found.known, found.lapses_at) == (True, False, None)
    assert found.why_not == f"The clock stands since {since} ({why}): no end yet."


def test_obstacle_that_lasts_but_began_after_the_end_changes_nothing():
    found = stopped(DAYS, stop(june(12), None))
    assert (dates(found), found.stops) == ((june(11), june(11)), ())


def test_obstacle_that_lasts_from_before_the_rolled_end_leaves_it_unknown():
    assert stopped(SATURDAY, stop(june(15), None)).known is False
    assert stopped(SATURDAY, stop(june(16), None)).known is True


def test_obstacle_that_lasts_is_nothing_to_a_rule_that_does_not_know_it():
    assert ends(limit(), stop(june(3), None)) == (june(11), june(11))


def test_obstacle_that_lasts_within_a_granted_extension_leaves_the_end_unknown():
    row = limit(extension=Extension(kind=ExtensionKind.INCREMENT, days=6, who=Actor.REQUESTED, article="Art. 1"))
    more = {"extension": ExtensionAsked(at=instant("2026-06-10T12:00:00+02:00"), days=6)}
    assert stopped(row, stop(june(15), None, "suspension"), **more).known is False
    assert stopped(row, stop(june(18), None, "suspension"), **more).known is True


def test_number_nobody_verified_stays_unknown_beside_a_standstill():
    found = stopped(replace(DAYS, confidence=Confidence.UNVERIFIED), stop(june(3), june(8)))
    assert "verified" in found.why_not


# --- with an extension ----------------------------------------------------------------------------------------------


def test_extension_is_added_to_the_end_that_a_suspension_moved():
    row = limit(extension=Extension(kind=ExtensionKind.INCREMENT, days=6, who=Actor.REQUESTED, article="Art. 1"))
    more = {"extension": ExtensionAsked(at=instant("2026-06-10T12:00:00+02:00"), days=6)}
    assert ends(row, stop(june(3), june(5), "suspension"), **more) == (june(19), june(19))


def test_days_of_a_suspension_within_the_extension_are_left_out():
    row = limit(extension=Extension(kind=ExtensionKind.INCREMENT, days=6, who=Actor.REQUESTED, article="Art. 1"))
    more = {"extension": ExtensionAsked(at=instant("2026-06-10T12:00:00+02:00"), days=6)}
    assert ends(row, stop(june(13), june(15), "suspension"), **more) == (june(19), june(19))
    assert ends(row, stop(june(3), june(5), "suspension"), stop(june(15), june(16), "suspension"), **more)[0] == june(20)


def test_other_day_of_an_extension_moves_with_the_suspension():
    rule = Extension(kind=ExtensionKind.INCREMENT, days=4, who=Actor.REQUESTED, article="Art. 5", other_base=10)
    more = {"extension": ExtensionAsked(at=instant("2026-06-03T12:00:00+02:00"), days=4)}
    assert ends(limit(amount=7, extension=rule), stop(june(4), june(5), "suspension"), **more) == (june(13), june(16))


# --- rules that go on for a number of days after the obstacle -------------------------------------------------------

RESUMES = replace(WORKING, extension=replace(OBSTACLE, resumes=3))


@pytest.mark.parametrize(
    ("since", "until", "end"),
    [
        (june(10), june(17), june(22)),  # Thursday, Friday, Monday
        (june(3), june(4), june(15)),  # three days after the 4th are over before the limit
        (june(15), june(16), june(19)),
        (june(16), june(24), june(15)),  # it began after the end
        (june(12), june(12), june(15)),  # it fell away on its first day
        (date(2026, 5, 1), date(2026, 5, 4), june(15)),  # it was over before the start
        (date(2026, 5, 1), june(12), june(17)),
    ],
)
def test_days_that_resume_run_from_the_day_on_which_the_obstacle_had_fallen_away(since, until, end):
    assert ends(RESUMES, stop(since, until)) == (end, end)


def test_obstacle_that_was_over_on_the_day_of_the_start_gives_no_days_of_its_own():
    row = replace(RESUMES, amount=2)
    assert ends(row, stop(date(2026, 5, 20), june(1))) == (june(3), june(3))
    assert ends(row, stop(date(2026, 5, 20), june(2))) == (june(5), june(5))


def test_second_obstacle_resumes_again():
    assert ends(RESUMES, stop(june(10), june(17)), stop(june(19), june(24)))[0] == june(29)
    assert ends(RESUMES, stop(june(19), june(24)), stop(june(10), june(17)))[0] == june(29)


def test_suspension_does_not_resume_but_leaves_its_days_out():
    assert ends(RESUMES, stop(june(10), june(12), "suspension"))[0] == june(17)
    assert ends(RESUMES, stop(june(10), june(17)), stop(june(18), june(19), "suspension"))[0] == june(23)


def test_obstacle_that_lasts_has_no_end_even_where_days_resume():
    assert stopped(RESUMES, stop(june(10), None)).known is False


def test_days_that_resume_are_told():
    told = (
        "An obstacle stood from Wed 10 June 2026 and had fallen away on Wed 17 June 2026: "
        "3 working days run from that day, where they end later."
    )
    assert told in stopped(RESUMES, stop(june(10), june(17))).explain


# --- what is told ---------------------------------------------------------------------------------------------------


def test_standstill_is_told_with_its_days():
    told = (
        "The clock stood still (suspension) from Wed 3 June 2026 until it went on, on Mon 8 June 2026: "
        "the days between are left out."
    )
    assert told in stopped(limit(), stop(june(3), june(8), "suspension")).explain


@pytest.mark.parametrize("row", [DAYS, WORKING, MONTHS, RESUMES])
def test_standstill_that_left_no_day_out_is_not_told(row):
    stops = (stop(date(2026, 5, 1), june(2)), stop(date(2026, 7, 20), date(2026, 7, 24)))
    assert stopped(row, *stops).stops == ()
    assert stopped(row, *stops).explain == stopped(row).explain


def test_standstill_that_left_a_day_out_is_kept():
    first, second = stop(june(8), june(9)), stop(june(1), june(3))
    assert stopped(DAYS, first, second).stops == (second, first)
    assert stopped(DAYS, stop(june(11), june(12))).stops == (stop(june(11), june(12)),)


def test_lapse_waits_for_the_end_that_a_standstill_moved():
    assert stopped(DAYS, stop(june(3), june(8))).lapses_at == datetime(2026, 6, 16, 22, tzinfo=UTC)
