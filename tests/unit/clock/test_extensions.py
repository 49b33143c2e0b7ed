"""More time: who may ask, until when, and for how many days."""

from datetime import date

import pytest

from gateway.domain.answers import ExtensionAsked
from gateway.domain.limits import Actor, Extension, ExtensionKind, Unit
from tests.clock_samples import MONDAY, ask, calendar, dates, instant, june, limit

SIX_MORE = Extension(days=6, kind=ExtensionKind.INCREMENT, who=Actor.REQUESTED, article="Art. 10(3)")


def extended(at, number, *, start=MONDAY, rule=SIX_MORE, **changes):
    return ask(limit(extension=rule, **changes), start, extension=ExtensionAsked(at=instant(at), days=number))


def test_extension_asked_in_time_moves_both_ends():
    found = extended("2026-06-10T12:00:00+02:00", 6)
    assert found.extension.granted is True
    assert dates(found) == (date(2026, 6, 17), date(2026, 6, 17))


def test_extended_end_on_a_rest_day_rolls():
    assert dates(extended("2026-06-10T12:00:00+02:00", 2)) == (date(2026, 6, 13), date(2026, 6, 15))


def test_extension_asked_in_the_last_second_is_in_time():
    assert extended("2026-06-11T21:59:59+00:00", 6).extension.granted is True


def test_extension_asked_at_the_lapse_is_too_late():
    found = extended("2026-06-11T22:00:00+00:00", 6)
    assert found.extension.granted is False
    assert dates(found) == (date(2026, 6, 11), date(2026, 6, 11))


def test_extension_asked_between_the_two_ends_moves_the_rolled_end_only():
    found = extended("2026-06-14T12:00:00+02:00", 6, start="2026-06-03T10:15:00+02:00")
    assert found.extension.granted is True
    assert dates(found) == (date(2026, 6, 13), date(2026, 6, 19))
    assert any("only the rolled end moves" in sentence for sentence in found.explain)


def test_short_extension_never_brings_the_rolled_end_forward():
    found = extended("2026-06-14T12:00:00+02:00", 1, start="2026-06-03T10:15:00+02:00")
    assert dates(found) == (date(2026, 6, 13), date(2026, 6, 15))


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


@pytest.mark.parametrize("row", [limit(extension=SIX_MORE), limit(), limit(unit=Unit.HOURS)])
def test_no_extension_is_told_as_not_asked_for(row):
    found = ask(row, MONDAY)
    assert (found.extension.asked, found.extension.why) == (False, "No extension was asked for.")
    assert "No extension was asked for." in found.explain


def test_extension_asked_for_in_vain_is_told_with_its_verdict():
    explain = extended("2026-06-01T12:00:00+02:00", 1, rule=None, unit=Unit.HOURS).explain
    assert "Extension not granted: The rule allows no extension." in explain


# --- who may ask, and until when ------------------------------------------------------------------------------------


def asked_by(who, at="2026-06-10T12:00:00+02:00", rule=SIX_MORE):
    return ask(limit(extension=rule), MONDAY, extension=ExtensionAsked(at=instant(at), days=6, by=who)).extension


def test_side_that_the_rule_names_may_ask():
    assert asked_by(Actor.REQUESTED).granted is True


def test_side_that_the_rule_does_not_name_may_not_ask():
    found = asked_by(Actor.REQUESTING)
    assert (found.granted, found.days) == (False, 0)
    assert found.why == "The requesting state asked; Art. 10(3) lets the requested state ask."


def test_who_asked_need_not_be_said():
    assert asked_by(None).granted is True


def test_extension_asked_at_the_very_start_is_granted():
    assert asked_by(None, MONDAY).granted is True


def test_extension_asked_a_moment_before_the_start_is_not_granted():
    found = asked_by(None, "2026-06-01T10:14:59+02:00")
    assert (found.granted, found.why) == (False, "It was asked for before the limit began.")


def test_zone_in_which_the_request_is_written_does_not_matter():
    assert asked_by(None, "2026-06-12T01:59:59+04:00").granted is True
    assert asked_by(None, "2026-06-12T02:00:00+04:00").why == "It was asked for after the limit had run out."


def test_extension_asked_at_the_literal_end_moves_the_rolled_end_only():
    found = extended("2026-06-13T22:00:00Z", 6, start="2026-06-03T10:15:00+02:00")
    assert dates(found) == (june(13), june(19))


def test_extension_asked_a_moment_before_the_literal_end_moves_both():
    found = extended("2026-06-13T21:59:59Z", 6, start="2026-06-03T10:15:00+02:00")
    assert dates(found) == (june(19), june(19))


# --- how much -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "granted"), [(1, True), (6, True), (7, False), (0, False), (-1, False)])
def test_extension_is_at_least_one_day_and_at_most_those_of_the_article(number, granted):
    assert extended("2026-06-10T12:00:00+02:00", number).extension.granted is granted


def test_extension_is_told_with_its_days_and_article():
    found = extended("2026-06-10T12:00:00+02:00", 4)
    assert (found.extension.why, found.extension.days) == ("4 of at most 6 calendar days more, Art. 10(3).", 4)
    assert "Without the extension the literal end would be Thu 11 June 2026." in found.explain
    assert "Extension granted: 4 of at most 6 calendar days more, Art. 10(3)." in found.explain


def test_refused_extension_is_told_with_its_reason():
    found = extended("2026-06-10T12:00:00+02:00", 7)
    assert "Extension not granted: 7 days were asked for; Art. 10(3) allows 1 to 6." in found.explain
    assert not any(sentence.startswith("Without the extension") for sentence in found.explain)


def test_number_beyond_what_may_be_added_is_read_as_the_total():
    found = extended("2026-06-10T12:00:00+02:00", 15, rule=TOTAL)
    assert (found.extension.days, found.literal.due_on) == (5, june(16))
    assert found.extension.why == "5 of at most 5 calendar days more (15 in all), Art. 11."


@pytest.mark.parametrize(("number", "days"), [(11, 1), (12, 2), (5, 5), (1, 1)])
def test_total_or_days_more_lead_to_the_same_end(number, days):
    assert extended("2026-06-10T12:00:00+02:00", number, rule=TOTAL).extension.days == days


@pytest.mark.parametrize("number", [10, 7, 16])
def test_total_that_is_no_more_than_the_limit_or_more_than_the_article_is_not_granted(number):
    found = extended("2026-06-10T12:00:00+02:00", number, rule=TOTAL)
    assert (found.extension.granted, found.literal.due_on) == (False, june(11))


def test_extension_of_months_is_counted_in_calendar_days():
    found = extended("2026-06-10T12:00:00+02:00", 6, amount=1, unit=Unit.MONTHS)
    assert dates(found) == (date(2026, 7, 7), date(2026, 7, 7))


def test_extension_of_working_days_is_counted_in_calendar_days():
    found = extended("2026-06-02T12:00:00+02:00", 6, amount=2, unit=Unit.WORKING_DAYS)
    assert dates(found) == (june(9), june(9))


def test_extension_past_the_horizon_is_not_known():
    short = calendar(known_until=june(16))
    found = ask(limit(extension=SIX_MORE), MONDAY, requested=short, extension=ExtensionAsked(at=instant(MONDAY), days=6))
    assert found.known is False


# --- from which day the extension is added --------------------------------------------------------------------------

FROM_DAY_TEN = Extension(days=4, kind=ExtensionKind.INCREMENT, who=Actor.REQUESTED, article="Art. 5", other_base=10)


def test_extension_that_may_be_added_to_another_day_is_counted_from_both():
    found = extended("2026-06-05T12:00:00+02:00", 4, rule=FROM_DAY_TEN, amount=7)
    assert dates(found) == (june(12), june(15))


def test_other_day_of_the_extension_rolls():
    found = extended("2026-06-05T12:00:00+02:00", 3, rule=FROM_DAY_TEN, amount=7)
    assert dates(found) == (june(11), june(15))


def test_other_day_does_not_matter_without_an_extension():
    assert dates(ask(limit(amount=7, extension=FROM_DAY_TEN), MONDAY)) == (june(8), june(8))


def test_other_day_before_the_last_one_does_not_matter():
    earlier = Extension(days=4, kind=ExtensionKind.INCREMENT, who=Actor.REQUESTED, article="Art. 5", other_base=3)
    assert dates(extended("2026-06-05T12:00:00+02:00", 4, rule=earlier, amount=7)) == (june(12), june(12))


def test_other_day_of_the_extension_is_told():
    explain = extended("2026-06-05T12:00:00+02:00", 4, rule=FROM_DAY_TEN, amount=7).explain
    assert "The text does not say to which day the extension is added: the rolled end takes day 10." in explain


# --- an obstacle is not a number of days ----------------------------------------------------------------------------

OBSTACLE = Extension(kind=ExtensionKind.OBSTACLE, days=None, who=Actor.REQUESTING, article="Art. 10(4)")


def test_days_asked_for_where_only_an_obstacle_prolongs_are_not_granted():
    found = extended("2026-06-10T12:00:00+02:00", 6, rule=OBSTACLE)
    assert (found.extension.granted, dates(found)) == (False, (june(11), june(11)))
    assert found.extension.why.startswith("Art. 10(4) prolongs the limit for as long as an obstacle lasts")
