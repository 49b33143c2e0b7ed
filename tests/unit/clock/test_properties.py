"""Properties that hold for every limit."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.calendars import Calendar
from gateway.domain.limits import Unit
from tests.clock_samples import ask, calendar, dates, limit

STARTS = st.integers(0, 1793 * 24 * 60).map(lambda minutes: datetime(2025, 2, 1, tzinfo=UTC) + timedelta(minutes=minutes))
REST = st.sets(st.dates(min_value=date(2025, 1, 1), max_value=date(2030, 12, 31)), max_size=40)
DAYS = st.sampled_from([Unit.CALENDAR_DAYS, Unit.WORKING_DAYS])


def ends(start: datetime, amount: int, unit: Unit, rest: Calendar):
    return ask(limit(amount=amount, unit=unit), start.isoformat(), requested=rest)


def naive_walk(start: datetime, amount: int, unit: Unit, rest: set[date]) -> tuple[date, date]:
    """Count day by day as on paper."""
    day = start.astimezone(ZoneInfo("Europe/Belgrade")).date()
    while amount:
        day += timedelta(days=1)
        if unit is Unit.CALENDAR_DAYS or (day.weekday() < 5 and day not in rest):
            amount -= 1
    rolled = day
    while rolled.weekday() >= 5 or rolled in rest:
        rolled += timedelta(days=1)
    return day, rolled


@given(STARTS, st.integers(1, 60), DAYS, REST)
def test_ends_equal_a_naive_walk_day_by_day(start, amount, unit, rest):
    found = ends(start, amount, unit, calendar("RS", "Europe/Belgrade", *rest))
    assert dates(found) == naive_walk(start, amount, unit, rest)


@given(STARTS, st.integers(1, 60), st.sampled_from([Unit.CALENDAR_DAYS, Unit.WORKING_DAYS, Unit.MONTHS, Unit.HOURS]), REST)
def test_more_time_never_ends_earlier(start, amount, unit, rest):
    amount = amount % 10 + 1 if unit is Unit.MONTHS else amount
    kept = calendar("RS", "Europe/Belgrade", *rest)
    shorter, longer = ends(start, amount, unit, kept), ends(start, amount + 1, unit, kept)
    assert shorter.literal.until < longer.literal.until
    assert shorter.rolled.until <= longer.rolled.until


@given(STARTS, st.integers(1, 60), DAYS, REST, st.dates(min_value=date(2025, 1, 1), max_value=date(2030, 12, 31)))
def test_one_more_holiday_never_shortens(start, amount, unit, rest, extra):
    before = ends(start, amount, unit, calendar("RS", "Europe/Belgrade", *rest))
    after = ends(start, amount, unit, calendar("RS", "Europe/Belgrade", *rest, extra))
    assert before.literal.until <= after.literal.until
    assert before.rolled.until <= after.rolled.until


@given(STARTS, st.integers(1, 60), DAYS, REST)
def test_literal_end_is_never_after_the_rolled_end(start, amount, unit, rest):
    found = ends(start, amount, unit, calendar("RS", "Europe/Belgrade", *rest))
    assert start < found.literal.until <= found.rolled.until


@given(STARTS, st.integers(1, 60), DAYS, st.sampled_from(["Asia/Karachi", "America/Lima", "Pacific/Auckland"]))
def test_later_receipt_never_ends_earlier_in_any_zone(start, amount, unit, zone):
    kept = calendar("RS", zone)
    assert ends(start, amount, unit, kept).rolled.until <= ends(start + timedelta(hours=7), amount, unit, kept).rolled.until
