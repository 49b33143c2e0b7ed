"""Working days: whose count, and what else counts as one."""

from datetime import date

from gateway.domain.calendars import Side
from gateway.domain.limits import Unit, Whose
from tests.clock_samples import MONDAY, SERBIA, ask, between, calendar, dates, june, limit


def test_working_days_skip_the_weekend():
    row = limit(amount=2, unit=Unit.WORKING_DAYS)
    assert dates(ask(row, "2026-06-04T10:15:00+02:00")) == (date(2026, 6, 8), date(2026, 6, 8))


def test_working_days_skip_holidays_of_the_requested_state():
    row = limit(amount=2, unit=Unit.WORKING_DAYS)
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 2))
    assert ask(row, MONDAY, requested=rest).rolled.due_on == date(2026, 6, 4)


def test_working_days_ignore_holidays_of_the_requesting_state():
    row = limit(amount=2, unit=Unit.WORKING_DAYS)
    other = calendar("AT", "Europe/Vienna", date(2026, 6, 2))
    assert ask(row, MONDAY, requesting=other).rolled.due_on == date(2026, 6, 3)


def test_working_days_of_both_states_need_both_to_work():
    row = limit(amount=2, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    found = ask(
        row,
        MONDAY,
        requested=calendar("RS", "Europe/Belgrade", date(2026, 6, 2)),
        requesting=calendar("AT", "Europe/Vienna", date(2026, 6, 3)),
    )
    assert found.rolled.due_on == date(2026, 6, 5)
    assert found.calendar_id == "rs+at"


def test_working_days_counted_by_the_other_state_still_roll_at_home():
    row = limit(amount=1, unit=Unit.WORKING_DAYS, calendar=Whose.REQUESTING)
    found = ask(row, MONDAY, requested=calendar("RS", "Europe/Belgrade", date(2026, 6, 2)))
    assert dates(found) == (date(2026, 6, 2), date(2026, 6, 3))


def test_working_days_of_both_are_not_known_when_one_state_is_not_named():
    row = limit(unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    found = between(SERBIA, None, row)
    assert found.known is False
    assert "was not named" in found.why_not


def test_working_days_are_not_known_without_the_calendar_that_counts():
    row = limit(unit=Unit.WORKING_DAYS, calendar=Whose.REQUESTING)
    found = between(SERBIA, Side(state="FR", calendar=None), row)
    assert found.known is False
    assert "no calendar for FR" in found.why_not


# --- half days and moved working days -------------------------------------------------------------------------------

TWO = limit(amount=2, unit=Unit.WORKING_DAYS)


def test_half_day_is_a_working_day():
    assert dates(ask(TWO, MONDAY, requested=calendar(half=[june(2)]))) == (june(3), june(3))


def test_end_on_a_half_day_does_not_roll():
    assert dates(ask(limit(), MONDAY, requested=calendar(half=[june(11)]))) == (june(11), june(11))


def test_weekend_day_that_is_worked_counts():
    assert dates(ask(TWO, "2026-06-04T10:15:00+02:00", requested=calendar(worked=[june(6)]))) == (june(6), june(6))


def test_end_on_a_weekend_day_that_is_worked_does_not_roll():
    assert dates(ask(limit(), "2026-06-03T10:15:00+02:00", requested=calendar(worked=[june(13)]))) == (june(13), june(13))


def test_end_on_a_saturday_rolls_to_the_sunday_that_is_worked():
    assert dates(ask(limit(), "2026-06-03T10:15:00+02:00", requested=calendar(worked=[june(14)]))) == (june(13), june(14))


def test_day_off_in_exchange_is_a_rest_day():
    moved_day = calendar("RS", "Europe/Belgrade", june(8), worked=[june(6)])
    assert dates(ask(TWO, "2026-06-05T10:15:00+02:00", requested=moved_day)) == (june(9), june(9))


def test_half_day_is_told_where_it_counts():
    explain = ask(TWO, MONDAY, requested=calendar(half=[june(2)])).explain
    assert "Tue 2 June 2026: working day 1 (Eve, a half day)." in explain


def test_worked_weekend_day_is_told_where_it_counts():
    explain = ask(TWO, "2026-06-04T10:15:00+02:00", requested=calendar(worked=[june(6)])).explain
    assert "Sat 6 June 2026: working day 2 (Moved day, worked in exchange)." in explain


# --- both calendars -------------------------------------------------------------------------------------------------

BOTH = limit(amount=2, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)


def test_worked_weekend_day_of_one_state_does_not_count_for_both():
    found = ask(BOTH, "2026-06-04T10:15:00+02:00", requested=calendar(worked=[june(6)]))
    assert dates(found) == (june(8), june(8))


def test_worked_weekend_day_of_both_states_counts():
    here, there = calendar(worked=[june(6)]), calendar("AT", "Europe/Vienna", worked=[june(6)])
    assert dates(ask(BOTH, "2026-06-04T10:15:00+02:00", requested=here, requesting=there)) == (june(6), june(6))


def test_weekends_of_both_states_are_left_out():
    elsewhere = calendar("AT", "Europe/Vienna", weekend=frozenset({4, 5}))
    assert dates(ask(BOTH, "2026-06-03T10:15:00+02:00", requesting=elsewhere)) == (june(8), june(8))


def test_days_of_both_states_are_known_only_where_both_calendars_reach():
    short = calendar("AT", "Europe/Vienna", known_until=june(2))
    assert ask(BOTH, MONDAY, requesting=short).known is False
    assert ask(BOTH, MONDAY, requested=calendar(known_until=june(2))).known is False
    assert ask(limit(amount=1, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH), MONDAY, requesting=short).known is True


def test_end_counted_by_both_rolls_only_by_the_state_that_must_act():
    found = ask(limit(), MONDAY, requesting=calendar("AT", "Europe/Vienna", june(11)))
    assert dates(found) == (june(11), june(11))


def test_unnamed_requesting_state_counts_the_working_days_of_the_requested_state():
    row = limit(amount=2, unit=Unit.WORKING_DAYS, calendar=Whose.REQUESTING)
    found = between(Side(state="RS", calendar=calendar("RS", "Europe/Belgrade", june(2))), None, row)
    assert dates(found) == (june(4), june(4))


def test_calendar_of_the_other_state_is_named_beside_the_one_that_rolls():
    row = limit(amount=1, unit=Unit.WORKING_DAYS, calendar=Whose.REQUESTING)
    found = ask(row, MONDAY)
    assert (found.calendar_id, found.calendar_version) == ("at+rs", "test/1+test/1")


def test_working_days_of_both_are_told_for_both():
    explain = ask(BOTH, MONDAY, requesting=calendar("AT", "Europe/Vienna", june(2))).explain
    assert "Working days of RS (calendar rs, test/1) and AT (calendar at, test/1) count, when both work." in explain
    assert "Tue 2 June 2026: not counted (National Day in AT)." in explain
