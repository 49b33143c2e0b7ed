"""A date is never guessed: without a number, a calendar or a rule it is not known."""

from datetime import date

import pytest

from gateway.domain.calendars import Side
from gateway.domain.deadlines import due_date
from gateway.domain.limits import Actor, Confidence, Override, Unit, Whose
from gateway.errors import UnknownLimit
from tests.clock_samples import MONDAY, SERBIA, ask, between, calendar, instant, june, limit, treaty


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
    assert between(SERBIA, Side(state="PK", calendar=None)).applies is False


def test_two_states_of_one_side_do_not_apply():
    assert between(Side(state="FR", calendar=calendar()), Side(state="AT", calendar=calendar())).applies is False


def test_treaty_binds_in_both_directions():
    found = between(Side(state="AT", calendar=calendar("AT", "Europe/Vienna")), Side(state="RS", calendar=None))
    assert (found.known, found.zone) == (True, "Europe/Vienna")


def test_limit_that_the_treaty_lacks_does_not_apply():
    found = due_date(treaty(limit()), "costs", start=instant(MONDAY), requested=SERBIA, requesting=None)
    assert (found.applies, found.known, found.lapses_at) == (False, False, None)
    assert "no rule 'costs'" in found.why_not
    assert "nobody entered" in found.why_not  # a gap of the file is not told as a silence of the treaty


@pytest.mark.parametrize("name", ["", "Reply", "answer", "transfer_notice"])
def test_name_that_is_no_limit_at_all_is_refused(name):
    with pytest.raises(UnknownLimit, match="there is no limit"):
        due_date(treaty(limit()), name, start=instant(MONDAY), requested=SERBIA, requesting=None)


def test_pair_that_the_treaty_does_not_bind_is_named():
    assert "PK and RS" in between(SERBIA, Side(state="PK", calendar=None)).why_not
    assert "an unnamed state and PK" in between(Side(state="PK", calendar=None), None).why_not


def test_state_that_must_act_without_calendar_is_named():
    row = limit(who=Actor.REQUESTING, calendar=Whose.REQUESTING)
    assert "no calendar for FR" in between(SERBIA, Side(state="FR", calendar=None), row).why_not


def test_unknown_number_keeps_what_is_known_about_the_rule():
    told = ask(limit(amount=None), MONDAY).as_dict()
    assert (told["who"], told["unit"], told["start_on"], told["zone"]) == (
        "requested",
        "calendar-days",
        "2026-06-01",
        "Europe/Belgrade",
    )
    assert "Nobody has verified the number" in told["why_not"]


def test_number_in_an_unverified_row_is_not_counted_even_if_it_stands_there():
    found = ask(limit(confidence=Confidence.UNVERIFIED, amount=10), MONDAY)
    assert found.explain[-1].startswith("The end is not known.")


def test_limit_beyond_the_years_is_told_so():
    assert "beyond the years" in ask(limit(amount=10**7), MONDAY).why_not
    assert "beyond the years" in ask(limit(amount=10**12, unit=Unit.HOURS), MONDAY).why_not


def test_working_day_on_the_last_known_day_is_known():
    last = calendar(known_until=june(3))
    assert ask(limit(amount=2, unit=Unit.WORKING_DAYS), MONDAY, requested=last).rolled.due_on == june(3)
    assert ask(limit(amount=3, unit=Unit.WORKING_DAYS), MONDAY, requested=last).known is False


def test_start_on_the_day_before_the_horizon_is_known_for_working_days():
    late = calendar(known_from=june(2))
    assert ask(limit(amount=1, unit=Unit.WORKING_DAYS), MONDAY, requested=late).rolled.due_on == june(2)
    assert ask(limit(amount=1, unit=Unit.WORKING_DAYS), MONDAY, requested=calendar(known_from=june(3))).known is False
