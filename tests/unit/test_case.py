"""The case as a table of states: what is in the table is allowed, everything else is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from gateway.domain.case import NEXT, Case, Event, Role, State, advance, event_of, opened, step
from gateway.domain.messages import Answered, Application, Category, Ground, Header, Outcome, Procedure, Receipt, Reply
from gateway.errors import TransitionNotAllowed, UnknownCase

NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
LATER = NOW + timedelta(days=3)

ALLOWED = {
    (None, Event.HOLD): State.HELD,
    (None, Event.APPLICATION): State.REQUESTED,
    (State.HELD, Event.HOLD): State.HELD,
    (State.HELD, Event.APPLICATION): State.REQUESTED,
    (State.REQUESTED, Event.AGREEMENT): State.AGREED,
    (State.REQUESTED, Event.REFUSAL): State.REFUSED,
}
EVERY_PAIR = list(product([None, *State], Event))


def application(*, sender: str = "BA-MS", recipient: str = "PK-MOI") -> Application:
    return Application(
        header=Header(
            message_id="019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01",
            sender=sender,
            recipient=recipient,
            created=NOW,
            case_reference="KQ3XN7YB2MZV5TDWA4RUHE6PCG",
            sequence=1,
            national_reference="08-30-1/26",
        ),
        agreement="ba-pk",
        ground=Ground.STATELESS,
        procedure=Procedure.ORDINARY,
        interview_requested=False,
        nationalities=("stateless",),
        former_nationalities=(),
        children_born=(),
        born=None,
        evidence=("N2-08",),
    )


def reply(*, sender: str = "PK-MOI", recipient: str = "BA-MS", outcome: Outcome = Outcome.AGREED) -> Reply:
    answered = Answered(message_id="019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01", digest="0" * 64)
    header = Header(
        message_id="019ab4d2-7c40-7a11-8f02-5d1e3b6a9c02",
        sender=sender,
        recipient=recipient,
        created=NOW,
        case_reference="KQ3XN7YB2MZV5TDWA4RUHE6PCG",
        sequence=1,
        answers=answered,
    )
    return Reply(header=header, outcome=outcome, reasons=() if outcome is Outcome.AGREED else ("other",))


def case(*, home: str = "BA-MS", event: Event = Event.APPLICATION) -> Case:
    return opened(
        application(), home=home, event=event, treaty_version="2026-11-24", schema_version="1.0", wrapped_key=b"key", at=NOW
    )


@pytest.mark.parametrize(("pair", "after"), ALLOWED.items(), ids=str)
def test_row_of_the_table_leads_to_its_state(pair: tuple[State | None, Event], after: State) -> None:
    assert step(*pair) is after


@pytest.mark.parametrize("pair", [pair for pair in EVERY_PAIR if pair not in ALLOWED], ids=str)
def test_pair_that_is_not_in_the_table_is_refused(pair: tuple[State | None, Event]) -> None:
    with pytest.raises(TransitionNotAllowed):
        step(*pair)


def test_table_holds_no_row_that_this_test_does_not_name() -> None:
    assert dict(NEXT) == ALLOWED


@pytest.mark.parametrize("final", [State.AGREED, State.REFUSED])
def test_answered_case_takes_nothing_more(final: State) -> None:
    assert not [pair for pair in NEXT if pair[0] is final]


def test_refusal_names_state_and_event_only() -> None:
    with pytest.raises(TransitionNotAllowed, match="a case that is new does not take agreement"):
        step(None, Event.AGREEMENT)


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (application(), Event.APPLICATION),
        (reply(), Event.AGREEMENT),
        (reply(outcome=Outcome.REFUSED), Event.REFUSAL),
    ],
    ids=["application", "agreed", "refused"],
)
def test_message_is_one_event(message: Application | Reply, event: Event) -> None:
    assert event_of(message) is event


def test_requesting_side_opens_the_case_under_its_own_file_number() -> None:
    mine = case(home="BA-MS")

    assert mine.role is Role.REQUESTING
    assert (mine.home, mine.counterparty, mine.national_reference) == ("BA-MS", "PK-MOI", "08-30-1/26")
    assert (mine.state, mine.category) == (State.REQUESTED, Category.STATELESS)


def test_requested_side_does_not_keep_the_other_sides_file_number_as_its_own() -> None:
    theirs = case(home="PK-MOI")

    assert theirs.role is Role.REQUESTED
    assert (theirs.home, theirs.counterparty, theirs.national_reference) == ("PK-MOI", "BA-MS", None)


@pytest.mark.parametrize("home", ["BA-MS", "PK-MOI"])
def test_both_sides_name_the_same_states(home: str) -> None:
    assert (case(home=home).requesting_state, case(home=home).requested_state) == ("BA", "PK")


def test_case_cannot_be_opened_by_an_answer() -> None:
    with pytest.raises(TransitionNotAllowed):
        case(event=Event.AGREEMENT)


@pytest.mark.parametrize("home", ["BA-MS", "PK-MOI"])
def test_answer_of_the_requested_side_moves_the_case(home: str) -> None:
    after = advance(case(home=home), reply(), LATER)

    assert (after.state, after.opened_at, after.changed_at) == (State.AGREED, NOW, LATER)


@pytest.mark.parametrize("home", ["BA-MS", "PK-MOI"])
def test_answer_of_the_side_that_asked_is_refused(home: str) -> None:
    with pytest.raises(TransitionNotAllowed, match="requested authority"):
        advance(case(home=home), reply(sender="BA-MS", recipient="PK-MOI"), LATER)


def test_second_answer_is_refused() -> None:
    answered = advance(case(), reply(), LATER)
    with pytest.raises(TransitionNotAllowed):
        advance(answered, reply(outcome=Outcome.REFUSED), LATER)


def test_second_application_is_refused() -> None:
    with pytest.raises(TransitionNotAllowed):
        advance(case(), application(), LATER)


def test_answer_to_a_case_that_is_not_here_is_refused() -> None:
    with pytest.raises(UnknownCase):
        advance(None, reply(), LATER)


def test_answer_to_a_held_case_is_refused() -> None:
    with pytest.raises(TransitionNotAllowed):
        advance(case(event=Event.HOLD), reply(), LATER)


def test_held_case_goes_on_with_its_application() -> None:
    assert advance(case(event=Event.HOLD), application(), LATER).state is State.REQUESTED


def test_receipt_does_not_change_a_case() -> None:
    receipt = Receipt(header=replace(reply().header, case_reference=None, sequence=None), items=())
    with pytest.raises(TransitionNotAllowed, match="receipt"):
        advance(case(), receipt, LATER)
