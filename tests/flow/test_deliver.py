"""Delivery: each row leaves by its own confirm, is tried again at its own pace, and is set aside at the end; never lost."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from gateway.errors import BrokerUnavailable, TooLarge
from gateway.flow.deliver import claim, deliver_once, next_wait, settle
from gateway.flow.draft import Sent
from gateway.flow.ports import LEASE_SECONDS
from gateway.store import outbox
from gateway.store import tables as t
from gateway.store.database import reading
from gateway.wire.documents import serialize
from tests.forging import TO_ORIGIN, Scripted, application, count, hand_in_entry, journalled, row_of
from tests.gateways import exchange

pytestmark = pytest.mark.anyio

NOBODY = BrokerUnavailable("nobody answers")


@pytest.fixture
async def side(two_gateways):
    """The west with a transport that fails as told."""
    west, _ = two_gateways
    scripted = Scripted(west.hub)
    await scripted.open(west.rt.settings.home)
    return replace(west, rt=replace(west.rt, transport=scripted))


def outbox_rows(side) -> list:
    with reading(side.rt.engine) as tx:
        return list(tx.execute(select(t.outbox).order_by(t.outbox.c.id)))


def send_to_pakistan(side) -> Sent:
    held = side.hand_in(serialize(application(side.rt.clock(), TO_ORIGIN)), authority="BA-MS")
    sent = side.release(held.case_id)
    assert isinstance(sent, Sent)
    return sent


async def test_confirmed_row_is_gone_with_the_message_marked_as_sent(side, clock) -> None:
    sent, _ = hand_in_entry(side)
    assert row_of(side, "out", "AT-BMI", sent.message_id).outcome == "waiting"
    clock.move(seconds=5)
    assert await side.deliver() == 1
    assert outbox_rows(side) == []
    row = row_of(side, "out", "AT-BMI", sent.message_id)
    assert (row.outcome, row.sent_at) == ("sent", clock.now)


async def test_nothing_to_do_is_no_delivery(side) -> None:
    assert await side.deliver() == 0


async def test_failure_backs_off_step_by_step(side, clock) -> None:
    hand_in_entry(side)
    side.rt.transport.failing["RS-MUP"] = NOBODY
    tried = []
    for _ in side.rt.settings.retry_seconds:
        tried.append(clock.now)
        assert await side.deliver() == 0
        (row,) = outbox_rows(side)
        assert (row.code, row.lease_until, row.parked_at) == ("broker-unavailable", None, None)
        clock.now = row.next_at - timedelta(seconds=1)
        assert claim(side.rt, by="early") == []  # not a second sooner
        clock.now = row.next_at
    assert [(later - earlier).total_seconds() for earlier, later in pairwise([*tried, clock.now])] == [30, 300, 3600, 21600]


async def test_row_that_keeps_failing_is_parked_with_its_reason_in_the_journal(side, clock) -> None:
    sent, _ = hand_in_entry(side)
    side.rt.transport.failing["RS-MUP"] = NOBODY
    for wait in (*side.rt.settings.retry_seconds, 0):
        await side.deliver()
        clock.move(seconds=wait)
    (row,) = outbox_rows(side)
    assert (row.parked_at, row.code, row.attempts) == (clock.now, "broker-unavailable", 5)
    (entry,) = journalled(side.rt.engine, "message.parked")
    assert (entry["authority"], entry["message_id"]) == ("AT-BMI", sent.message_id)
    assert entry["detail"] == {"code": "broker-unavailable", "attempts": 5}
    assert row_of(side, "out", "AT-BMI", sent.message_id).outcome == "parked"

    clock.move(days=30)
    side.rt.transport.failing.clear()
    assert await side.deliver() == 0  # a person decides what becomes of it; it is still there
    assert [row.body for row in outbox_rows(side)] == [row.body]


async def test_message_that_no_attempt_can_carry_is_parked_at_once(side) -> None:
    hand_in_entry(side)
    side.rt.transport.failing["RS-MUP"] = TooLarge("more than is carried")
    await side.deliver()
    (row,) = outbox_rows(side)
    assert (row.code, row.attempts) == ("too-large", 1)
    assert row.parked_at is not None


async def test_recipient_that_nobody_receives_for_is_tried_again_then_parked(side, clock) -> None:
    hand_in_entry(side)
    del side.hub.queues["RS-MUP"]
    await side.deliver()
    (row,) = outbox_rows(side)
    assert (row.code, row.parked_at) == ("undeliverable", None)
    side.hub.queues["RS-MUP"] = []
    clock.move(seconds=30)
    assert await side.deliver() == 1


async def test_failure_of_one_recipient_does_not_slow_another(side) -> None:
    for _ in range(3):
        hand_in_entry(side)
    side.rt.transport.failing["RS-MUP"] = NOBODY
    to_pakistan = send_to_pakistan(side)
    assert await side.deliver() == 1
    assert row_of(side, "out", "BA-MS", to_pakistan.message_id).outcome == "sent"
    assert [row.recipient for row in outbox_rows(side)] == ["RS-MUP"] * 3

    again = send_to_pakistan(side)  # while the others wait for their next attempt
    assert await side.deliver() == 1
    assert row_of(side, "out", "BA-MS", again.message_id).outcome == "sent"


async def test_rows_of_one_batch_are_settled_each_by_its_own_answer(side) -> None:
    sent = [hand_in_entry(side)[0] for _ in range(3)]
    rows = claim(side.rt, by="test")
    done = settle(rows, [None, NOBODY, None], side.rt)
    assert (done.sent, done.failed) == (2, 1)
    assert [row.message_id for row in outbox_rows(side)] == [sent[1].message_id]


async def test_process_that_holds_a_row_keeps_others_from_it_until_its_lease_ends(side, clock) -> None:
    hand_in_entry(side)
    (held,) = claim(side.rt, by="one")
    assert claim(side.rt, by="two") == []
    clock.move(seconds=LEASE_SECONDS)
    assert claim(side.rt, by="two") == []
    clock.move(seconds=1)
    (taken,) = claim(side.rt, by="two")
    assert (taken.id, taken.body) == (held.id, held.body)
    assert outbox_rows(side)[0].leased_by == "two"


async def test_late_confirm_of_a_process_whose_lease_ended_removes_the_row_once(side, clock) -> None:
    sent, _ = hand_in_entry(side)
    slow = claim(side.rt, by="slow")
    clock.move(seconds=LEASE_SECONDS + 1)
    quick = claim(side.rt, by="quick")
    settle(slow, [None], side.rt)
    settle(quick, [None], side.rt)
    assert outbox_rows(side) == []
    assert row_of(side, "out", "AT-BMI", sent.message_id).outcome == "sent"


async def test_row_that_left_by_another_process_is_not_parked_by_the_slower_one(side, clock) -> None:
    sent, _ = hand_in_entry(side)
    (slow,) = claim(side.rt, by="slow")
    clock.move(seconds=LEASE_SECONDS + 1)
    settle(claim(side.rt, by="quick"), [None], side.rt)
    settle([replace(slow, attempts=len(side.rt.settings.retry_seconds))], [NOBODY], side.rt)
    assert row_of(side, "out", "AT-BMI", sent.message_id).outcome == "sent"
    assert journalled(side.rt.engine, "message.parked") == []


async def test_message_that_arrived_although_its_confirm_was_lost_has_no_double_effect(two_gateways, side, clock) -> None:
    _, east = two_gateways
    sent, _ = hand_in_entry(side)
    rows = claim(side.rt, by="one")
    assert await deliver_once(side.rt, rows) == [None]  # it arrived, but the process dies before it can note that
    clock.move(seconds=LEASE_SECONDS + 1)
    await exchange(side, east)
    assert count(east.rt.engine, "cases", "inbox") == {"cases": 1, "inbox": 1}
    assert row_of(side, "out", "AT-BMI", sent.message_id).outcome == "received"


async def test_receipt_that_overtakes_the_confirm_is_not_undone(two_gateways, side) -> None:
    _, east = two_gateways
    sent, _ = hand_in_entry(side)
    rows = claim(side.rt, by="one")
    answers = await deliver_once(side.rt, rows)
    await exchange(east, side)
    assert row_of(side, "out", "AT-BMI", sent.message_id).outcome == "received"
    settle(rows, answers, side.rt)
    assert row_of(side, "out", "AT-BMI", sent.message_id).outcome == "received"


async def test_oldest_rows_are_claimed_first(side) -> None:
    sent = [hand_in_entry(side)[0].message_id for _ in range(3)]
    assert [row.message_id for row in claim(side.rt, by="test")] == sent


async def test_board_shows_what_is_parked(side, clock) -> None:
    hand_in_entry(side)
    side.rt.transport.failing["RS-MUP"] = TooLarge("more than is carried")
    await side.deliver()
    with reading(side.rt.engine) as tx:
        (state,) = outbox.states(tx)
    assert (state.recipient, state.waiting, state.parked, state.codes) == ("RS-MUP", 0, 1, ("too-large",))


@pytest.mark.parametrize(("attempts", "wait"), [(0, 30), (1, 300), (2, None), (9, None)])
def test_wait_follows_the_steps_then_ends(attempts, wait) -> None:
    assert next_wait(attempts, (30, 300)) == wait


# --- rows handed over in this process ---------------------------------------------------------------------------------


async def test_rows_are_handed_over_once_they_are_committed_while_the_loop_listens(side, clock) -> None:
    side.rt.bell.listen("here")
    sent, _ = hand_in_entry(side)
    (row,) = side.rt.bell.handed(10, clock.now)
    assert (row.message_id, outbox_rows(side)[0].leased_by) == (sent.message_id, "here")
    assert await deliver_once(side.rt, [row]) == [None]
    settle([row], [None], side.rt)
    assert outbox_rows(side) == []


async def test_handed_row_is_not_claimed_by_another_process(side) -> None:
    side.rt.bell.listen("here")
    hand_in_entry(side)
    assert claim(side.rt, by="there") == []


async def test_nothing_is_handed_over_when_the_transaction_fails(side, clock, monkeypatch) -> None:
    side.rt.bell.listen("here")

    def fail(*_arguments: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("gateway.store.journal.append", fail)
    with pytest.raises(RuntimeError):
        hand_in_entry(side)
    assert side.rt.bell.handed(10, clock.now) == []


async def test_nothing_is_handed_over_while_nobody_listens(side, clock) -> None:
    hand_in_entry(side)
    side.rt.bell.listen("here")
    side.rt.bell.leave()
    hand_in_entry(side)
    assert side.rt.bell.handed(10, clock.now) == []
    assert len(claim(side.rt, by="there")) == 2


async def test_handed_row_whose_lease_is_half_over_is_left_to_a_claim(side, clock) -> None:
    side.rt.bell.listen("here")
    hand_in_entry(side)
    clock.move(seconds=LEASE_SECONDS / 2)
    assert side.rt.bell.handed(10, clock.now) == []
    clock.move(seconds=LEASE_SECONDS / 2 + 1)
    assert len(claim(side.rt, by="there")) == 1


async def test_handed_rows_wait_in_the_database_when_the_loop_does_not_keep_up(side, clock, monkeypatch) -> None:
    monkeypatch.setattr("gateway.flow.ports._MOST_HANDED", 1)
    side.rt.bell.listen("here")
    first, _ = hand_in_entry(side)
    second, _ = hand_in_entry(side)
    assert [row.message_id for row in side.rt.bell.handed(10, clock.now)] == [first.message_id]
    assert [row.message_id for row in claim(side.rt, by="there")] == [second.message_id]
