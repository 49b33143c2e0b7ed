"""Silence: recorded only with its evidence, told to the other side by a notice, taken back with a reason."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from gateway.errors import NotFound, TransitionNotAllowed
from gateway.flow.draft import Sent
from gateway.flow.lapses import reverse_lapse
from gateway.flow.watch import watch_once
from gateway.store import tables as t
from gateway.store.database import transaction
from gateway.wire.reading import instant_text
from tests.forging import count, journalled, outcomes, row_of, take
from tests.steps import ASKED, ASKING, forged_notice, lose, on_the_way

pytestmark = pytest.mark.anyio

WHY = {"by": "officer.one@at-bmi", "why": "the reply came by courier"}


@pytest.fixture
async def silent(case, clock):
    """The same, ten days later and without an answer: both sides recorded it."""
    clock.now = case.deadline(case.west, "reply").lapses_at
    for side in case.sides:
        watch_once(side.rt)
    return case


@pytest.fixture
async def deemed(silent):
    """The same, and the side that was asked has the notice."""
    notice = silent.lapse()
    assert isinstance(notice, Sent), notice
    await silent.exchange()
    return silent, notice


def lapses(side) -> list:
    return journalled(side.rt.engine, "deadline.lapsed")


def change_opening(case, **values) -> None:
    """Change by hand what the requesting side keeps of its application: what no message does."""
    with transaction(case.west.rt.engine) as tx:
        tx.execute(update(t.messages).where(t.messages.c.message_id == case.opening.message_id).values(**values))


# --- recorded with its evidence -----------------------------------------------------------------------------------------


async def test_lapse_is_recorded_with_its_evidence(silent) -> None:
    (entry,) = lapses(silent.west)
    row = silent.deadline(silent.west, "reply")
    assert (row.state, row.changed_at) == ("lapsed", row.lapses_at)
    assert (entry["authority"], entry["case_id"], entry["actor"]) == (ASKING, silent.opening.case_id, "gateway")
    assert (entry["message_id"], entry["digest"]) == (silent.opening.message_id, silent.opening.digest)
    detail = entry["detail"]
    assert detail["sent_at"] <= detail["received_at"] < detail["lapses_at"]
    assert detail["receipt"] == silent.receipt()[0]
    assert detail["received_at"] == row.started_at.isoformat()
    assert detail["lapses_at"] == row.lapses_at.isoformat()
    assert (detail["limit"], detail["on_lapse"]) == ("reply", "agreed")
    assert (detail["treaty_version"], detail["calendar_version"]) == (row.treaty_version, row.calendar_version)
    assert detail["calendar_version"]


async def test_both_sides_record_it_alike(silent) -> None:
    assert silent.settled("reply") == "lapsed"
    assert [len(lapses(side)) for side in silent.sides] == [1, 1]


@pytest.mark.parametrize(
    "lacking",
    [{"receipt_message_id": None, "outcome": "sent"}, {"outcome": "refused"}, {"outcome": "parked"}],
    ids=["no receipt", "refused by the other side", "never left"],
)
async def test_nothing_lapses_without_proof_of_receipt(case, clock, lacking) -> None:
    change_opening(case, **lacking)
    clock.now = case.deadline(case.west, "reply").lapses_at
    watch_once(case.west.rt)
    assert lapses(case.west) == []
    assert case.deadline(case.west, "reply").state == "open"


async def test_lapse_that_lacked_its_evidence_is_looked_at_again(case, clock) -> None:
    proof = row_of(case.west, "out", ASKING, case.opening.message_id).receipt_message_id
    change_opening(case, receipt_message_id=None, outcome="sent")
    clock.now = case.deadline(case.west, "reply").lapses_at
    watch_once(case.west.rt)
    change_opening(case, receipt_message_id=proof, outcome="received")
    assert watch_once(case.west.rt) == 0
    clock.move(hours=1)
    assert watch_once(case.west.rt) == 1
    assert case.deadline(case.west, "reply").state == "lapsed"


async def test_nothing_lapses_while_our_own_reply_may_have_come_in_time(case, clock) -> None:
    end = case.deadline(case.east, "reply").lapses_at
    clock.now = end - timedelta(minutes=1)
    sent = case.answer()
    lose(case.east, sent)
    clock.now = end + timedelta(days=1)
    watch_once(case.east.rt)
    assert lapses(case.east) == []


async def test_lapse_sends_nothing_and_decides_nothing(case, clock) -> None:
    tables = ("messages", "documents", "outbox", "inbox", "cases", "deadlines")
    before = [count(side.rt.engine, *tables) for side in case.sides]
    clock.now = case.deadline(case.west, "reply").lapses_at
    for side in case.sides:
        watch_once(side.rt)
    assert [count(side.rt.engine, *tables) for side in case.sides] == before
    assert case.states() == ("requested", "requested")  # a person relies on it, or does not


# --- told to the other side ---------------------------------------------------------------------------------------------


async def test_notice_makes_the_case_agreed_on_both_sides_and_starts_the_transfer_at_the_lapse(deemed) -> None:
    case, notice = deemed
    assert case.states() == ("agreed", "agreed")
    end = case.deadline(case.west, "reply").lapses_at
    assert [case.case(side).deemed_at for side in case.sides] == [end, end]
    assert [case.case(side).lapse_notice for side in case.sides] == [notice.message_id] * 2
    assert case.settled("reply") == "lapsed"
    assert case.settled("transfer") == "open"
    assert case.deadline(case.west, "transfer").started_at == end


async def test_notice_answers_the_application_without_being_told(deemed) -> None:
    case, notice = deemed
    assert row_of(case.west, "out", ASKING, notice.message_id).in_reply_to == case.opening.message_id


async def test_notice_before_the_lapse_is_recorded_is_refused(case, clock) -> None:
    refused = case.lapse()
    assert (refused.code, refused.path) == ("transition-not-allowed", "Lapse/Limit")
    clock.now = case.deadline(case.west, "reply").lapses_at  # run out, but nobody has looked whether a reply came
    assert case.lapse().code == "transition-not-allowed"
    assert case.states() == ("requested", "requested")


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"Lapse__LapsedAt": "2026-06-11T21:59:59Z"}, "answer-mismatch", "Lapse/LapsedAt"),
        ({"Lapse__Limit": "transfer"}, "transition-not-allowed", "Lapse/Limit"),
        ({"Lapse__Meaning": "document-consent"}, "transition-not-allowed", "Lapse/Meaning"),
    ],
)
async def test_notice_that_says_otherwise_than_what_is_recorded_is_refused(silent, changes, code, path) -> None:
    refused = silent.lapse(**changes)
    assert (refused.code, refused.path) == (code, path)
    assert silent.states() == ("requested", "requested")


@pytest.mark.parametrize("part", [0, 1], ids=["id", "digest"])
async def test_notice_with_another_proof_than_the_receipt_is_refused(silent, part) -> None:
    proof = list(silent.receipt())
    proof[part] = (silent.opening.message_id, "f" * 64)[part]
    refused = silent.send("LapseNotice-agreed", ASKING, proven=tuple(proof), **silent.lapsed())
    assert (refused.code, refused.path) == ("answer-mismatch", "Lapse/Proof")


async def test_notice_by_the_side_that_was_silent_is_refused(silent) -> None:
    refused = silent.send("LapseNotice-agreed", ASKED, proven=silent.receipt(), **silent.lapsed())
    assert refused.code == "transition-not-allowed"


async def test_notice_of_a_lapse_that_lies_ahead_is_refused_by_the_other_side(case) -> None:
    notice = forged_notice(case, case.deadline(case.west, "reply").lapses_at)
    assert outcomes(take(case.east.rt, notice)) == [("refused", "transition-not-allowed")]
    assert case.case(case.east).state == "requested"


async def test_notice_for_an_instant_before_the_end_of_the_limit_is_refused_by_the_other_side(case, clock) -> None:
    end = case.deadline(case.west, "reply").lapses_at
    clock.now = end + timedelta(days=1)
    notice = forged_notice(case, end - timedelta(seconds=1))
    assert outcomes(take(case.east.rt, notice)) == [("refused", "transition-not-allowed")]
    assert case.case(case.east).state == "requested"


async def test_notice_against_a_reply_that_came_in_time_is_refused(case, clock) -> None:
    end = case.deadline(case.west, "reply").lapses_at
    await case.answered(agreed=False)
    clock.now = end + timedelta(days=1)
    assert outcomes(take(case.east.rt, forged_notice(case, end))) == [("refused", "transition-not-allowed")]
    assert case.states() == ("refused", "refused")


# --- a reply after all --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agreed", [True, False], ids=["agreement", "refusal"])
async def test_late_reply_without_a_notice_decides_the_case_and_the_record_of_the_lapse_stays(silent, agreed) -> None:
    await silent.answered(agreed=agreed)
    assert silent.settled("reply") == "late"
    assert silent.states() == (("agreed",) * 2 if agreed else ("refused",) * 2)
    assert [len(lapses(side)) for side in silent.sides] == [1, 1]


@pytest.mark.parametrize("agreed", [True, False], ids=["agreement", "refusal"])
async def test_late_reply_that_crosses_the_notice_is_kept_and_changes_nothing(silent, clock, agreed) -> None:
    notice = silent.lapse()
    clock.move(hours=1)
    reply = silent.answer(agreed=agreed)
    assert isinstance(notice, Sent)
    assert isinstance(reply, Sent)
    clock.move(hours=1)
    await silent.exchange()
    assert silent.states() == ("agreed", "agreed")
    assert [silent.case(side).late for side in silent.sides] == ["agreed" if agreed else "refused"] * 2
    assert silent.settled("reply") == "late"
    assert silent.settled("transfer") == "open"
    assert silent.deadline(silent.west, "transfer").started_at == silent.case(silent.west).deemed_at


async def test_reply_after_the_notice_is_out_of_turn(deemed) -> None:
    case, _ = deemed
    assert case.answer(agreed=False).code == "transition-not-allowed"


@pytest.mark.parametrize("first", ["the notice", "the receipt", "both at once"])
@pytest.mark.parametrize("agreed", [True, False], ids=["agreement", "refusal"])
async def test_reply_in_time_that_is_taken_after_the_notice_wins_over_it(case, clock, first, agreed) -> None:
    """Both sides know that silence does not count; the case goes back on both by a correction of the notice."""
    end = case.deadline(case.west, "reply").lapses_at
    clock.now = came = end - timedelta(minutes=1)
    (body,) = on_the_way(case.east, case.answer(agreed=agreed))
    clock.now = end
    watch_once(case.west.rt)
    notice = case.lapse()
    bodies = on_the_way(case.west, notice)
    clock.now = came  # when the transport handed it over, before the database was back
    take(case.west.rt, body)
    clock.now = end + timedelta(minutes=1)
    if first == "the notice":
        assert outcomes(take(case.east.rt, *bodies)) == [("accepted", None)]
    if first == "the receipt":
        lose(case.west, notice)
    await case.exchange()
    if first == "the receipt":
        assert outcomes(take(case.east.rt, *bodies)) == [("refused", "transition-not-allowed")]
        await case.exchange()
    west, east = (case.case(side) for side in case.sides)
    assert (west.deemed_at, east.deemed_at) == (None, None)
    assert west.must_take_back is not agreed
    assert east.must_take_back is (first != "the receipt" and not agreed)
    assert case.settled("reply") == "met"
    assert case.open_limits() == ({"transfer"} if agreed else set())
    await case.told("Correction-by-requesting", ASKING, proven=(notice.message_id, notice.digest))
    assert case.states() == (("agreed",) * 2 if agreed else ("refused",) * 2)
    assert case.open_limits() == ({"transfer"} if agreed else set())
    assert not agreed or case.settled("transfer") == "open"


# --- taken back ---------------------------------------------------------------------------------------------------------


async def test_lapse_is_taken_back_by_a_named_person_with_a_reason(silent) -> None:
    reverse_lapse(silent.opening.case_id, "reply", rt=silent.west.rt, **WHY)
    assert silent.deadline(silent.west, "reply").state == "open"
    (entry,) = journalled(silent.west.rt.engine, "deadline.lapse_reversed")
    assert (entry["actor"], entry["authority"], entry["case_id"]) == (WHY["by"], ASKING, silent.opening.case_id)
    assert entry["detail"] == {"limit": "reply", "why": WHY["why"]}
    assert len(lapses(silent.west)) == 1  # what was recorded stays recorded


async def test_lapse_taken_back_does_not_come_again_by_itself(silent, clock) -> None:
    reverse_lapse(silent.opening.case_id, "reply", rt=silent.west.rt, **WHY)
    clock.move(days=400)
    assert watch_once(silent.west.rt) == 0
    assert silent.lapse().code == "transition-not-allowed"


async def test_reply_after_a_lapse_was_taken_back_is_still_late(silent) -> None:
    reverse_lapse(silent.opening.case_id, "reply", rt=silent.west.rt, **WHY)
    await silent.answered(agreed=False)
    assert silent.deadline(silent.west, "reply").state == "late"
    assert silent.states() == ("refused", "refused")


@pytest.mark.parametrize(("limit", "error"), [("register-search", TransitionNotAllowed), ("costs", NotFound)])
async def test_only_a_recorded_lapse_can_be_taken_back(silent, limit, error) -> None:
    with pytest.raises(error):
        reverse_lapse(silent.opening.case_id, limit, rt=silent.west.rt, **WHY)
    assert journalled(silent.west.rt.engine, "deadline.lapse_reversed") == []


async def test_lapse_that_the_other_side_was_told_of_is_not_taken_back_behind_its_back(deemed) -> None:
    case, _ = deemed
    with pytest.raises(TransitionNotAllowed, match="correction of the notice"):
        reverse_lapse(case.opening.case_id, "reply", rt=case.west.rt, **WHY)
    assert case.settled("reply") == "lapsed"


async def test_correction_of_the_notice_takes_the_lapse_back_on_both_sides(deemed) -> None:
    case, notice = deemed
    await case.told("Correction-by-requesting", ASKING, proven=(notice.message_id, notice.digest))
    assert case.states() == ("requested", "requested")
    assert [case.case(side).deemed_at for side in case.sides] == [None, None]
    assert case.settled("transfer") == "moot"  # it ran from the agreement that there was not


async def test_correction_of_the_notice_brings_the_late_reply_into_force(silent, clock) -> None:
    notice = silent.lapse()
    clock.move(hours=1)
    silent.answer(agreed=False)
    clock.move(hours=1)
    await silent.exchange()
    await silent.told("Correction-by-requesting", ASKING, proven=(notice.message_id, notice.digest))
    assert silent.states() == ("refused", "refused")
    assert silent.open_limits() == set()


async def test_correction_of_something_else_takes_nothing_back(deemed) -> None:
    case, _ = deemed
    await case.told("Correction-by-requesting", ASKING, proven=(case.opening.message_id, case.opening.digest))
    assert case.states() == ("agreed", "agreed")


async def test_correction_by_the_other_side_takes_nothing_back(deemed) -> None:
    case, notice = deemed
    await case.told("Correction-by-requested", ASKED, proven=(notice.message_id, notice.digest))
    assert case.states() == ("agreed", "agreed")


async def test_lapse_is_not_taken_back_once_the_case_went_on(deemed, clock) -> None:
    case, notice = deemed
    await case.told("TransferNotification-alone", ASKING, Plan__At=instant_text(clock.now + timedelta(days=10)))
    refused = case.send("Correction-by-requesting", ASKING, proven=(notice.message_id, notice.digest))
    assert refused.code == "transition-not-allowed"
    assert case.states() == ("planned", "planned")
