"""The table of moves: every message of the schema does one thing, and what is not in the table is refused when it is sent."""

from itertools import product

import pytest
import xmlschema

from gateway.domain.case import ABOUT_THE_PLAN, DOCUMENTS, REPLIES, advance
from gateway.domain.messages import Answered, Outcome
from gateway.domain.moves import CROSSING, EVENT_OF, NEXT, OPENS, STAYING, WAITS_FOR, Event, Role, State, event_of, step
from gateway.errors import TransitionNotAllowed
from gateway.settings import data_folder
from gateway.wire.documents import NS
from gateway.wire.schema import MESSAGE_ROOTS
from gateway.wire.steps import PLACES
from tests.case_samples import KIND_OF, NOW, OPENING_OF, application, case, sent

SCHEMA = xmlschema.XMLSchema(data_folder("schemas") / "readmission" / "1.0" / "readmission.xsd")
MOVING = sorted({event for (state, event, _), after in NEXT.items() if state is not after})
CLOSED = {State.REFUSED, State.WITHDRAWN, State.TAKEN_BACK, State.TRANSIT_REFUSED, State.TRANSIT_WITHDRAWN}


def outcomes(kind: str) -> set[str]:
    """Return the outcomes that the schema knows for a message type; none where the message has no outcome."""
    place = "Decision/Outcome" if kind == "ReadmissionReply" else PLACES[kind].outcome if kind in PLACES else ""
    if not place:
        return set()
    found = SCHEMA.elements[kind].find("/".join(f"r:{part}" for part in place.split("/")), namespaces={"r": NS})
    return set(found.type.enumeration or ())


# --- messages and events ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(set(MESSAGE_ROOTS) - {"Receipt"}))
def test_every_message_of_the_schema_is_one_event_whatever_its_outcome(kind: str) -> None:
    assert (kind, None) in EVENT_OF or {(kind, outcome) for outcome in outcomes(kind)} <= set(EVENT_OF)
    assert (kind, None) in EVENT_OF or outcomes(kind)


def test_table_names_no_type_and_no_outcome_that_the_schema_does_not_have() -> None:
    for kind, outcome in EVENT_OF:
        assert kind in MESSAGE_ROOTS
        assert outcome is None or outcome in outcomes(kind), (kind, outcome)


def test_receipt_is_no_event() -> None:
    assert "Receipt" not in {kind for kind, _ in EVENT_OF}


def test_every_event_but_the_hold_is_what_some_message_does() -> None:
    assert set(EVENT_OF.values()) == set(Event) - {Event.HOLD}


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.HOLD])
def test_message_is_the_event_of_its_type_and_outcome(event: Event) -> None:
    message = application(event) if event in OPENING_OF else sent(event, Role.REQUESTING)
    assert event_of(message) is event


def test_silence_that_does_not_mean_agreement_is_only_noted() -> None:
    meanings = outcomes("LapseNotice")
    assert meanings == {"agreed", "document-consent", "proposal-accepted", "reasons-due"}
    assert {EVENT_OF.get(("LapseNotice", meaning), Event.LAPSE_NOTED) for meaning in meanings - {"agreed"}} == {
        Event.LAPSE_NOTED
    }
    assert EVENT_OF["LapseNotice", "agreed"] is Event.LAPSE


def test_agreement_in_part_agrees_for_the_person_of_the_case() -> None:
    assert EVENT_OF["ReadmissionReply", Outcome.IN_PART] is EVENT_OF["ReadmissionReply", Outcome.AGREED] is Event.AGREEMENT


# --- what is not in the table -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_whatever_is_not_in_the_table_is_refused_when_it_is_sent(state: State) -> None:
    for event, role in product(Event, Role):
        if (state, event, role) in NEXT:
            assert step(state, event, role) is NEXT[state, event, role]
        else:
            with pytest.raises(TransitionNotAllowed, match=f"a case that is {state} does not take {event}"):
                step(state, event, role)


@pytest.mark.parametrize("state", State)
def test_what_arrives_is_refused_unless_it_could_have_left(state: State) -> None:
    """A crossing excuses only what the sending side may send from some state."""
    for event, role in product(Event, Role):
        if any((other, event, role) in NEXT for other in State):
            continue
        with pytest.raises(TransitionNotAllowed):
            step(state, event, role, arrives=True)


@pytest.mark.parametrize("event", MOVING)
@pytest.mark.parametrize("state", State)
def test_what_moves_a_case_arrives_by_a_row_only(state: State, event: Event) -> None:
    for role in Role:
        row = NEXT.get((state, event, role)) or CROSSING.get((state, event))
        allowed = any((other, event, role) in NEXT for other in State)
        if row is not None and allowed and (state is not State.HELD or (state, event, role) in NEXT):
            assert step(state, event, role, arrives=True) is row
        else:
            with pytest.raises(TransitionNotAllowed):
                step(state, event, role, arrives=True)


@pytest.mark.parametrize(("event", "role"), list(product(Event, Role)), ids=str)
def test_new_case_begins_with_what_opens_one_from_the_side_that_asks(event: Event, role: Role) -> None:
    if event in OPENS and role is Role.REQUESTING:
        assert step(None, event, role) is OPENS[event]
    else:
        with pytest.raises(TransitionNotAllowed, match="does not begin"):
            step(None, event, role)


@pytest.mark.parametrize("role", Role)
def test_refused_message_leaves_the_case_as_it_was(role: Role) -> None:
    before = case(State.REFUSED, role)
    with pytest.raises(TransitionNotAllowed):
        advance(before, sent(Event.AGREEMENT, Role.REQUESTED), NOW)
    assert before == case(State.REFUSED, role)


# --- the table as a whole ---------------------------------------------------------------------------------------------


def test_every_event_is_possible_from_some_state() -> None:
    assert {event for _, event, _ in NEXT} == set(Event)


def test_every_state_is_reached_from_a_new_case() -> None:
    reached = set(OPENS.values())
    while more := {after for (state, _, _), after in NEXT.items() if state in reached} - reached:
        reached |= more
    assert reached == set(State)


def test_case_of_transit_never_becomes_one_of_readmission() -> None:
    for (state, event, _), after in NEXT.items():
        if state is not State.HELD:
            assert state.startswith("transit") == after.startswith("transit"), event
    for (state, event), after in CROSSING.items():
        assert state.startswith("transit") == after.startswith("transit"), event


def test_each_state_says_whom_it_waits_for() -> None:
    assert set(WAITS_FOR) == set(State)


@pytest.mark.parametrize("state", [state for state, role in WAITS_FOR.items() if role is not None])
def test_side_that_is_waited_for_can_move_the_case(state: State) -> None:
    role = WAITS_FOR[state]
    assert [event for (from_, event, by), after in NEXT.items() if from_ is state and by is role and after is not state]


@pytest.mark.parametrize("state", sorted(CLOSED))
def test_closed_case_moves_no_more_and_waits_for_nobody(state: State) -> None:
    assert {after for (from_, _, _), after in NEXT.items() if from_ is state} == {state}
    assert WAITS_FOR[state] is None


def test_events_that_move_no_case_are_told_apart_from_those_that_do() -> None:
    assert not STAYING & set(MOVING)
    assert set(STAYING) | set(MOVING) | {Event.HOLD} == set(Event)


def test_only_the_requested_side_decides_records_the_hand_over_and_claims_an_error() -> None:
    by = {event: {role for _, one, role in NEXT if one is event} for event in Event}
    asked = {*REPLIES, Event.INTERVIEW_PROPOSAL, Event.HANDED_OVER, Event.REFUSED_AT_BORDER, Event.ERROR_CLAIM}
    asking = {Event.WITHDRAWAL, Event.SUSPENSION, Event.RESUMPTION, Event.LAPSE, Event.TRANSFER_NOTICE, Event.ERROR_ACCEPTED}
    assert {event for event in asked if by[event] != {Role.REQUESTED}} == set()
    assert {event for event in asking if by[event] != {Role.REQUESTING}} == set()


def test_rule_of_the_issuer_is_for_messages_about_travel_documents() -> None:
    assert {KIND_OF[event][0] for event in DOCUMENTS} == {kind for kind in MESSAGE_ROOTS if kind.startswith("TravelDocument")}


def test_every_answer_about_a_plan_can_be_sent_while_the_plan_stands() -> None:
    for event in ABOUT_THE_PLAN:
        planned = case(State.PLANNED, Role.REQUESTED, plan="plan-1")
        assert advance(planned, sent(event, Role.REQUESTED, answers="plan-1"), NOW).changed_at == NOW


# --- plans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", sorted(ABOUT_THE_PLAN))
def test_what_is_said_about_an_earlier_plan_does_not_touch_the_one_that_stands(event: Event) -> None:
    planned = case(State.PLANNED, Role.REQUESTING, plan="plan-2")
    after = advance(planned, sent(event, Role.REQUESTED, answers="plan-1"), NOW)
    assert (after.state, after.plan) == (State.PLANNED, "plan-2")


@pytest.mark.parametrize("event", sorted(ABOUT_THE_PLAN))
@pytest.mark.parametrize(("answers", "words"), [("plan-1", "another transfer notification"), (None, "names the transfer")])
def test_requested_side_cannot_speak_of_a_plan_that_does_not_stand(event: Event, answers: str | None, words: str) -> None:
    planned = case(State.PLANNED, Role.REQUESTED, plan="plan-2")
    with pytest.raises(TransitionNotAllowed, match=words):
        advance(planned, sent(event, Role.REQUESTED, answers=answers), NOW)


def test_newer_notification_takes_the_place_of_the_plan_that_stood() -> None:
    planned = case(State.PLANNED, Role.REQUESTING, plan="plan-1")
    notice = sent(Event.TRANSFER_NOTICE, Role.REQUESTING)
    assert advance(planned, notice, NOW).plan == notice.header.message_id


def test_requesting_side_postpones_its_own_plan_without_answering_anything() -> None:
    planned = case(State.PLANNED, Role.REQUESTING, plan="plan-1")
    assert advance(planned, sent(Event.POSTPONED, Role.REQUESTING), NOW).state is State.AGREED


def test_correction_of_something_else_is_no_taking_back() -> None:
    agreed = case(State.AGREED, Role.REQUESTING, lapse_notice="notice", deemed_at=NOW)
    other = sent(Event.CORRECTION, Role.REQUESTING, proof=Answered(message_id="other", digest="0" * 64))
    assert advance(agreed, other, NOW).lapse_notice == "notice"
