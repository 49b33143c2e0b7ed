"""The one function that turns a limit into a date."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.answers import ExtensionAsked
from gateway.domain.calendars import Calendar, Side
from gateway.domain.counting import count
from gateway.domain.deadlines import due_date
from gateway.domain.limits import Actor, Confidence, Direction, Extension, ExtensionKind, OnLapse, Override, Unit, Whose
from gateway.errors import UnknownLimit
from tests.clock_samples import ask, calendar, instant, limit, treaty

MONDAY = "2026-06-01T10:15:00+02:00"
SIX_MORE = Extension(days=6, kind=ExtensionKind.INCREMENT, who=Actor.REQUESTED, article="Art. 10(3)")


RS = Side(state="RS", calendar=calendar())


def between(requested, requesting, row=None):
    row = row or limit()
    return due_date(treaty(row), row.id, start=instant(MONDAY), requested=requested, requesting=requesting)


def days(found):
    return found.literal.due_on, found.rolled.due_on


# --- counting days --------------------------------------------------------------------------------------------------


def test_day_of_receipt_does_not_count():
    assert days(ask(limit(), MONDAY)) == (date(2026, 6, 11), date(2026, 6, 11))


def test_period_ending_on_a_saturday_rolls_to_monday():
    assert days(ask(limit(), "2026-06-03T10:15:00+02:00")) == (date(2026, 6, 13), date(2026, 6, 15))


def test_period_ending_on_a_sunday_rolls_to_monday():
    assert days(ask(limit(), "2026-06-04T10:15:00+02:00")) == (date(2026, 6, 14), date(2026, 6, 15))


def test_period_ending_on_a_holiday_rolls_to_the_next_day():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 11))
    assert days(ask(limit(), MONDAY, requested=rest)) == (date(2026, 6, 11), date(2026, 6, 12))


def test_holiday_after_a_weekend_rolls_on():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 15))
    assert days(ask(limit(), "2026-06-03T10:15:00+02:00", requested=rest)) == (date(2026, 6, 13), date(2026, 6, 16))


def test_holidays_inside_calendar_days_do_not_move_the_end():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 8), date(2026, 6, 9))
    assert days(ask(limit(), MONDAY, requested=rest)) == (date(2026, 6, 11), date(2026, 6, 11))


def test_rest_day_of_the_other_state_does_not_move_the_end():
    other = calendar("AT", "Europe/Vienna", date(2026, 6, 11))
    assert days(ask(limit(), MONDAY, requesting=other)) == (date(2026, 6, 11), date(2026, 6, 11))


def test_friday_and_saturday_weekend_rolls_to_sunday():
    elsewhere = calendar(weekend=frozenset({4, 5}))
    assert days(ask(limit(amount=4), MONDAY, requested=elsewhere)) == (date(2026, 6, 5), date(2026, 6, 7))


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


# --- working days ---------------------------------------------------------------------------------------------------


def test_working_days_skip_the_weekend():
    row = limit(amount=2, unit=Unit.WORKING_DAYS)
    assert days(ask(row, "2026-06-04T10:15:00+02:00")) == (date(2026, 6, 8), date(2026, 6, 8))


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
    assert days(found) == (date(2026, 6, 2), date(2026, 6, 3))


def test_working_days_of_both_are_not_known_when_one_state_is_not_named():
    row = limit(unit=Unit.WORKING_DAYS, calendar=Whose.BOTH)
    found = between(RS, None, row)
    assert found.known is False
    assert "was not named" in found.why_not


def test_working_days_are_not_known_without_the_calendar_that_counts():
    row = limit(unit=Unit.WORKING_DAYS, calendar=Whose.REQUESTING)
    found = between(RS, Side(state="FR", calendar=None), row)
    assert found.known is False
    assert "no calendar for FR" in found.why_not


# --- months, years, hours -------------------------------------------------------------------------------------------


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
    assert days(found) == (date(2027, 2, 28), date(2027, 3, 1))


def test_hours_run_through_a_weekend_without_rolling():
    found = ask(limit(amount=48, unit=Unit.HOURS), "2026-06-05T10:15:00+02:00")
    assert found.literal == found.rolled
    assert (found.rolled.until, found.rolled.due_on) == (instant("2026-06-07T08:15:00+00:00"), date(2026, 6, 7))


def test_hours_are_elapsed_time_over_the_change_of_clocks():
    found = ask(limit(amount=24, unit=Unit.HOURS), "2026-10-24T12:00:00+02:00")
    assert found.rolled.until == instant("2026-10-25T11:00:00+01:00")


# --- the instant at which a day ends ----------------------------------------------------------------------------------


def test_until_is_local_midnight_in_summer():
    assert ask(limit(), MONDAY).literal.until == datetime(2026, 6, 11, 22, tzinfo=UTC)


def test_until_is_local_midnight_in_winter():
    assert ask(limit(), "2026-12-01T10:15:00+01:00").literal.until == datetime(2026, 12, 11, 23, tzinfo=UTC)


def test_limit_that_crosses_the_autumn_change_ends_at_winter_midnight():
    found = ask(limit(), "2026-10-16T10:15:00+02:00")
    assert (found.literal.due_on, found.literal.until) == (date(2026, 10, 26), datetime(2026, 10, 26, 23, tzinfo=UTC))


def test_day_of_the_autumn_change_lasts_twenty_five_hours():
    rs = calendar()
    assert rs.end_of(date(2026, 10, 25)) - rs.end_of(date(2026, 10, 24)) == timedelta(hours=25)


def test_day_of_the_spring_change_lasts_twenty_three_hours():
    rs = calendar()
    assert rs.end_of(date(2026, 3, 29)) - rs.end_of(date(2026, 3, 28)) == timedelta(hours=23)


def test_day_whose_midnight_is_skipped_ends_at_the_change():
    beirut = calendar("LB", "Asia/Beirut")  # 29 March 2026 begins at 01:00 there
    end = beirut.end_of(date(2026, 3, 28))
    assert beirut.local_date(end) == date(2026, 3, 29)
    assert beirut.local_date(end - timedelta(microseconds=1)) == date(2026, 3, 28)


def test_zone_without_summer_time_ends_at_its_midnight():
    found = ask(limit(), MONDAY, requested=calendar("RS", "Asia/Karachi"))
    assert found.literal.until == datetime(2026, 6, 11, 19, tzinfo=UTC)


def test_lapse_follows_the_rolled_end():
    found = ask(limit(), "2026-06-03T10:15:00+02:00")
    assert found.lapses_at == found.rolled.until == datetime(2026, 6, 15, 22, tzinfo=UTC)


# --- counted backward -------------------------------------------------------------------------------------------------


NOTICE = limit(id="transfer-notice", direction=Direction.BEFORE, start="planned-transfer", amount=3, unit=Unit.WORKING_DAYS)


def test_notice_in_working_days_is_counted_back_from_the_planned_day():
    found = ask(NOTICE, MONDAY, planned=date(2026, 6, 10))
    assert days(found) == (date(2026, 6, 5), date(2026, 6, 5))


def test_notice_that_ends_on_a_rest_day_does_not_roll_toward_the_transfer():
    row = limit(id="transfer-notice", direction=Direction.BEFORE, amount=3, unit=Unit.CALENDAR_DAYS)
    assert days(ask(row, MONDAY, planned=date(2026, 6, 10))) == (date(2026, 6, 7), date(2026, 6, 7))


def test_notice_without_a_planned_day_is_not_known():
    found = ask(NOTICE, MONDAY)
    assert found.applies is True
    assert found.known is False


def test_notice_in_hours_is_counted_back_from_the_first_instant_of_the_planned_day():
    row = limit(id="transfer-notice", direction=Direction.BEFORE, amount=48, unit=Unit.HOURS)
    found = ask(row, MONDAY, planned=date(2026, 6, 10))
    assert found.rolled.until == datetime(2026, 6, 7, 22, tzinfo=UTC)


def test_longer_notice_for_escorted_transfers_is_picked():
    plain, escorted = limit(amount=3, escorted=False), limit(amount=5, escorted=True)
    rules = treaty(plain, escorted)
    assert rules.limit("reply", "ordinary", "national", escorted=True) is escorted
    assert rules.limit("reply", "ordinary", "national") is plain


# --- extension --------------------------------------------------------------------------------------------------------


def extended(at, number, *, start=MONDAY, rule=SIX_MORE, **changes):
    return ask(limit(extension=rule, **changes), start, extension=ExtensionAsked(at=instant(at), days=number))


def test_extension_asked_in_time_moves_both_ends():
    found = extended("2026-06-10T12:00:00+02:00", 6)
    assert found.extension.granted is True
    assert days(found) == (date(2026, 6, 17), date(2026, 6, 17))


def test_extended_end_on_a_rest_day_rolls():
    assert days(extended("2026-06-10T12:00:00+02:00", 2)) == (date(2026, 6, 13), date(2026, 6, 15))


def test_extension_asked_in_the_last_second_is_in_time():
    assert extended("2026-06-11T21:59:59+00:00", 6).extension.granted is True


def test_extension_asked_at_the_lapse_is_too_late():
    found = extended("2026-06-11T22:00:00+00:00", 6)
    assert found.extension.granted is False
    assert days(found) == (date(2026, 6, 11), date(2026, 6, 11))


def test_extension_asked_between_the_two_ends_moves_the_rolled_end_only():
    found = extended("2026-06-14T12:00:00+02:00", 6, start="2026-06-03T10:15:00+02:00")
    assert found.extension.granted is True
    assert days(found) == (date(2026, 6, 13), date(2026, 6, 19))
    assert any("only the rolled end moves" in sentence for sentence in found.explain)


def test_short_extension_never_brings_the_rolled_end_forward():
    found = extended("2026-06-14T12:00:00+02:00", 1, start="2026-06-03T10:15:00+02:00")
    assert days(found) == (date(2026, 6, 13), date(2026, 6, 15))


@pytest.mark.parametrize("number", [7, 60])
def test_extension_beyond_the_article_is_not_granted(number):
    found = extended("2026-06-10T12:00:00+02:00", number)
    assert found.extension.granted is False
    assert "Art. 10(3)" in found.extension.why
    assert found.rolled.due_on == date(2026, 6, 11)


def test_extension_asked_before_the_receipt_is_not_granted():
    assert extended("2026-05-31T12:00:00+02:00", 6).extension.granted is False


def test_extension_of_a_rule_that_has_none_is_not_granted():
    found = extended("2026-06-10T12:00:00+02:00", 6, rule=None)
    assert (found.extension.granted, found.extension.why) == (False, "The rule allows no extension.")


def test_extension_of_a_limit_in_hours_is_not_granted():
    found = extended("2026-06-01T12:00:00+02:00", 1, rule=None, unit=Unit.HOURS)
    assert found.extension.granted is False


TOTAL = Extension(days=15, kind=ExtensionKind.TOTAL, who=Actor.REQUESTED, article="Art. 11")


def test_total_extension_counts_what_the_limit_already_has():
    assert extended("2026-06-10T12:00:00+02:00", 5, rule=TOTAL).literal.due_on == date(2026, 6, 16)


def test_extension_beyond_the_total_is_not_granted():
    assert extended("2026-06-10T12:00:00+02:00", 6, rule=TOTAL).extension.granted is False


def test_no_extension_is_told_as_not_asked_for():
    assert ask(limit(extension=SIX_MORE), MONDAY).extension.why == "No extension was asked for."


# --- never guessed ----------------------------------------------------------------------------------------------------


def test_unverified_number_is_not_known():
    found = ask(limit(confidence=Confidence.UNVERIFIED), MONDAY)
    assert (found.applies, found.known, found.literal, found.rolled, found.lapses_at) == (True, False, None, None, None)


def test_missing_number_is_not_known():
    assert ask(limit(amount=None), MONDAY).known is False


@pytest.mark.parametrize("confidence", [Confidence.VERIFIED, Confidence.SECONDARY, Confidence.OPERATOR])
def test_numbers_that_someone_answers_for_compute(confidence):
    assert ask(limit(confidence=confidence), MONDAY).known is True


def test_secondary_number_is_marked_in_the_explanation():
    explain = ask(limit(confidence=Confidence.SECONDARY), MONDAY).explain
    assert any("secondary source" in sentence for sentence in explain)


def test_number_of_the_operator_names_office_day_and_ground():
    override = Override(who="Ministry of Security", when=date(2026, 5, 4), reference="Minutes 3/2026")
    found = ask(limit(confidence=Confidence.OPERATOR, override=override), MONDAY)
    assert found.as_dict()["source"] == "Minutes 3/2026"
    assert "The figure was set by Ministry of Security on Mon 4 May 2026: Minutes 3/2026." in found.explain


def test_end_beyond_the_horizon_is_not_known():
    found = ask(limit(), "2030-12-28T10:15:00+01:00")
    assert found.known is False
    assert "2030-12-31" in found.why_not


def test_end_on_the_last_known_day_is_known():
    assert ask(limit(), "2030-12-21T10:15:00+01:00").rolled.due_on == date(2030, 12, 31)


def test_roll_over_the_horizon_is_not_known():
    short = calendar(known_until=date(2026, 6, 14))
    assert ask(limit(), "2026-06-03T10:15:00+02:00", requested=short).known is False


def test_start_before_the_horizon_is_not_known_for_working_days():
    assert ask(limit(unit=Unit.WORKING_DAYS), "2024-12-20T10:15:00+01:00").known is False


def test_state_without_calendar_is_not_known():
    nowhere = between(Side(state="RS", calendar=None), None)
    assert (nowhere.applies, nowhere.known, nowhere.zone, nowhere.start_on) == (True, False, None, None)


def test_amount_beyond_the_years_is_not_known():
    assert ask(limit(amount=10**7), MONDAY).known is False
    assert ask(limit(amount=10**5, unit=Unit.YEARS), MONDAY).known is False
    assert ask(limit(amount=10**12, unit=Unit.HOURS), MONDAY).known is False


@pytest.mark.parametrize("changes", [{"procedure": "border"}, {"procedure": "accelerated"}, {"category": "tourist"}])
def test_procedure_or_category_the_treaty_does_not_know_does_not_apply(changes):
    found = ask(limit(), MONDAY, **changes)
    assert (found.applies, found.known) == (False, False)
    assert found.explain[-1].startswith("It does not apply:")


def test_state_that_is_no_party_does_not_apply():
    assert between(Side(state="PK", calendar=calendar("PK", "Asia/Karachi")), None).applies is False
    assert between(RS, Side(state="PK", calendar=None)).applies is False


def test_two_states_of_one_side_do_not_apply():
    assert between(Side(state="FR", calendar=calendar()), Side(state="AT", calendar=calendar())).applies is False


def test_treaty_binds_in_both_directions():
    found = between(Side(state="AT", calendar=calendar("AT", "Europe/Vienna")), Side(state="RS", calendar=None))
    assert (found.known, found.zone) == (True, "Europe/Vienna")


def test_limit_id_that_the_treaty_lacks_is_refused():
    with pytest.raises(UnknownLimit):
        due_date(treaty(limit()), "costs", start=instant(MONDAY), requested=RS, requesting=None)


# --- what is told -----------------------------------------------------------------------------------------------------


KEYS = (
    "treaty limit applies known start_on zone unit amount literal rolled extension on_lapse lapses_at source confidence "
    "calendar estimated explain"
)


@pytest.mark.parametrize("row", [limit(), limit(amount=None), limit(procedures=frozenset({"accelerated"}))])
def test_json_has_the_same_keys_in_every_case(row):
    assert list(ask(row, MONDAY).as_dict()) == KEYS.split()


def test_json_writes_dates_and_instants_as_text():
    told = ask(limit(), MONDAY).as_dict()
    assert told["literal"] == {"due_on": "2026-06-11", "until": "2026-06-11T22:00:00Z"}
    assert told["lapses_at"] == "2026-06-11T22:00:00Z"
    assert told["calendar"] == {"id": "rs", "version": "test/1"}


def test_explanation_follows_the_count_line_by_line():
    rest = calendar("RS", "Europe/Belgrade", date(2026, 6, 2))
    explain = ask(limit(amount=2, unit=Unit.WORKING_DAYS), MONDAY, requested=rest).explain
    first = explain.index("Working days of RS (calendar rs, test/1) count.")
    assert list(explain[first + 1 : first + 4]) == [
        "Tue 2 June 2026: not counted (National Day in RS).",
        "Wed 3 June 2026: working day 1.",
        "Thu 4 June 2026: working day 2.",
    ]


def test_explanation_names_each_rest_day_that_moved_the_end():
    explain = ask(limit(), "2026-06-03T10:15:00+02:00").explain
    assert "Sat 13 June 2026 is a rest day in RS: weekend." in explain
    assert "Sun 14 June 2026 is a rest day in RS: weekend." in explain


def test_explanation_says_whose_days_stand_in_for_a_state_that_is_not_named():
    row = limit(who=Actor.REQUESTING, calendar=Whose.REQUESTING)
    found = between(RS, None, row)
    assert "The requesting state was not named; days are those of RS, the requested state." in found.explain


def test_silence_without_a_rule_has_no_effect_in_the_explanation():
    explain = ask(limit(on_lapse=OnLapse.NOTHING), MONDAY).explain
    assert "Nothing follows from silence by itself: no rule says that it means agreement." in explain


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("direction", list(Direction))
def test_every_unit_is_explained_in_both_directions(unit, direction):
    found = ask(limit(amount=1, unit=unit, direction=direction), MONDAY, planned=date(2026, 6, 10))
    assert found.known is True
    assert len(found.explain) > 5


# --- estimated days ---------------------------------------------------------------------------------------------------


def test_estimated_day_among_counted_working_days_is_told():
    shaky = calendar(estimated=(date(2026, 6, 3),))
    found = ask(limit(amount=5, unit=Unit.WORKING_DAYS), MONDAY, requested=shaky)
    assert found.estimated is True
    assert any("Wed 3 June 2026 (Feast) is an estimate" in sentence for sentence in found.explain)


def test_estimated_day_inside_calendar_days_does_not_matter():
    assert ask(limit(), MONDAY, requested=calendar(estimated=(date(2026, 6, 3),))).estimated is False


@pytest.mark.parametrize("day", [10, 11, 12])
def test_estimated_day_at_or_beside_the_end_matters(day):
    assert ask(limit(), MONDAY, requested=calendar(estimated=(date(2026, 6, day),))).estimated is True


def test_estimated_day_does_not_matter_for_hours():
    shaky = calendar(estimated=(date(2026, 6, 2),))
    assert ask(limit(amount=24, unit=Unit.HOURS), MONDAY, requested=shaky).estimated is False


# --- properties -------------------------------------------------------------------------------------------------------


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
    assert days(found) == naive_walk(start, amount, unit, rest)


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
