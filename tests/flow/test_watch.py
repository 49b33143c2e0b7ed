"""The clock's walk: silence is recorded once, with its evidence, after the later of two possible ends; it arranges nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from gateway.flow import watch
from gateway.flow.watch import watch_once
from gateway.store import cases, deadlines
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.wire.documents import serialize
from tests.conftest import MovableClock
from tests.forging import (
    TO_ORIGIN,
    answer_to,
    application,
    count,
    find,
    hand_in_entry,
    journalled,
    reply,
    row_of,
    sealed,
    take,
)
from tests.gateways import Gateway, exchange, make_gateway

pytestmark = pytest.mark.anyio

# Ordinary, eu-rs: 10 calendar days. Received on Wednesday 3 June 2026 in Belgrade: literal end Saturday the 13th,
# rolled end Monday the 15th, 24:00 in Belgrade.
RECEIVED = datetime(2026, 6, 3, 8, 0, tzinfo=UTC)
LITERAL_END = datetime(2026, 6, 13, 22, 0, tzinfo=UTC)
ROLLED_END = datetime(2026, 6, 15, 22, 0, tzinfo=UTC)


def ordinary(at):
    document = application(at)
    find(document, "Request/Procedure").text = "ordinary"
    return document


@pytest.fixture
async def asked(two_gateways, clock):
    """An ordinary application of AT-BMI that RS-MUP received on 3 June. Returns (west, east, sent, document)."""
    west, east = two_gateways
    clock.now = RECEIVED
    document = ordinary(clock.now)
    sent = west.hand_in(serialize(document), authority="AT-BMI")
    await exchange(west, east)
    return west, east, sent, document


def due(side: Gateway) -> deadlines.DeadlineRow:
    with reading(side.rt.engine) as tx:
        (row,) = deadlines.of_cases(tx, [case.id for case in cases.all_of(tx)])
    return row


def lapses(side: Gateway) -> list:
    return journalled(side.rt.engine, "deadline.lapsed")


async def test_both_ends_are_known(asked) -> None:
    for side in asked[:2]:
        row = due(side)
        assert (row.due_until, row.rolled_until, row.lapses_at) == (LITERAL_END, ROLLED_END, ROLLED_END)


@pytest.mark.parametrize("before", [LITERAL_END - timedelta(seconds=1), LITERAL_END, ROLLED_END - timedelta(microseconds=1)])
async def test_nothing_lapses_before_the_rolled_end(asked, clock, before) -> None:
    clock.now = before
    for side in asked[:2]:
        assert watch_once(side.rt) == 0
        assert due(side).state == "open"
        assert lapses(side) == []


async def test_lapse_is_recorded_at_the_rolled_end_with_its_evidence(asked, clock) -> None:
    west, _, sent, _ = asked
    clock.now = ROLLED_END
    assert watch_once(west.rt) == 1
    assert (due(west).state, due(west).changed_at) == ("lapsed", ROLLED_END)
    (entry,) = lapses(west)
    assert (entry["authority"], entry["case_id"], entry["actor"]) == ("AT-BMI", sent.case_id, "gateway")
    assert (entry["message_id"], entry["digest"]) == (sent.message_id, sent.digest)
    row = row_of(west, "out", "AT-BMI", sent.message_id)
    detail = entry["detail"]
    assert detail["receipt"] == row.receipt_message_id is not None
    assert detail["received_at"] == RECEIVED.isoformat()
    assert detail["lapses_at"] == ROLLED_END.isoformat()
    assert (detail["limit"], detail["on_lapse"]) == ("reply", "agreed")
    assert detail["treaty_version"]
    assert detail["calendar_version"]


async def test_lapse_is_recorded_once(asked, clock) -> None:
    for side in asked[:2]:
        clock.now = ROLLED_END
        assert watch_once(side.rt) == 1
        clock.move(days=1)
        assert watch_once(side.rt) == 0
        assert len(lapses(side)) == 1


async def test_lapse_sends_nothing_and_decides_nothing(asked, clock) -> None:
    tables = ("messages", "documents", "outbox", "inbox", "cases", "deadlines")
    for side in asked[:2]:
        before = count(side.rt.engine, *tables)
        clock.now = ROLLED_END
        assert watch_once(side.rt) == 1
        assert count(side.rt.engine, *tables) == before
        with reading(side.rt.engine) as tx:
            (case,) = cases.all_of(tx)
        assert case.state == "requested"  # deemed agreement is for a person to rely on


async def test_nothing_lapses_without_proof_of_receipt(asked, clock) -> None:
    west, _, sent, _ = asked
    with transaction(west.rt.engine) as tx:  # a deadline although the receipt is missing: by a defect or by hand
        tx.execute(
            update(t.messages).where(t.messages.c.message_id == sent.message_id).values(receipt_message_id=None, outcome="sent")
        )
    clock.now = ROLLED_END
    assert watch_once(west.rt) == 0
    assert due(west).state == "open"


async def test_nothing_lapses_when_the_other_side_refused_the_application(asked, clock) -> None:
    west, _, sent, _ = asked
    with transaction(west.rt.engine) as tx:
        tx.execute(update(t.messages).where(t.messages.c.message_id == sent.message_id).values(outcome="refused"))
    clock.now = ROLLED_END
    assert watch_once(west.rt) == 0


async def test_application_that_never_arrived_has_no_clock(two_gateways, clock) -> None:
    west, _ = two_gateways
    hand_in_entry(west)
    assert count(west.rt.engine, "deadlines") == {"deadlines": 0}
    clock.move(days=1000)
    assert watch_once(west.rt) == 0


async def test_unknown_limit_never_lapses(two_gateways, clock) -> None:
    west, east = two_gateways
    held = west.hand_in(serialize(application(clock.now, TO_ORIGIN)), authority="BA-MS")
    west.release(held.case_id)
    await exchange(west, east)
    assert not due(west).known
    clock.move(days=5000)
    for side in two_gateways:
        assert watch_once(side.rt) == 0
        assert due(side).state == "open"


async def test_reply_received_in_time_settles_the_clock_as_met(asked, clock) -> None:
    west, east, _, document = asked
    clock.now = ROLLED_END - timedelta(seconds=1)
    east.hand_in(serialize(reply(document, clock.now)), authority="RS-MUP")
    await exchange(west, east)
    clock.move(days=1)
    for side in (west, east):
        assert due(side).state == "met"
        assert watch_once(side.rt) == 0


@pytest.mark.parametrize("recorded", [True, False], ids=["lapse recorded", "nobody looked"])
async def test_late_reply_is_late(asked, clock, recorded) -> None:
    west, east, _, document = asked
    clock.now = ROLLED_END
    if recorded:
        assert [watch_once(side.rt) for side in (west, east)] == [1, 1]
    answered = east.hand_in(serialize(reply(document, clock.now)), authority="RS-MUP")
    await exchange(west, east)
    for side in (west, east):
        assert due(side).state == "late"
        assert watch_once(side.rt) == 0
        assert len(lapses(side)) == int(recorded)  # the record of the lapse stays
    with reading(west.rt.engine) as tx:
        assert cases.by_reference(tx, answered.case_reference, home="AT-BMI")[0].state == "agreed"


async def test_reply_taken_late_but_received_in_time_wins_over_the_lapse(asked, clock) -> None:
    west, east, sent, document = asked
    clock.now = ROLLED_END - timedelta(minutes=1)
    answer = sealed(east.rt, answer_to(document, sent.digest, clock.now), clock.now)
    clock.now = ROLLED_END
    assert watch_once(west.rt) == 1
    clock.now = ROLLED_END - timedelta(minutes=1)  # when the transport handed it over, before the database was back
    take(west.rt, answer)
    assert due(west).state == "met"


async def test_most_pressing_lapses_come_first_and_no_more_than_asked(gateway, clock) -> None:
    clock.now = RECEIVED
    for _ in range(3):
        gateway.hand_in(serialize(ordinary(clock.now)), authority="AT-BMI")
        await exchange(gateway)
        clock.move(days=1)
    clock.now = ROLLED_END + timedelta(days=30)
    assert [watch_once(gateway.rt, most=4), watch_once(gateway.rt, most=4)] == [4, 2]
    days = [entry["detail"]["lapses_at"] for entry in lapses(gateway)]
    assert days == sorted(days)


@pytest.fixture
async def on_postgres(migrated_postgres_url: str, keys, clock: MovableClock):
    """One gateway on PostgreSQL with an application that is overdue on both sides."""
    from gateway.transport.memory import MemoryHub

    clock.now = RECEIVED
    made = await make_gateway(migrated_postgres_url, keys, clock, home=("AT-BMI", "RS-MUP"), hub=MemoryHub(clock)).open()
    document = ordinary(clock.now)
    sent = made.hand_in(serialize(document), authority="AT-BMI")
    await exchange(made)
    clock.now = ROLLED_END
    yield made, sent, document
    made.rt.engine.dispose()


async def test_of_two_watchers_that_look_at_once_one_records_the_lapse(on_postgres, monkeypatch) -> None:
    made, _, _ = on_postgres
    true_look, other = deadlines.open_before, []

    def look(tx, now, *, most):
        found = true_look(tx, now, most=most)
        if not other:  # the second watcher looks and writes after the first has looked
            other.append(None)
            other[0] = watch_once(made.rt)
        return found

    monkeypatch.setattr(watch.deadlines, "open_before", look)
    assert watch_once(made.rt) == 0
    assert other == [2]
    assert len(lapses(made)) == 2  # one for each side of the case


async def test_reply_that_comes_while_the_watcher_looks_leaves_no_lapse(on_postgres, clock, monkeypatch) -> None:
    made, sent, document = on_postgres
    true_look = deadlines.open_before

    def look(tx, now, *, most):
        found = true_look(tx, now, most=most)
        clock.move(minutes=-1)
        take(made.rt, sealed(made.rt, answer_to(document, sent.digest, clock.now), clock.now))
        return [row for row in found if row.case_id == sent.case_id]

    monkeypatch.setattr(watch.deadlines, "open_before", look)
    assert watch_once(made.rt) == 0
    assert lapses(made) == []
    with reading(made.rt.engine) as tx:
        (row,) = deadlines.of_cases(tx, [sent.case_id])
    assert row.state == "met"
