"""Limits that are counted back from a planned day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.domain.counting import Standstill
from gateway.domain.limits import Actor, Direction, Extension, ExtensionKind, Unit, Whose
from tests.clock_samples import MONDAY, ask, calendar, dates, june, limit

NOTICE = limit(id="transfer-notice", direction=Direction.BEFORE, start="planned-transfer", amount=3, unit=Unit.WORKING_DAYS)


def test_notice_in_working_days_is_counted_back_from_the_planned_day():
    found = ask(NOTICE, MONDAY, planned=date(2026, 6, 10))
    assert dates(found) == (date(2026, 6, 5), date(2026, 6, 5))


def test_notice_that_ends_on_a_rest_day_does_not_roll_toward_the_transfer():
    row = limit(id="transfer-notice", direction=Direction.BEFORE, amount=3, unit=Unit.CALENDAR_DAYS)
    assert dates(ask(row, MONDAY, planned=date(2026, 6, 10))) == (date(2026, 6, 7), date(2026, 6, 7))


def test_notice_without_a_planned_day_is_not_known():
    found = ask(NOTICE, MONDAY)
    assert found.applies is True
    assert found.known is False


def test_notice_in_hours_is_counted_back_from_the_first_instant_of_the_planned_day():
    row = limit(id="transfer-notice", direction=Direction.BEFORE, amount=48, unit=Unit.HOURS)
    found = ask(row, MONDAY, planned=date(2026, 6, 10))
    assert found.rolled.until == datetime(2026, 6, 7, 22, tzinfo=UTC)


def test_planned_day_itself_does_not_count():
    row = limit(id="transit-notice", direction=Direction.BEFORE, amount=1, unit=Unit.CALENDAR_DAYS)
    assert dates(ask(row, MONDAY, planned=june(10))) == (june(9), june(9))


def test_notice_is_in_time_until_the_end_of_its_last_day():
    assert ask(NOTICE, MONDAY, planned=june(10)).lapses_at == datetime(2026, 6, 5, 22, tzinfo=UTC)


def test_notice_skips_holidays_on_the_way_back():
    rest = calendar("RS", "Europe/Belgrade", june(8))
    assert dates(ask(NOTICE, MONDAY, requested=rest, planned=june(10))) == (june(4), june(4))


def test_notice_before_a_transfer_on_a_rest_day_is_counted_from_that_day():
    assert dates(ask(NOTICE, MONDAY, planned=june(7))) == (june(3), june(3))


def test_worked_weekend_day_counts_on_the_way_back():
    worked = calendar(worked=[june(7)])
    assert dates(ask(NOTICE, MONDAY, requested=worked, planned=june(10))) == (june(7), june(7))


def test_notice_of_both_states_needs_both_to_work():
    row = limit(id="transfer-notice", direction=Direction.BEFORE, amount=3, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    there = calendar("AT", "Europe/Vienna", june(9))
    assert dates(
        ask(row, MONDAY, requested=calendar("RS", "Europe/Belgrade", june(8)), requesting=there, planned=june(10))
    ) == (
        june(3),
        june(3),
    )


def test_notice_of_the_requesting_state_is_counted_by_its_own_days():
    row = limit(
        id="transfer-notice",
        who=Actor.REQUESTING,
        direction=Direction.BEFORE,
        amount=3,
        unit=Unit.WORKING_DAYS,
        calendar=Whose.REQUESTING,
    )
    found = ask(row, MONDAY, requesting=calendar("AT", "Europe/London", june(9)), planned=june(10))
    assert (dates(found), found.zone) == ((june(4), june(4)), "Europe/London")
    assert found.lapses_at == datetime(2026, 6, 4, 23, tzinfo=UTC)


def test_notice_in_months_is_counted_back():
    row = limit(id="transfer-notice", direction=Direction.BEFORE, amount=1, unit=Unit.MONTHS)
    assert dates(ask(row, MONDAY, planned=date(2026, 7, 31))) == (june(30), june(30))


def test_start_of_a_notice_is_the_first_instant_of_the_planned_day():
    assert ask(NOTICE, MONDAY, planned=june(10)).start == datetime(2026, 6, 9, 22, tzinfo=UTC)


def test_instant_of_the_event_does_not_move_a_notice():
    other = "2025-02-03T04:05:06-07:00"
    assert ask(NOTICE, MONDAY, planned=june(10)).as_dict() == ask(NOTICE, other, planned=june(10)).as_dict()


def test_notice_in_hours_ends_on_the_day_before_the_midnight():
    row = limit(id="transfer-notice", direction=Direction.BEFORE, amount=48, unit=Unit.HOURS)
    assert dates(ask(row, MONDAY, planned=june(10))) == (june(7), june(7))


def test_notice_in_hours_is_elapsed_time_over_the_change_of_clocks():
    row = limit(id="transfer-notice", direction=Direction.BEFORE, amount=48, unit=Unit.HOURS)
    found = ask(row, MONDAY, planned=date(2026, 3, 30))
    assert found.rolled.until == datetime(2026, 3, 27, 22, tzinfo=UTC)


@pytest.mark.parametrize("why", ["obstacle", "suspension"])
def test_standstill_does_not_move_a_notice(why):
    row = limit(
        id="transfer-notice",
        direction=Direction.BEFORE,
        amount=3,
        unit=Unit.WORKING_DAYS,
        extension=Extension(kind=ExtensionKind.OBSTACLE, days=None, who=Actor.REQUESTED, article="Art. 1"),
    )
    stops = (Standstill(since=june(8), until=None, why=why), Standstill(since=june(4), until=june(9), why=why))
    found = ask(row, MONDAY, planned=june(10), stops=stops)
    assert (dates(found), found.stops) == ((june(5), june(5)), ())


def test_postponed_transfer_starts_its_notice_afresh():
    first, again = (ask(NOTICE, MONDAY, planned=day) for day in (june(10), june(17)))
    assert dates(again)[0] - dates(first)[0] == timedelta(days=7)


def test_notice_before_the_horizon_is_not_known():
    assert ask(NOTICE, MONDAY, planned=date(2025, 1, 3)).known is False
    assert ask(NOTICE, MONDAY, planned=date(2025, 1, 6)).known is True


def test_notice_after_the_horizon_is_not_known():
    assert ask(NOTICE, MONDAY, planned=date(2031, 1, 2)).known is False
    assert ask(NOTICE, MONDAY, planned=date(2031, 1, 1)).known is True


def test_notice_is_told_from_the_planned_day_back():
    explain = ask(NOTICE, MONDAY, planned=june(10)).explain
    assert "Planned for Wed 10 June 2026 in Europe/Belgrade; that day does not count." in explain
    assert "Tue 9 June 2026: working day 1." in explain
    assert "Fri 5 June 2026: working day 3." in explain
    assert "Counted backward, the end does not move for rest days." in explain


def test_calendar_days_are_told_from_the_planned_day_back():
    row = limit(id="transit-notice", direction=Direction.BEFORE, amount=7, unit=Unit.CALENDAR_DAYS)
    told = "Every day counts: day 1 is Tue 9 June 2026, day 7 is Wed 3 June 2026."
    assert told in ask(row, MONDAY, planned=june(10)).explain
