"""Each safeguard holds what it must hold and lets the rest pass."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.messages import Application, Ground, Header, Procedure
from gateway.domain.safeguards import (
    ADVICE,
    SAFEGUARDS,
    Answers,
    HoldReason,
    Statement,
    child_is_assessed,
    concerns_country_of_origin,
    hold_reason,
    release,
    source_keeps_secret,
    statement_allows,
    statement_is_there,
)
from gateway.errors import StatementInvalid

NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
TODAY = NOW.date()
ADULT, CHILD = "1991-03-02", "2012-03-02"

TO_ORIGIN = Application(
    header=Header(message_id="019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01", sender="BA-MS", recipient="PK-MOI", created=NOW),
    agreement="ba-pk",
    ground=Ground.NATIONAL,
    procedure=Procedure.ORDINARY,
    interview_requested=False,
    nationalities=("PK",),
    former_nationalities=(),
    children_born=(),
    born=ADULT,
    evidence=("N1-02",),
)
TO_TRANSIT = replace(TO_ORIGIN, ground=Ground.THIRD_COUNTRY_ENTRY, nationalities=("AF",))

GOOD = Answers(
    return_decision=True,
    no_suspensive_appeal=True,
    no_asylum_claim=True,
    non_refoulement_assessed=True,
    best_interests_assessed=None,
)
MADE = Statement(answers=GOOD, made_by="officer.one", made_at=NOW)
RELEASED = replace(MADE, released_by="officer.two", released_at=NOW)
OBSTACLES = [
    "return_decision",
    "no_suspensive_appeal",
    "no_asylum_claim",
    "non_refoulement_assessed",
    "best_interests_assessed",
]


def with_answers(**changes: bool | None) -> Statement:
    return replace(RELEASED, answers=replace(GOOD, **changes))


# --- which country is asked -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "application",
    [
        TO_ORIGIN,
        replace(TO_ORIGIN, ground=Ground.FORMER_NATIONAL, nationalities=("stateless",)),
        replace(TO_ORIGIN, ground=Ground.FAMILY_MEMBER, nationalities=("AF",)),
        replace(TO_TRANSIT, nationalities=("AF", "PK")),
        replace(TO_TRANSIT, nationalities=("unknown",)),
        replace(TO_TRANSIT, former_nationalities=("PK",)),
        replace(TO_TRANSIT, ground=Ground.STATELESS, nationalities=("unknown",)),
    ],
    ids=[
        "national",
        "former national",
        "family member",
        "second nationality",
        "unknown nationality",
        "former nationality",
        "stateless, unknown",
    ],
)
def test_requested_state_that_may_be_the_country_of_origin_counts_as_it(application: Application) -> None:
    assert concerns_country_of_origin(application)


@pytest.mark.parametrize(
    "application",
    [TO_TRANSIT, replace(TO_TRANSIT, ground=Ground.STATELESS, nationalities=("stateless",))],
    ids=["third-country national", "stateless"],
)
def test_person_known_to_come_from_elsewhere_is_not_disclosed_to_a_country_of_origin(application: Application) -> None:
    assert not concerns_country_of_origin(application)


# --- statement_is_there -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "reason"),
    [(None, HoldReason.STATEMENT_MISSING), (MADE, HoldReason.STATEMENT_NOT_RELEASED), (RELEASED, None)],
    ids=["missing", "not released", "released"],
)
def test_disclosure_to_a_country_of_origin_needs_a_released_statement(
    statement: Statement | None, reason: HoldReason | None
) -> None:
    assert statement_is_there(TO_ORIGIN, statement, TODAY) is reason


def test_disclosure_to_a_transit_country_needs_no_statement() -> None:
    assert statement_is_there(TO_TRANSIT, None, TODAY) is None


# --- statement_allows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_one_answer_that_speaks_against_sending_holds_the_message(obstacle: str) -> None:
    assert statement_allows(TO_ORIGIN, with_answers(**{obstacle: False}), TODAY) is HoldReason.STATEMENT_NEGATIVE


def test_obstacle_counts_even_where_no_statement_is_required() -> None:
    assert statement_allows(TO_TRANSIT, with_answers(no_asylum_claim=False), TODAY) is HoldReason.STATEMENT_NEGATIVE


@pytest.mark.parametrize("assessed", [True, None])
def test_statement_without_an_obstacle_lets_pass(*, assessed: bool | None) -> None:
    assert statement_allows(TO_ORIGIN, with_answers(best_interests_assessed=assessed), TODAY) is None


# --- child_is_assessed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("born", [CHILD, "2008", "2008-06"])
def test_possible_child_without_an_assessment_of_best_interests_is_held(born: str) -> None:
    child = replace(TO_ORIGIN, born=born)
    assert child_is_assessed(child, RELEASED, TODAY) is HoldReason.CHILD_NOT_ASSESSED


def test_child_named_with_an_adult_is_assessed_too() -> None:
    parent = replace(TO_ORIGIN, children_born=("2019-08-14",))
    assert child_is_assessed(parent, RELEASED, TODAY) is HoldReason.CHILD_NOT_ASSESSED


def test_assessed_child_may_be_named() -> None:
    assert child_is_assessed(replace(TO_ORIGIN, born=CHILD), with_answers(best_interests_assessed=True), TODAY) is None


def test_adult_needs_no_assessment_of_a_childs_interests() -> None:
    assert child_is_assessed(TO_ORIGIN, RELEASED, TODAY) is None


def test_child_is_a_child_on_the_day_of_sending_not_for_ever() -> None:
    child = replace(TO_ORIGIN, born="2008-06-02")

    assert child_is_assessed(child, RELEASED, date(2026, 6, 1)) is HoldReason.CHILD_NOT_ASSESSED
    assert child_is_assessed(child, RELEASED, date(2026, 6, 2)) is None


# --- source_keeps_secret ----------------------------------------------------------------------------------------------


def test_evidence_that_can_reveal_a_claim_for_protection_is_held() -> None:
    application = replace(TO_ORIGIN, evidence=("N1-02", "T2-02"))
    assert source_keeps_secret(application, RELEASED, TODAY) is HoldReason.SOURCE_REVEALS_PROTECTION


@pytest.mark.parametrize(
    "application",
    [TO_ORIGIN, replace(TO_ORIGIN, evidence=("T2-01", "T2-03")), replace(TO_TRANSIT, evidence=("T2-02",))],
    ids=["other evidence", "neighbouring codes", "to a transit country"],
)
def test_other_evidence_passes(application: Application) -> None:
    assert source_keeps_secret(application, RELEASED, TODAY) is None


def test_release_does_not_lift_the_hold_on_a_source_that_reveals() -> None:
    assert hold_reason(replace(TO_ORIGIN, evidence=("T2-02",)), RELEASED, TODAY) is HoldReason.SOURCE_REVEALS_PROTECTION


# --- release ----------------------------------------------------------------------------------------------------------


def test_second_officer_releases_the_statement() -> None:
    later = NOW + timedelta(hours=1)
    released = release(MADE, by="officer.two", at=later)

    assert (released.made_by, released.released_by, released.released_at) == ("officer.one", "officer.two", later)
    assert released.answers == MADE.answers


def test_officer_who_made_the_statement_cannot_release_it() -> None:
    with pytest.raises(StatementInvalid, match="cannot release"):
        release(MADE, by="officer.one", at=NOW)


def test_statement_is_released_once() -> None:
    with pytest.raises(StatementInvalid, match="already"):
        release(RELEASED, by="officer.three", at=NOW)


# --- all of them ------------------------------------------------------------------------------------------------------


def test_good_statement_lets_the_application_leave() -> None:
    assert hold_reason(TO_ORIGIN, RELEASED, TODAY) is None


def test_every_reason_to_hold_says_what_to_do_next() -> None:
    assert set(ADVICE) == set(HoldReason)
    assert all(ADVICE.values())


def test_first_safeguard_that_holds_names_the_reason() -> None:
    child = replace(TO_ORIGIN, born=CHILD, evidence=("T2-02",))
    reasons = [safeguard(child, None, TODAY) for safeguard in SAFEGUARDS]
    assert hold_reason(child, None, TODAY) is next(reason for reason in reasons if reason)


applications = st.builds(
    lambda ground, nationalities, former, born, children, evidence: replace(
        TO_ORIGIN,
        ground=ground,
        nationalities=tuple(nationalities),
        former_nationalities=tuple(former),
        born=born,
        children_born=tuple(children),
        evidence=tuple(evidence),
    ),
    st.sampled_from(Ground),
    st.lists(st.sampled_from(["PK", "AF", "BA", "stateless", "unknown"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["PK", "AF"]), max_size=1),
    st.sampled_from([None, "1990", "2008", "2008-06", "2012-03-02", "1991-03-02"]),
    st.lists(st.sampled_from([None, "2001", "2019-08-14"]), max_size=2),
    st.lists(st.sampled_from(["N1-02", "N2-08", "T1-01", "T2-02"]), min_size=1, max_size=3),
)
yes_or_no = st.booleans()
statements = st.none() | st.builds(
    Statement,
    answers=st.builds(
        Answers,
        return_decision=yes_or_no,
        no_suspensive_appeal=yes_or_no,
        no_asylum_claim=yes_or_no,
        non_refoulement_assessed=yes_or_no,
        best_interests_assessed=st.none() | yes_or_no,
    ),
    made_by=st.just("officer.one"),
    made_at=st.just(NOW),
    released_by=st.none() | st.just("officer.two"),
    released_at=st.just(NOW),
)


@given(application=applications, statement=statements)
def test_nothing_reaches_a_country_of_origin_without_a_released_complete_statement(
    application: Application, statement: Statement | None
) -> None:
    if hold_reason(application, statement, TODAY) is not None or not concerns_country_of_origin(application):
        return
    assert statement is not None
    assert statement.released_by not in {None, statement.made_by}
    found = statement.answers
    assert found.return_decision
    assert found.no_suspensive_appeal
    assert found.no_asylum_claim
    assert found.non_refoulement_assessed
    assert found.best_interests_assessed is not False
    assert found.best_interests_assessed or not application.concerns_child(TODAY)
    assert "T2-02" not in application.evidence


@given(application=applications, statement=statements)
def test_nothing_is_sent_to_anyone_against_an_answer_of_the_statement(
    application: Application, statement: Statement | None
) -> None:
    if statement is not None and not statement.answers.no_asylum_claim:
        assert hold_reason(application, statement, TODAY) is not None
