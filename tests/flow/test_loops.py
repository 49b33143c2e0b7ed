"""The loops run the walks by themselves: over each broker, through defects and outages, until they are told to stop."""

import asyncio
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.errors import DatabaseUnavailable
from gateway.flow import inbound, loops, record
from gateway.flow.draft import Sent
from gateway.flow.loops import LOOPS, run
from gateway.flow.ports import Bell, Runtime
from gateway.store import cases, deadlines, parked
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.store.glance import Glance
from gateway.transport.memory import MemoryHub
from gateway.wire.documents import serialize
from gateway.wire.reading import header_of
from gateway.wiring import transport
from tests.forging import TO_ORIGIN, application, count, hand_in_entry, journalled, reply, row_of
from tests.gateways import AUTHORITIES, Gateway, make_gateway
from tests.statements import before_each_statement

pytestmark = pytest.mark.anyio

SOON = 30.0  # seconds; the bound of every wait


USUAL_SECONDS = 0.005  # Python's own switch interval


async def until(condition: Callable[[], bool]) -> None:
    """Look again until it is so, within a bound: loops in other threads change it."""
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110 - nobody could tell: the loops know nothing of this test
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*runtimes: Runtime, names: Sequence[str] = tuple(LOOPS)) -> AsyncIterator[asyncio.Event]:
    """Run loops of gateways; at the end they are told to stop, and must."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for rt in runtimes:
            group.create_task(run(names, rt, stop))
        try:
            yield stop
        finally:
            stop.set()


def over(side: Gateway, broker: str, **settings: object) -> Gateway:
    """Return the gateway with the transport that its settings would name."""
    changed = replace(side.rt.settings, broker=broker, **settings)  # type: ignore[arg-type]
    return replace(side, rt=replace(side.rt, settings=changed, transport=transport(changed, side.rt.engine, side.rt.clock)))


def state_of(side: Gateway, home: str, reference: str) -> str | None:
    with reading(side.rt.engine) as tx:
        found = cases.by_reference(tx, reference, home=home)
    return str(found[0].state) if found else None


def at_rest(side: Gateway) -> bool:
    return count(side.rt.engine, "outbox", "queue") == {"outbox": 0, "queue": 0}


def queued(side: Gateway, authority: str) -> list:
    return side.hub.queues[authority]


@pytest.fixture
async def waiting(two_gateways) -> tuple[Gateway, list[str]]:
    """The east, with three messages for RS-MUP that its loops will find as one batch; and their ids."""
    west, east = two_gateways
    ids = [hand_in_entry(west)[0].message_id for _ in range(3)]
    await west.deliver()
    return east, ids


# --- the whole job ----------------------------------------------------------------------------------------------------


async def whole_job(asking: Gateway, asked: Gateway, clock) -> None:
    """An application that a statement releases, its receipt, its answer and that one's receipt, with nobody at the wheel."""
    document = application(clock.now, TO_ORIGIN)
    reference = header_of(document)["CaseReference"]
    held = await asyncio.to_thread(asking.hand_in, serialize(document), authority="BA-MS")
    sent = await asyncio.to_thread(asking.release, held.case_id)
    assert isinstance(sent, Sent)
    await until(lambda: state_of(asked, "PK-MOI", reference) == "requested")
    await until(lambda: row_of(asking, "out", "BA-MS", sent.message_id).outcome == "received")
    answered = await asyncio.to_thread(asked.hand_in, serialize(reply(document, clock.now)), authority="PK-MOI")
    assert isinstance(answered, Sent)
    await until(lambda: state_of(asking, "BA-MS", reference) == "agreed")
    await until(lambda: row_of(asked, "out", "PK-MOI", answered.message_id).outcome == "received")
    await until(lambda: at_rest(asking) and at_rest(asked))
    for side in (asking, asked):
        assert journalled(side.rt.engine, "message.refused") == []


async def test_loops_do_the_whole_job_over_the_embedded_queue(gateway, clock) -> None:
    side = over(gateway, "embedded")
    async with running(side.rt):
        await whole_job(side, side, clock)
    assert count(side.rt.engine, "cases", "inbox") == {"cases": 2, "inbox": 2}


async def test_loops_do_the_whole_job_over_the_embedded_queue_on_postgresql(migrated_postgres_url, keys, clock) -> None:
    side = over(make_gateway(migrated_postgres_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock)), "embedded")
    async with running(side.rt):
        await whole_job(side, side, clock)
    side.rt.engine.dispose()


async def test_two_gateways_do_the_whole_job_over_rabbitmq(rabbitmq, sqlite_url, migrated_postgres_url, keys, clock) -> None:
    hub = MemoryHub(clock)
    west = over(make_gateway(sqlite_url, keys, clock, home=("BA-MS", "AT-BMI"), hub=hub), rabbitmq)
    east = over(make_gateway(migrated_postgres_url, keys, clock, home=("PK-MOI", "RS-MUP"), hub=hub), rabbitmq)
    async with running(west.rt, east.rt):
        await whole_job(west, east, clock)
        sent = [(await asyncio.to_thread(hand_in_entry, west))[0] for _ in range(5)]
        await until(lambda: all(row_of(west, "out", "AT-BMI", one.message_id).outcome == "received" for one in sent))
    assert count(east.rt.engine, "cases", "inbox") == {"cases": 6, "inbox": 6}
    starts = []
    for side in (west, east):
        with reading(side.rt.engine) as tx:
            (case,) = cases.by_reference(tx, sent[0].case_reference)
            starts += [row.started_at for row in deadlines.of_cases(tx, [case.id])]
        side.rt.engine.dispose()
    assert starts == [clock.now, clock.now]


async def test_two_processes_on_one_database_take_each_message_once(gateway, clock) -> None:
    one = over(gateway, "embedded")
    two = replace(one, rt=replace(over(gateway, "embedded").rt, bell=Bell()))
    async with running(one.rt, two.rt):
        sent = [(await asyncio.to_thread(hand_in_entry, one))[0] for _ in range(6)]
        await until(lambda: all(row_of(one, "out", "AT-BMI", each.message_id).outcome == "received" for each in sent))
        await until(lambda: at_rest(one))
    assert count(one.rt.engine, "cases", "inbox", "deadlines") == {"cases": 12, "inbox": 6, "deadlines": 12}


async def test_loops_record_a_lapse(gateway, clock) -> None:
    side = over(gateway, "embedded", watch_seconds=1)
    async with running(side.rt):
        sent, _ = await asyncio.to_thread(hand_in_entry, side)
        await until(lambda: row_of(side, "out", "AT-BMI", sent.message_id).outcome == "received")
        soon = clock.now + timedelta(seconds=30)  # a clock that leaps by days would raise an alarm, and change nothing
        with transaction(side.rt.engine) as tx:
            for row in deadlines.still_open(tx, after=0, most=9):
                marks = {"marks": [["lapse", soon.isoformat()]]}
                deadlines.rewrite(tx, replace(row, inputs=row.inputs | marks, lapses_at=soon, look_at=soon))
        clock.now = soon
        await until(lambda: len(journalled(side.rt.engine, "deadline.lapsed")) == 2)


# --- defects ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["before the transaction", "inside the transaction"])
async def test_defect_in_one_message_parks_that_message_while_the_others_go_on(waiting, monkeypatch, place) -> None:
    east, ids = waiting
    secret = "KANARINAC"

    if place == "before the transaction":
        true_read = inbound.read

        def read(checked):
            if header_of(checked.document)["MessageId"] == ids[1]:
                raise ValueError(secret)
            return true_read(checked)

        monkeypatch.setattr(inbound, "read", read)
    else:
        true_row = record._message_row

        def message_row(item, *rest):
            if item.message.header.message_id == ids[1]:
                raise ValueError(secret)
            return true_row(item, *rest)

        monkeypatch.setattr(record, "_message_row", message_row)

    with capture_logs() as logs:
        async with running(east.rt, names=["consume"]):
            await until(lambda: count(east.rt.engine, "cases", "parked") == {"cases": 2, "parked": 1})
            await until(lambda: queued(east, "RS-MUP") == [])  # first it is kept, then the transport forgets it
    with reading(east.rt.engine) as tx:
        (kept,) = parked.every(tx, ["RS-MUP"])
    assert (kept.message_id, kept.code, kept.rule) == (ids[1], "internal-error", "ValueError")
    (entry,) = journalled(east.rt.engine, "message.parked")
    assert (entry["authority"], entry["detail"]["code"]) == ("RS-MUP", "internal-error")
    assert [line["error_type"] for line in logs if line["event"] == "message.parked"] == ["ValueError"]
    assert secret not in repr(logs)


async def test_loop_that_dies_ends_the_process_with_the_transport_closed(two_gateways, monkeypatch) -> None:
    _, east = two_gateways

    def broken(_rt) -> int:
        raise ValueError("a defect")

    monkeypatch.setattr(loops, "watch_once", broken)
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.timeout(SOON):
            await run(list(LOOPS), east.rt, asyncio.Event())
    assert caught.group_contains(ValueError)
    assert await east.rt.transport.states() == []  # nobody is home there any more


@pytest.mark.parametrize(("broker", "shorter"), [("embedded", True), ("memory", False)])
async def test_threads_change_over_sooner_where_all_steps_share_a_process(two_gateways, broker, shorter) -> None:
    _, east = two_gateways
    side = over(east, "embedded") if broker == "embedded" else east
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(USUAL_SECONDS)
        async with running(side.rt, names=["deliver"]):
            await until(lambda: side.rt.bell.lease(side.rt.clock()) is not None)  # the loop is there
            assert (sys.getswitchinterval() < USUAL_SECONDS) == shorter
    finally:
        sys.setswitchinterval(before)


# --- outages ----------------------------------------------------------------------------------------------------------


async def test_database_that_is_away_postpones_what_came_and_takes_it_later(waiting, clock, monkeypatch) -> None:
    east, _ = waiting
    monkeypatch.setattr(loops, "OUTSIDE_PAUSE_SECONDS", 0.01)
    away = True

    def refuse(statement, _values) -> None:
        if away and statement.startswith("INSERT INTO journal"):
            raise sqlite3.OperationalError("disk full")

    with before_each_statement(east.rt.engine, refuse):
        async with running(east.rt, names=["consume"]):
            await until(lambda: [item.attempts for item in queued(east, "RS-MUP")] == [1, 1, 1])
            assert count(east.rt.engine, "cases", "messages") == {"cases": 0, "messages": 0}
            away = False
            clock.move(seconds=east.rt.settings.retry_seconds[0] - 1)
            assert [item.attempts for item in queued(east, "RS-MUP")] == [1, 1, 1]  # not before its time
            clock.move(seconds=1)
            await until(lambda: queued(east, "RS-MUP") == [])
    assert count(east.rt.engine, "cases", "inbox") == {"cases": 3, "inbox": 3}


async def test_outage_in_the_middle_of_a_batch_leaves_no_message_behind(waiting, monkeypatch) -> None:
    east, ids = waiting
    monkeypatch.setattr(loops, "OUTSIDE_PAUSE_SECONDS", 0.01)
    true_receive, singles = loops.receive, []

    def receive(batch, rt):
        if len(batch) > 1:
            raise ValueError("a defect in one of them")
        singles.append(batch)
        if len(singles) == 2:
            raise DatabaseUnavailable("it went away")
        return true_receive(batch, rt)

    monkeypatch.setattr(loops, "receive", receive)
    async with running(east.rt, names=["consume"]):
        await until(lambda: [item.attempts for item in queued(east, "RS-MUP")] == [1, 1])
    assert [item.parcel.message_id for item in queued(east, "RS-MUP")] == ids[1:]
    assert [item.taken_by for item in queued(east, "RS-MUP")] == [None, None]
    assert len(singles) == 2  # the third was not tried while the database was away


@pytest.mark.parametrize(("name", "step"), [("deliver", "claim"), ("deliver", "settle"), ("watch", "watch_once")])
async def test_loop_goes_on_after_the_database_was_away(two_gateways, monkeypatch, name, step) -> None:
    west, _ = two_gateways
    side = replace(west, rt=replace(west.rt, settings=replace(west.rt.settings, watch_seconds=1)))
    hand_in_entry(side)
    monkeypatch.setattr(loops, "OUTSIDE_PAUSE_SECONDS", 0.01)
    true_step, calls = getattr(loops, step), []

    def away_at_first(*args, **named):
        calls.append(1)
        if len(calls) == 1:
            raise DatabaseUnavailable("away")
        return true_step(*args, **named)

    monkeypatch.setattr(loops, step, away_at_first)
    with capture_logs() as logs:
        async with running(side.rt, names=[name]):
            if step == "settle":  # it was sent, but that is not noted: the lease keeps it until then
                await until(lambda: len(queued(side, "RS-MUP")) == 1)
                side.rt.clock.move(seconds=120)
            await until(lambda: len(calls) >= 2)
            if name == "deliver":
                await until(lambda: count(side.rt.engine, "outbox") == {"outbox": 0})
    told = {"event": f"{name}.waiting", "code": "database-unavailable"}
    assert any(told.items() <= line.items() for line in logs)


# --- rhythm -----------------------------------------------------------------------------------------------------------


async def test_what_is_handed_in_leaves_at_once_without_waiting_for_the_next_look(two_gateways, monkeypatch) -> None:
    west, _ = two_gateways
    monkeypatch.setattr(loops, "POLL_SECONDS", 3600.0)
    monkeypatch.setattr(loops, "LONGEST_SECONDS", 3600.0)
    async with running(west.rt, names=["deliver"]) as stop:
        await until(lambda: west.rt.bell._event is not None)  # it waits for the bell
        await asyncio.to_thread(hand_in_entry, west)
        await until(lambda: len(queued(west, "RS-MUP")) == 1)
        stop.set()
        west.rt.bell.ring()


async def test_what_another_process_wrote_into_the_outbox_is_found_though_no_bell_rings(two_gateways, monkeypatch) -> None:
    west, _ = two_gateways
    monkeypatch.setattr(loops, "LONGEST_SECONDS", 3600.0)  # nothing is found by time alone
    monkeypatch.setattr(west.rt.bell, "lease", lambda _now: None)
    monkeypatch.setattr(west.rt.bell, "hand", lambda _rows, _at: None)
    async with running(west.rt, names=["deliver"]):
        await until(lambda: west.rt.bell._event is not None)  # it has looked and waits
        await asyncio.to_thread(hand_in_entry, west)
        await until(lambda: len(queued(west, "RS-MUP")) == 1)


async def test_outbox_in_which_nobody_wrote_is_not_looked_into_until_its_time(two_gateways, monkeypatch) -> None:
    west, _ = two_gateways
    looks, glances = [], []
    true_claim, true_changed = loops.claim, Glance.changed
    monkeypatch.setattr(loops, "LONGEST_SECONDS", 3600.0)
    monkeypatch.setattr(loops, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(loops, "claim", lambda rt, *, by: looks.append(by) or true_claim(rt, by=by))
    monkeypatch.setattr(Glance, "changed", lambda self: glances.append(self) or true_changed(self))
    async with running(west.rt, names=["deliver"]):
        await until(lambda: len(glances) >= 3)  # the first of them says yes
        before = len(looks)
        await until(lambda: len(glances) >= 20)
        assert len(looks) == before


async def test_stop_ends_after_the_batch_in_hand(two_gateways, monkeypatch) -> None:
    west, east = two_gateways
    first, _ = hand_in_entry(west)
    await west.deliver()
    entered, go_on = threading.Event(), threading.Event()
    true_receive = loops.receive

    def receive(batch, rt):
        entered.set()
        assert go_on.wait(SOON)
        return true_receive(batch, rt)

    monkeypatch.setattr(loops, "receive", receive)
    stop = asyncio.Event()
    task = asyncio.create_task(run(["consume"], east.rt, stop))
    await until(entered.is_set)
    second, _ = hand_in_entry(west)
    await west.deliver()
    stop.set()
    assert not task.done()
    go_on.set()
    await asyncio.wait_for(task, SOON)

    assert row_of(east, "in", "AT-BMI", first.message_id).outcome == "accepted"
    (left,) = queued(east, "RS-MUP")
    assert (left.parcel.message_id, left.taken_by) == (second.message_id, None)


async def test_idle_loops_stop_when_they_are_told(gateway) -> None:
    side = over(gateway, "embedded")
    async with asyncio.timeout(SOON):
        async with running(side.rt):
            await until(lambda: side.rt.bell._event is not None)
    with reading(side.rt.engine) as tx:
        assert tx.execute(select(t.journal)).all() == []
