"""One case as one side sees it: how it opens, whom it waits for, and what a message makes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.case import advance, opened
from gateway.domain.messages import Application, Category, Ground, Receipt
from gateway.domain.moves import Event, Role, State, event_of
from gateway.errors import TransitionNotAllowed, UnknownCase
from tests.case_samples import ASKED, ASKING, GROUND_OF, HOME, NOW, application, case, header, sent

LATER = NOW + timedelta(days=3)
BOTH = [Role.REQUESTING, Role.REQUESTED]
ANSWERS = [(Event.AGREEMENT, State.AGREED), (Event.REFUSAL, State.REFUSED), (Event.INTERVIEW_PROPOSAL, State.REQUESTED)]


def open_case(message: Application, home: str, event: Event | None = None):
    return opened(
        message,
        home=home,
        event=event or event_of(message),
        treaty_version="1",
        schema_version="1.0",
        wrapped_key=b"key",
        at=NOW,
    )


# --- opening ----------------------------------------------------------------------------------------------------------


def test_requesting_side_opens_the_case_under_its_own_file_number() -> None:
    head = replace(header(Role.REQUESTING), national_reference="08-30-1/26")
    mine = open_case(application(header=head), ASKING)
    assert mine.role is Role.REQUESTING
    assert (mine.home, mine.counterparty, mine.national_reference) == (ASKING, ASKED, "08-30-1/26")


def test_requested_side_does_not_keep_the_other_sides_file_number_as_its_own() -> None:
    head = replace(header(Role.REQUESTING), national_reference="08-30-1/26")
    theirs = open_case(application(header=head), ASKED)
    assert theirs.role is Role.REQUESTED
    assert (theirs.home, theirs.counterparty, theirs.national_reference) == (ASKED, ASKING, None)


@pytest.mark.parametrize("role", BOTH)
def test_both_sides_name_the_same_authorities_and_states(role: Role) -> None:
    seen = open_case(application(), HOME[role])
    assert (seen.requesting, seen.requested) == (ASKING, ASKED)
    assert (seen.requesting_state, seen.requested_state) == ("AA", "BB")


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (Event.APPLICATION, State.REQUESTED),
        (Event.NOTIFICATION, State.NOTIFIED),
        (Event.TRANSIT, State.TRANSIT_REQUESTED),
    ],
)
def test_what_opens_a_case_says_where_it_begins(event: Event, state: State) -> None:
    assert open_case(application(event), ASKED).state is state


def test_application_that_must_not_leave_yet_opens_a_held_case() -> None:
    assert open_case(application(), ASKING, Event.HOLD).state is State.HELD


def test_case_cannot_be_opened_by_an_answer() -> None:
    with pytest.raises(TransitionNotAllowed, match="does not begin with agreement"):
        open_case(application(), ASKING, Event.AGREEMENT)


def test_case_knows_the_cases_of_the_same_family() -> None:
    assert open_case(application(linked=("ONE", "TWO")), ASKED).linked == ("ONE", "TWO")


def test_person_in_transit_is_no_national_of_the_state_asked() -> None:
    assert open_case(application(Event.TRANSIT), ASKED).category is Category.THIRD_COUNTRY
    assert open_case(application(Event.TRANSIT, nationalities=("stateless",)), ASKED).category is Category.STATELESS


# --- going on ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", BOTH)
@pytest.mark.parametrize(("event", "state"), ANSWERS)
def test_answer_of_the_requested_side_moves_the_case_on_both_sides(role: Role, event: Event, state: State) -> None:
    after = advance(case(role=role), sent(event, Role.REQUESTED), LATER)
    assert (after.state, after.opened_at, after.changed_at) == (state, NOW, LATER)


@pytest.mark.parametrize("role", BOTH)
@pytest.mark.parametrize("event", [event for event, _ in ANSWERS])
def test_answer_of_the_side_that_asked_is_refused(role: Role, event: Event) -> None:
    with pytest.raises(TransitionNotAllowed, match="from the requesting side"):
        advance(case(role=role), sent(event, Role.REQUESTING), LATER)


@pytest.mark.parametrize("role", BOTH)
@pytest.mark.parametrize("second", [Event.AGREEMENT, Event.REFUSAL])
def test_second_answer_is_refused(role: Role, second: Event) -> None:
    answered = advance(case(role=role), sent(Event.AGREEMENT, Role.REQUESTED), LATER)
    with pytest.raises(TransitionNotAllowed, match=f"a case that is agreed does not take {second}"):
        advance(answered, sent(second, Role.REQUESTED), LATER)


@pytest.mark.parametrize("role", BOTH)
def test_second_application_is_refused(role: Role) -> None:
    with pytest.raises(TransitionNotAllowed):
        advance(case(role=role), application(), LATER)


def test_answer_to_a_case_that_is_not_here_is_refused() -> None:
    with pytest.raises(UnknownCase):
        advance(None, sent(Event.AGREEMENT, Role.REQUESTED), LATER)


@pytest.mark.parametrize("event", [Event.AGREEMENT, Event.CORRECTION, Event.LAPSE])
@pytest.mark.parametrize("by", BOTH)
def test_held_case_takes_nothing_from_anybody(event: Event, by: Role) -> None:
    with pytest.raises(TransitionNotAllowed):
        advance(case(State.HELD), sent(event, by), LATER)


def test_held_case_goes_on_with_its_application() -> None:
    assert advance(case(State.HELD), application(), LATER).state is State.REQUESTED


def test_receipt_does_not_change_a_case() -> None:
    receipt = Receipt(header=replace(header(Role.REQUESTED), case_reference=None, sequence=None), items=())
    with pytest.raises(TransitionNotAllowed, match="receipt"):
        advance(case(), receipt, LATER)


def test_refusal_names_state_event_and_side_only() -> None:
    with pytest.raises(TransitionNotAllowed) as caught:
        advance(case(), sent(Event.ERROR_CLAIM, Role.REQUESTED), LATER)
    assert caught.value.message == "a case that is requested does not take error-claim from the requested side"


# --- who issues the travel document -----------------------------------------------------------------------------------

ISSUER = {
    Category.NATIONAL: Role.REQUESTED,
    Category.THIRD_COUNTRY: Role.REQUESTING,
    Category.STATELESS: Role.REQUESTING,
}


@pytest.mark.parametrize("role", BOTH)
@pytest.mark.parametrize(("category", "issuer"), ISSUER.items())
@pytest.mark.parametrize("event", [Event.DOCUMENT_ISSUED, Event.DOCUMENT_REFUSED])
def test_travel_document_comes_from_its_issuer_only(role: Role, category: Category, issuer: Role, event: Event) -> None:
    agreed = case(State.AGREED, role, category=category, ground=GROUND_OF[category])
    assert agreed.issuer is issuer
    assert advance(agreed, sent(event, issuer), LATER).state is State.AGREED
    with pytest.raises(TransitionNotAllowed, match=f"the {issuer} side issues the travel document"):
        advance(agreed, sent(event, issuer.other), LATER)


@pytest.mark.parametrize("role", BOTH)
@pytest.mark.parametrize(("category", "issuer"), ISSUER.items())
def test_travel_document_is_asked_from_its_issuer_only(role: Role, category: Category, issuer: Role) -> None:
    agreed = case(State.AGREED, role, category=category)
    assert advance(agreed, sent(Event.DOCUMENT_REQUEST, issuer.other), LATER).state is State.AGREED
    with pytest.raises(TransitionNotAllowed, match="document-request does not come from"):
        advance(agreed, sent(Event.DOCUMENT_REQUEST, issuer), LATER)


# --- the clock stands -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", BOTH)
def test_suspended_case_waits_for_the_side_that_stopped_the_clock(role: Role) -> None:
    asked = case(role=role)
    stopped = advance(asked, sent(Event.SUSPENSION, Role.REQUESTING), LATER)
    going = advance(stopped, sent(Event.RESUMPTION, Role.REQUESTING), LATER)
    assert [one.waits_for for one in (asked, stopped, going)] == [Role.REQUESTED, Role.REQUESTING, Role.REQUESTED]
    assert [one.suspended for one in (asked, stopped, going)] == [False, True, False]
    assert {one.state for one in (asked, stopped, going)} == {State.REQUESTED}


def test_closed_case_waits_for_nobody_though_its_clock_stands() -> None:
    assert case(State.REFUSED, suspended=True).waits_for is None


@pytest.mark.parametrize(
    ("event", "suspended", "words"), [(Event.SUSPENSION, True, "stands already"), (Event.RESUMPTION, False, "runs")]
)
def test_clock_is_not_stopped_twice_nor_set_going_when_it_runs(event: Event, words: str, *, suspended: bool) -> None:
    with pytest.raises(TransitionNotAllowed, match=words):
        advance(case(suspended=suspended), sent(event, Role.REQUESTING), LATER)


@pytest.mark.parametrize("event", [Event.SUSPENSION, Event.RESUMPTION])
def test_requested_side_cannot_stop_or_start_the_clock(event: Event) -> None:
    stopped = case(role=Role.REQUESTED, suspended=event is Event.RESUMPTION)
    with pytest.raises(TransitionNotAllowed, match="from the requested side"):
        advance(stopped, sent(event, Role.REQUESTED), LATER)


def test_ground_of_a_transit_case_is_no_ground_for_readmission() -> None:
    assert open_case(application(Event.TRANSIT), ASKING).ground is Ground.TRANSIT
