"""Silence that counts as agreement: recorded, overtaken by a reply, taken back, on both sides of a case."""

from datetime import timedelta

import pytest

from gateway.domain.case import advance, answered_in_time, check_lapse, reversed_lapse
from gateway.domain.messages import Answered
from gateway.domain.moves import Event, Role, State
from gateway.errors import TransitionNotAllowed
from tests.case_samples import NOW, application, case, sent

LAPSE_AT = NOW + timedelta(days=10)
LATER = LAPSE_AT + timedelta(hours=1)
BEFORE = LAPSE_AT - timedelta(microseconds=1)
KINDS = [
    (State.REQUESTED, State.AGREED, State.REFUSED, Event.AGREEMENT, Event.REFUSAL),
    (
        State.TRANSIT_REQUESTED,
        State.TRANSIT_AGREED,
        State.TRANSIT_REFUSED,
        Event.TRANSIT_AGREEMENT,
        Event.TRANSIT_REFUSAL,
    ),
]
KIND = pytest.mark.parametrize(("asked", "agreed", "refused", "agreement", "refusal"), KINDS, ids=["readmission", "transit"])


def notice():
    return sent(Event.LAPSE, Role.REQUESTING, at=LAPSE_AT)


def taking_back(message):
    return sent(Event.CORRECTION, Role.REQUESTING, proof=Answered(message_id=message.header.message_id, digest="0" * 64))


@KIND
@pytest.mark.parametrize("role", Role)
def test_notice_of_silence_makes_the_case_agreed_on_both_sides(role, asked, agreed, refused, agreement, refusal) -> None:
    said = notice()
    after = advance(case(asked, role), said, LATER)
    assert (after.state, after.deemed_at, after.lapse_notice, after.late) == (agreed, LAPSE_AT, said.header.message_id, None)


@pytest.mark.parametrize("state", [State.REFUSED, State.AGREED, State.WITHDRAWN])
def test_silence_is_not_recorded_in_a_case_that_was_answered(state: State) -> None:
    with pytest.raises(TransitionNotAllowed):
        advance(case(state), notice(), LATER)


def test_requested_side_does_not_record_its_own_silence() -> None:
    with pytest.raises(TransitionNotAllowed):
        advance(case(State.REQUESTED, Role.REQUESTED), sent(Event.LAPSE, Role.REQUESTED, at=LAPSE_AT), LATER)


@KIND
def test_silence_is_not_recorded_against_a_reply_proven_to_be_in_time(asked, agreed, refused, agreement, refusal) -> None:
    answered = case(refused, Role.REQUESTED)
    with pytest.raises(TransitionNotAllowed, match="silence is not recorded against it"):
        advance(answered, notice(), LATER, answered_at=BEFORE)
    for unproven in (None, LAPSE_AT, LATER):
        assert advance(answered, notice(), LATER, answered_at=unproven).state is agreed


@KIND
def test_late_reply_is_kept_and_changes_nothing(asked, agreed, refused, agreement, refusal) -> None:
    lapsed = advance(case(asked), notice(), LATER)
    after = advance(lapsed, sent(refusal, Role.REQUESTED), LATER, received_at=LAPSE_AT)
    assert (after.state, after.late, after.deemed_at, after.must_take_back) == (agreed, refused, LAPSE_AT, False)


@KIND
def test_reply_in_time_that_was_looked_at_late_ends_the_force_of_silence(asked, agreed, refused, agreement, refusal) -> None:
    lapsed = advance(case(asked), notice(), LATER)
    after = advance(lapsed, sent(refusal, Role.REQUESTED), LATER, received_at=BEFORE)
    assert (after.late, after.deemed_at, after.must_take_back) == (refused, None, True)


@KIND
def test_receipt_of_a_reply_in_time_ends_the_force_of_silence_on_the_other_side_too(
    asked, agreed, refused, agreement, refusal
) -> None:
    noted = advance(case(refused, Role.REQUESTED), notice(), LATER)
    proven = answered_in_time(noted, BEFORE, LATER)
    assert (proven.state, proven.late, proven.deemed_at) == (agreed, refused, None)
    assert answered_in_time(noted, LAPSE_AT, LATER) is noted  # late after all


def test_receipt_means_nothing_where_no_silence_was_noted() -> None:
    refused = case(State.REFUSED, Role.REQUESTED)
    assert answered_in_time(refused, BEFORE, LATER) is refused


def test_transfer_is_not_announced_on_silence_that_a_refusal_in_time_contradicts() -> None:
    said = notice()
    lapsed = advance(case(), said, LATER)
    overtaken = advance(lapsed, sent(Event.REFUSAL, Role.REQUESTED), LATER, received_at=BEFORE)
    with pytest.raises(TransitionNotAllowed, match="take the notice of silence back"):
        advance(overtaken, sent(Event.TRANSFER_NOTICE, Role.REQUESTING), LATER)
    back = advance(overtaken, taking_back(said), LATER)
    assert (back.state, back.late, back.lapse_notice) == (State.REFUSED, None, None)


def test_agreement_in_time_leaves_nothing_to_take_back() -> None:
    lapsed = advance(case(), notice(), LATER)
    agreed = advance(lapsed, sent(Event.AGREEMENT, Role.REQUESTED), LATER, received_at=BEFORE)
    assert not agreed.must_take_back
    assert advance(agreed, sent(Event.TRANSFER_NOTICE, Role.REQUESTING), LATER).state is State.PLANNED


@KIND
@pytest.mark.parametrize("role", Role)
def test_correction_of_the_notice_takes_silence_back_on_both_sides(role, asked, agreed, refused, agreement, refusal) -> None:
    said = notice()
    lapsed = advance(case(asked, role), said, LATER)
    back = advance(lapsed, taking_back(said), LATER)
    assert (back.state, back.deemed_at, back.lapse_notice) == (asked, None, None)


@KIND
def test_taking_back_brings_the_late_reply_to_its_effect(asked, agreed, refused, agreement, refusal) -> None:
    said = notice()
    asking = advance(advance(case(asked), said, LATER), sent(refusal, Role.REQUESTED), LATER, received_at=LATER)
    requested = advance(case(refused, Role.REQUESTED), said, LATER)
    assert requested.late is refused
    assert [advance(one, taking_back(said), LATER).state for one in (asking, requested)] == [refused, refused]


def test_silence_is_not_taken_back_once_the_transfer_is_announced() -> None:
    said = notice()
    planned = advance(advance(case(), said, LATER), sent(Event.TRANSFER_NOTICE, Role.REQUESTING), LATER)
    with pytest.raises(TransitionNotAllowed, match="the case went on"):
        advance(planned, taking_back(said), LATER)


def test_taking_back_that_arrives_after_the_hand_over_changes_nothing() -> None:
    said = notice()
    lapsed = advance(case(role=Role.REQUESTED), said, LATER)
    over = advance(lapsed, sent(Event.HANDED_OVER, Role.REQUESTED), LATER)
    assert advance(over, taking_back(said), LATER).state is State.TRANSFERRED


def test_requested_side_cannot_take_back_what_the_other_side_recorded() -> None:
    said = notice()
    lapsed = advance(case(role=Role.REQUESTED), said, LATER)
    own = sent(Event.CORRECTION, Role.REQUESTED, proof=Answered(message_id=said.header.message_id, digest="0" * 64))
    assert advance(lapsed, own, LATER).state is State.AGREED


def test_case_without_recorded_silence_has_nothing_to_reverse() -> None:
    with pytest.raises(TransitionNotAllowed, match="no silence is recorded"):
        reversed_lapse(case(State.AGREED), LATER)


@pytest.mark.parametrize("state", State)
def test_silence_that_means_something_else_moves_no_case(state: State) -> None:
    said = sent(Event.LAPSE_NOTED, Role.REQUESTING)
    if state is State.HELD:
        with pytest.raises(TransitionNotAllowed):
            advance(case(state), said, LATER)
    else:
        assert advance(case(state), said, LATER).state is state


def test_application_does_not_undo_silence() -> None:
    lapsed = advance(case(), notice(), LATER)
    with pytest.raises(TransitionNotAllowed):
        advance(lapsed, application(), LATER)


# --- what the clock bears out -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "now"),
    [(LAPSE_AT, LAPSE_AT), (LAPSE_AT, LATER), (BEFORE, LATER)],
    ids=["at once", "afterwards", "later than it could be"],
)
def test_notice_is_borne_out_once_silence_counts(counts, now) -> None:
    assert check_lapse(notice(), counts, now) is None


@pytest.mark.parametrize(
    ("counts", "now"),
    [(None, LATER), (LATER, LATER), (LAPSE_AT, BEFORE)],
    ids=["limit not known", "limit still runs", "instant lies ahead"],
)
def test_notice_that_the_clock_does_not_bear_out_is_refused(counts, now) -> None:
    with pytest.raises(TransitionNotAllowed, match="silence does not count"):
        check_lapse(notice(), counts, now)


def test_notice_without_an_instant_is_refused() -> None:
    with pytest.raises(TransitionNotAllowed):
        check_lapse(sent(Event.LAPSE, Role.REQUESTING), LAPSE_AT, LATER)
