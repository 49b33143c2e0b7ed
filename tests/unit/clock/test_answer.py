"""What the clock tells: plain values for programs, sentences for lawyers."""

from datetime import date

import pytest

from gateway.domain.limits import Actor, Direction, OnLapse, Unit, Whose
from tests.clock_samples import MONDAY, SERBIA, ask, between, calendar, limit

KEYS = (
    "treaty agreement protocol limit applies known who start_on zone unit amount literal rolled extension on_lapse "
    "also_on_lapse lapses_at source confidence calendar estimated why_not explain"
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
    found = between(SERBIA, None, row)
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


def test_answer_names_agreement_side_and_unit():
    told = ask(limit(), MONDAY).as_dict()
    assert (told["treaty"], told["agreement"], told["protocol"]) == ("eu-rs", "eu-rs", None)
    assert (told["who"], told["unit"], told["amount"], told["start_on"]) == ("requested", "calendar-days", 10, "2026-06-01")


def test_second_meaning_of_silence_is_told():
    found = ask(limit(also_on_lapse=(OnLapse.DOCUMENT_CONSENT,)), MONDAY)
    assert (found.as_dict()["on_lapse"], found.as_dict()["also_on_lapse"]) == ("agreed", ["document-consent"])
    assert (
        "Without an answer by 2026-06-11T22:00:00Z, agreement is deemed to be given, and consent to the requesting side's "
        "travel document is deemed to be given; a person decides what follows."
    ) in found.explain


@pytest.mark.parametrize(
    ("meaning", "words"),
    [
        (OnLapse.AGREED, "agreement is deemed to be given"),
        (OnLapse.DOCUMENT_CONSENT, "consent to the requesting side's travel document is deemed to be given"),
        (OnLapse.PROPOSAL_ACCEPTED, "the proposal is deemed to be accepted"),
        (OnLapse.REASONS, "the silent side owes its reasons"),
    ],
)
def test_each_meaning_of_silence_has_its_words(meaning, words):
    told = f"Without an answer by 2026-06-11T22:00:00Z, {words}; a person decides what follows."
    assert told in ask(limit(on_lapse=meaning), MONDAY).explain


def test_second_meaning_stands_alone_where_the_first_is_nothing():
    found = ask(limit(on_lapse=OnLapse.NOTHING, also_on_lapse=(OnLapse.REASONS,)), MONDAY)
    assert any("the silent side owes its reasons; a person" in sentence for sentence in found.explain)


def test_note_of_the_rule_and_of_the_calendar_are_told():
    found = ask(limit(note="In writing."), MONDAY, requested=calendar(note="Not checked."))
    assert "Note of the rule file: In writing." in found.explain
    assert "Note of calendar rs: Not checked." in found.explain


def test_amount_that_is_not_known_is_told_in_words():
    assert any(
        "a number of calendar days that is not known" in sentence for sentence in ask(limit(amount=None), MONDAY).explain
    )


def test_explanation_begins_with_treaty_rule_and_trust():
    first, second = ask(limit(), MONDAY).explain[:2]
    assert first == "Sample agreement (eu-rs, rule file version 1), limit 'reply'."
    assert second == (
        "The requested state (RS) has 10 calendar days after receipt, ordinary procedure, category national: "
        "Art. 10(2) (verified: read in the treaty's own text)."
    )


def test_one_end_on_a_working_day_is_told_as_such():
    assert "Thu 11 June 2026 is a working day in RS: the rolled end is the same." in ask(limit(), MONDAY).explain
