"""What holds for every limit, whatever its numbers: order of the ends, more time, more holidays, the zone of the input."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.answers import ExtensionAsked
from gateway.domain.counting import Standstill
from gateway.domain.limits import Actor, Direction, EndRule, Extension, ExtensionKind, Unit, Whose
from tests.clock_samples import ask, calendar, limit
from tests.clock_walk import DAY, calendars_drawn, dates_drawn, day_sets, stops_drawn

ZONES = ("Europe/Belgrade", "Asia/Karachi", "America/Santiago", "Pacific/Auckland", "Asia/Beirut", "America/Havana")
MORE = Extension(kind=ExtensionKind.INCREMENT, days=30, who=Actor.REQUESTED, article="Art. 1")
OBSTACLE = Extension(kind=ExtensionKind.OBSTACLE, days=None, who=Actor.REQUESTED, article="Art. 1")

starts = st.datetimes(datetime(2026, 3, 1), datetime(2026, 5, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds it
amounts = st.integers(1, 25)
units = st.sampled_from(list(Unit))
end_rules = st.sampled_from(list(EndRule))
zones = st.sampled_from(ZONES)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def row(amount: int, unit: Unit, **changes: Any):
    return limit(amount=amount % 3 + 1 if unit in {Unit.MONTHS, Unit.YEARS} else amount, unit=unit, **changes)


def found(rule, start: datetime, here, **other: Any):
    deadline = ask(rule, start.isoformat(), requested=here, **other)
    assert deadline.literal is not None, deadline.why_not
    assert deadline.rolled is not None
    return deadline


def with_feasts(zone: str, rest: set[date], feasts: set[date]):
    return calendar("RS", zone, *(rest - feasts), estimated=feasts)


@given(starts, amounts, units, end_rules, zones, day_sets, st.sets(dates_drawn, max_size=2), stops_drawn)
def test_literal_end_lies_after_the_start_and_never_after_the_rolled_end(start, amount, unit, end, zone, rest, feasts, stops):
    rule = row(amount, unit, end=end, extension=OBSTACLE)
    deadline = found(rule, start, with_feasts(zone, rest, feasts), stops=stops)
    assert start < deadline.literal.until <= deadline.rolled.until
    assert deadline.start_on <= deadline.literal.due_on <= deadline.rolled.due_on
    assert deadline.lapses_at == deadline.rolled.until


@given(dates_drawn, amounts, units, zones, day_sets)
def test_end_counted_back_lies_before_the_planned_day(planned, amount, unit, zone, rest):
    here = calendar("RS", zone, *rest, known_from=date(2020, 1, 1))
    deadline = found(row(amount, unit, direction=Direction.BEFORE), datetime(2026, 4, 1, tzinfo=UTC), here, planned=planned)
    assert deadline.rolled.due_on < planned
    assert deadline.rolled.until <= here.end_of(planned - DAY)


@given(starts, amounts, units, end_rules, zones, day_sets, stops_drawn)
def test_more_time_never_ends_earlier(start, amount, unit, end, zone, rest, stops):
    here = calendar("RS", zone, *rest)
    one, more = (
        found(limit(amount=number, unit=unit, end=end, extension=OBSTACLE), start, here, stops=stops)
        for number in ((amount, amount + 1) if unit not in {Unit.MONTHS, Unit.YEARS} else (amount % 3 + 1, amount % 3 + 2))
    )
    assert one.literal.until <= more.literal.until
    assert one.rolled.until <= more.rolled.until


@given(dates_drawn, amounts, st.sampled_from([Unit.CALENDAR_DAYS, Unit.WORKING_DAYS, Unit.HOURS]), zones, day_sets)
def test_more_notice_never_ends_later(planned, amount, unit, zone, rest):
    here, start = calendar("RS", zone, *rest), datetime(2026, 4, 1, tzinfo=UTC)
    short, long = (
        found(limit(amount=number, unit=unit, direction=Direction.BEFORE), start, here, planned=planned)
        for number in (amount, amount + 1)
    )
    assert long.rolled.until < short.rolled.until


@given(starts, amounts, units, end_rules, day_sets, dates_drawn)
def test_one_more_holiday_never_shortens(start, amount, unit, end, rest, extra):
    before = found(row(amount, unit, end=end), start, calendar("RS", "Europe/Belgrade", *rest))
    after = found(row(amount, unit, end=end), start, calendar("RS", "Europe/Belgrade", *rest, extra))
    assert before.literal.until <= after.literal.until
    assert before.rolled.until <= after.rolled.until


@given(starts, amounts, day_sets, dates_drawn)
def test_one_more_holiday_of_either_state_never_shortens_a_limit_of_both(start, amount, rest, extra):
    rule = limit(amount=amount, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    here, there = calendar("RS", "Europe/Belgrade", *rest), calendar("AT", "Europe/Vienna", extra)
    assert found(rule, start, here).rolled.until <= found(rule, start, here, requesting=there).rolled.until


@given(starts, amounts, units, end_rules, stops_drawn, dates_drawn)
def test_longer_standstill_never_shortens(start, amount, unit, end, stops, since):
    rule, here = row(amount, unit, end=end, extension=OBSTACLE), calendar()
    shorter = found(rule, start, here, stops=stops)
    longer = found(rule, start, here, stops=[*stops, Standstill(since=since, until=since + 5 * DAY, why="suspension")])
    assert shorter.literal.until <= longer.literal.until
    assert shorter.rolled.until <= longer.rolled.until


@given(starts, amounts, end_rules, day_sets, st.sets(dates_drawn, max_size=2), st.integers(1, 30))
def test_extension_never_shortens_and_longer_ones_never_end_earlier(start, amount, end, rest, feasts, days):
    rule, here = limit(amount=amount, end=end, extension=MORE), with_feasts("Europe/Belgrade", rest, feasts)
    plain = found(rule, start, here)
    one, more = (
        found(rule, start, here, extension=ExtensionAsked(at=start, days=number)) for number in (days, min(days + 1, 30))
    )
    assert plain.literal.until <= one.literal.until <= more.literal.until
    assert plain.rolled.until <= one.rolled.until <= more.rolled.until
    assert one.literal.until <= one.rolled.until


@given(starts, amounts, units, zones, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_later_start_never_ends_earlier(start, amount, unit, zone, later):
    here = calendar("RS", zone)
    assert found(row(amount, unit), start, here).rolled.until <= found(row(amount, unit), start + later, here).rolled.until


@given(starts, amounts, units, end_rules, zones, day_sets, offsets)
def test_zone_in_which_the_start_is_written_changes_nothing(start, amount, unit, end, zone, rest, offset):
    rule, here = row(amount, unit, end=end), calendar("RS", zone, *rest)
    assert found(rule, start, here).as_dict() == found(rule, start.astimezone(offset), here).as_dict()


@given(starts, st.integers(0, 30 * 24), offsets)
def test_zone_in_which_a_request_is_written_changes_nothing(start, hours, offset):
    rule, at = limit(extension=MORE), start + timedelta(hours=hours)
    one, other = (
        found(rule, start, calendar(), extension=ExtensionAsked(at=when, days=6)) for when in (at, at.astimezone(offset))
    )
    assert one.as_dict() == other.as_dict()


@given(starts, amounts, calendars_drawn(), calendars_drawn("AT", "Europe/Belgrade"))
def test_order_of_the_two_states_does_not_matter_where_both_count(start, amount, here, there):
    rule = limit(amount=amount, unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    one = found(rule, start, here, requesting=there).literal
    assert one == found(rule, start, there, requesting=here).literal


@given(starts, amounts, units, zones)
def test_end_is_the_midnight_after_the_last_day(start, amount, unit, zone):
    here = calendar("RS", zone)
    deadline = found(row(amount, unit), start, here)
    assert here.local_date(deadline.rolled.until - timedelta.resolution) == deadline.rolled.due_on
    if unit is not Unit.HOURS:
        assert here.local_date(deadline.rolled.until) == deadline.rolled.due_on + DAY
