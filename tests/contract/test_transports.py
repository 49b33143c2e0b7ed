"""One suite for every transport: what gateway/transport/port.py promises."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aio_pika
import pytest
from sqlalchemy import Engine

from gateway.errors import TooLarge, Undeliverable
from gateway.store.database import open_engine
from gateway.store.queue import DatabaseQueue
from gateway.transport import topology
from gateway.transport.broker import BrokerTransport
from gateway.transport.embedded import EmbeddedTransport
from gateway.transport.memory import MemoryHub, MemoryTransport
from gateway.transport.port import MAX_PARCEL_BYTES, MOST_BULK, Delivery, Parcel, Transport
from tests.conftest import MovableClock

pytestmark = pytest.mark.anyio

LEASE = 60  # seconds
STEP = 1  # seconds; the one delay step on RabbitMQ
SOON = 10.0  # seconds; the bound of every wait
_numbers = itertools.count()


@dataclass(kw_only=True)
class Place:
    """One implementation with its far side, where gateways come and go."""

    make: Callable[[], Transport]
    clock: MovableClock | None = None  # None: real time
    opened: list[Transport] = field(default_factory=list)

    async def gateway(self, *home: str) -> Transport:
        transport = self.make()
        self.opened.append(transport)
        await transport.open(home)
        return transport

    async def crash(self, transport: Transport) -> None:
        """Let a gateway end without a word, and time pass until its far side has noticed."""
        if isinstance(transport, BrokerTransport):
            for line in (transport._in, transport._outlet.made):
                if line is not None:
                    line[0].wire.connection._writer_task.cancel()
                    await asyncio.wait([line[0].wire.closing], timeout=SOON)
        elif self.clock is not None:
            self.opened.remove(transport)
            self.clock.move(seconds=LEASE)
            if isinstance(transport, MemoryTransport):
                await transport.close()  # memory dies with its process; the nearest thing
            elif isinstance(transport, EmbeddedTransport) and transport._thread is not None:
                transport._thread.shutdown()


@pytest.fixture
def authority() -> Callable[[], str]:
    """Make authority codes that no other test uses."""
    return lambda: f"XA-{os.getpid() % 100000}N{next(_numbers)}"


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
    ]
)
async def place(request: pytest.FixtureRequest, clock: MovableClock) -> AsyncIterator[Place]:
    engine: Engine | None = None
    if request.param == "memory":
        hub = MemoryHub(clock)
        found = Place(make=lambda: MemoryTransport(hub), clock=clock)
    elif request.param == "rabbitmq":
        url = request.getfixturevalue("rabbitmq")
        found = Place(make=lambda: BrokerTransport(url, steps=(STEP,)))
    else:
        engine = open_engine(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"))
        queue = DatabaseQueue(engine)
        found = Place(
            make=lambda: EmbeddedTransport(queue, clock=clock, lease_seconds=LEASE, look_seconds=SOON * 3), clock=clock
        )
    yield found
    homes = {home for transport in found.opened for home in getattr(transport, "_home", ())}
    for transport in found.opened:
        await transport.close()
    if engine is not None:
        engine.dispose()
    if request.param == "rabbitmq":
        await _remove(request.getfixturevalue("rabbitmq"), homes)


async def _remove(url: str, homes: set[str]) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for home in homes:
            for queue in topology.queues_of(home, (STEP,)):
                await channel.queue_delete(queue.name)


def parcel(to: str, number: int | str = 0, body: bytes = b"sealed", *, bulk: bool = False) -> Parcel:
    return Parcel(message_id=f"message-{number}", sender="XB-SENDER", recipient=to, body=body, bulk=bulk)


async def take_all(transport: Transport, count: int) -> list[Delivery]:
    """Take until `count` parcels are there."""
    found: list[Delivery] = []
    async with asyncio.timeout(SOON):
        while len(found) < count:
            found += await transport.take(50, SOON)
    return found


async def nothing_waits(transport: Transport) -> bool:
    """Say whether a look with a short wait finds nothing: long enough for what a broker might still push."""
    return await transport.take(50, 0.2) == []


def ids(deliveries: list[Delivery]) -> list[str]:
    return [delivery.message_id for delivery in deliveries]


async def test_parcels_of_one_queue_are_taken_in_the_order_in_which_they_were_sent(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    for first in (0, 40):
        assert await gateway.send([parcel(home, number) for number in range(first, first + 40)]) == [None] * 40

    taken = await take_all(gateway, 80)

    assert ids(taken) == [f"message-{number}" for number in range(80)]


@pytest.mark.parametrize("body", [b"", bytes(range(256)), os.urandom(1_400_000)], ids=["empty", "all bytes", "large"])
async def test_a_parcel_arrives_as_it_was_sent(place, authority, body):
    home = authority()
    gateway = await place.gateway(home)

    await gateway.send([parcel(home, 7, body)])
    (taken,) = await take_all(gateway, 1)

    assert (taken.queue, taken.body, taken.message_id, taken.sender, taken.attempts) == (
        home,
        body,
        "message-7",
        "XB-SENDER",
        0,
    )


async def test_a_confirmed_parcel_outlives_the_gateway_that_sent_it(place, authority):
    home = authority()
    sender = await place.gateway(home)
    assert await sender.send([parcel(home, number) for number in range(3)]) == [None] * 3
    await place.crash(sender)

    receiver = await place.gateway(home)

    assert ids(await take_all(receiver, 3)) == ["message-0", "message-1", "message-2"]


async def test_a_recipient_for_whom_nobody_receives_is_undeliverable(place, authority):
    gateway = await place.gateway(authority())

    (answer,) = await gateway.send([parcel(authority())])

    assert isinstance(answer, Undeliverable)


async def test_a_parcel_that_cannot_go_does_not_touch_the_others_of_its_batch(place, authority):
    home = authority()
    gateway = await place.gateway(home)

    answers = await gateway.send(
        [
            parcel(home, 0),
            parcel(authority(), 1),
            parcel(home, 2, bytes(MAX_PARCEL_BYTES + 1)),
            parcel("nowhere/../at all", 3),
            parcel(home, "with a space"),
            parcel(home, 5),
        ]
    )

    assert [type(answer) for answer in answers] == [
        type(None), Undeliverable, TooLarge, Undeliverable, Undeliverable, type(None),
    ]  # fmt: skip
    assert ids(await take_all(gateway, 2)) == ["message-0", "message-5"]
    assert await nothing_waits(gateway)


async def test_sending_nothing_is_answered_with_nothing(place, authority):
    gateway = await place.gateway(authority())

    assert await gateway.send([]) == []


async def test_the_same_parcel_twice_is_harmless(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    same = parcel(home)

    assert await gateway.send([same, same]) == [None, None]
    assert await gateway.send([same]) == [None]
    taken = await take_all(gateway, 3)
    await gateway.settle(taken[:1])
    await gateway.settle(taken[1:])

    assert await nothing_waits(gateway)
    assert [state.waiting for state in await gateway.states()] == [0]


async def test_the_same_undeliverable_parcel_twice_is_answered_twice(place, authority):
    gateway = await place.gateway(authority())
    same = parcel(authority())

    answers = await gateway.send([same, same])

    assert [type(answer) for answer in answers] == [Undeliverable, Undeliverable]


async def test_an_empty_queue_gives_an_empty_batch_after_the_wait(place, authority):
    gateway = await place.gateway(authority())

    assert await gateway.take(50, 0.05) == []


async def test_a_lone_parcel_wakes_a_waiting_taker_at_once(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    taking = asyncio.create_task(gateway.take(50, SOON * 3))
    assert not (await asyncio.wait([taking], timeout=0.1))[0]

    await gateway.send([parcel(home)])

    async with asyncio.timeout(SOON):  # well below the wait, and below the pause between two looks
        assert ids(await taking) == ["message-0"]


async def test_what_is_waiting_comes_as_a_batch(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, number) for number in range(40)])

    batches = []
    while sum(batches) < 40:
        batches.append(len(await gateway.take(50, SOON)))

    assert len(batches) < 40
    assert 0 not in batches


async def test_a_batch_is_not_larger_than_asked_for(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, number) for number in range(10)])

    batches = []
    while sum(batches) < 10:
        batches.append(len(await gateway.take(3, SOON)))

    assert max(batches) <= 3


async def test_each_home_authority_has_its_own_queue(place, authority):
    first, second = authority(), authority()
    gateway = await place.gateway(first, second)

    await gateway.send([parcel(second, 1), parcel(first, 2), parcel(second, 3)])
    taken = await take_all(gateway, 3)

    assert {(delivery.queue, delivery.message_id) for delivery in taken} == {
        (second, "message-1"), (first, "message-2"), (second, "message-3"),
    }  # fmt: skip


async def test_parcels_of_another_gateways_authority_are_left_alone(place, authority):
    ours, theirs = authority(), authority()
    await place.gateway(ours, theirs)  # someone receives for both
    sender = await place.gateway(ours, theirs)
    await sender.send([parcel(theirs, 1), parcel(ours, 2)])

    gateway = await place.gateway(ours)

    assert ids(await take_all(gateway, 1)) == ["message-2"]
    assert await nothing_waits(gateway)


async def test_what_was_taken_is_not_given_to_a_second_taker(place, authority):
    home = authority()
    first = await place.gateway(home)
    await first.send([parcel(home)])
    await take_all(first, 1)

    second = await place.gateway(home)

    assert await nothing_waits(second)


async def test_what_was_settled_never_comes_back(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, number) for number in range(5)])
    await gateway.settle(await take_all(gateway, 5))
    await place.crash(gateway)

    later = await place.gateway(home)

    assert await nothing_waits(later)
    assert [state.waiting for state in await later.states()] == [0]


async def test_what_was_not_settled_comes_back_after_a_crash(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, number) for number in range(5)])
    await take_all(gateway, 5)
    await place.crash(gateway)

    later = await place.gateway(home)

    assert ids(await take_all(later, 5)) == [f"message-{number}" for number in range(5)]


async def test_what_was_not_settled_comes_back_at_once_after_closing(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, number) for number in range(2)])
    await take_all(gateway, 2)
    await gateway.close()

    later = await place.gateway(home)

    assert ids(await take_all(later, 2)) == ["message-0", "message-1"]


async def test_settling_out_of_order_settles_exactly_those(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, number) for number in range(6)])
    taken = await take_all(gateway, 6)
    await gateway.settle([taken[4], taken[1], taken[0]])
    await gateway.settle([taken[3]])
    await gateway.close()

    later = await place.gateway(home)

    assert ids(await take_all(later, 2)) == ["message-2", "message-5"]
    assert await nothing_waits(later)


async def test_settling_after_the_crash_harms_nobody(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home)])
    taken = await take_all(gateway, 1)
    await place.crash(gateway)
    later = await place.gateway(home)
    again = await take_all(later, 1)

    await later.settle(taken)  # from before the crash: no longer ours
    await later.close()

    last = await place.gateway(home)
    assert ids(await take_all(last, 1)) == ids(again)


async def test_settling_nothing_is_harmless(place, authority):
    gateway = await place.gateway(authority())

    await gateway.settle([])

    assert await nothing_waits(gateway)


async def test_a_postponed_parcel_comes_back_after_its_time_with_one_attempt_more(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, body=b"kept")])
    (taken,) = await take_all(gateway, 1)
    began = time.monotonic()
    await gateway.postpone(taken, STEP, "database-unavailable")

    assert await nothing_waits(gateway)
    if place.clock is not None:
        place.clock.move(seconds=STEP)
    (again,) = await take_all(gateway, 1)

    assert (again.body, again.message_id, again.sender, again.attempts) == (b"kept", "message-0", "XB-SENDER", 1)
    assert place.clock is not None or time.monotonic() - began >= STEP


async def test_attempts_are_counted_over_several_postponements(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home)])
    for attempts in range(3):
        (taken,) = await take_all(gateway, 1)
        assert taken.attempts == attempts
        await gateway.postpone(taken, STEP, "database-unavailable")
        if place.clock is not None:
            place.clock.move(seconds=STEP)

    (last,) = await take_all(gateway, 1)
    await gateway.settle([last])

    assert last.attempts == 3
    assert [state.waiting for state in await gateway.states()] == [0]


async def test_a_postponed_parcel_does_not_hold_up_the_next(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, 0)])
    (taken,) = await take_all(gateway, 1)
    await gateway.postpone(taken, STEP, "database-unavailable")
    await gateway.send([parcel(home, 1)])

    assert ids(await take_all(gateway, 1)) == ["message-1"]


async def test_a_parked_parcel_is_kept_apart_and_never_taken_again(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, 0), parcel(home, 1)])
    taken = await take_all(gateway, 2)
    await gateway.park(taken[0], "cannot-open")
    await gateway.settle(taken[1:])
    await place.crash(gateway)

    later = await place.gateway(home)

    assert await nothing_waits(later)
    assert [(state.waiting, state.parked) for state in await later.states()] == [(0, 1)]


async def test_what_was_set_aside_is_found_with_its_code(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, 0, b"first"), parcel(home, 1)])
    taken = await take_all(gateway, 2)
    await gateway.park(taken[0], "internal-error")
    await gateway.settle(taken[1:])

    (found,) = await gateway.take_parked(50)

    assert (found.queue, found.body, found.message_id, found.sender) == (home, b"first", "message-0", "XB-SENDER")
    assert found.code == "internal-error"


async def test_a_part_that_was_set_aside_is_found_too(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, 0, bulk=True)])
    (taken,) = await take_all(gateway, 1)
    await gateway.park(taken, "internal-error")

    assert [(found.queue, found.message_id) for found in await gateway.take_parked(50)] == [(home, "message-0")]


async def test_nothing_set_aside_is_no_delivery(place, authority):
    gateway = await place.gateway(authority())

    assert await gateway.take_parked(50) == []


async def test_what_was_set_aside_is_forgotten_once_it_is_settled(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home, number) for number in range(3)])
    for taken in await take_all(gateway, 3):
        await gateway.park(taken, "internal-error")

    first = await gateway.take_parked(2)
    await gateway.settle(first)
    rest = await gateway.take_parked(2)
    await gateway.settle(rest)

    assert (ids(first), ids(rest)) == (["message-0", "message-1"], ["message-2"])
    assert await gateway.take_parked(2) == []
    assert [state.parked for state in await gateway.states()] == [0]


async def test_what_was_set_aside_stays_so_until_it_is_settled(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home)])
    (taken,) = await take_all(gateway, 1)
    await gateway.park(taken, "internal-error")
    assert ids(await gateway.take_parked(50)) == ["message-0"]
    await place.crash(gateway)

    later = await place.gateway(home)

    assert await nothing_waits(later)
    assert ids(await later.take_parked(50)) == ["message-0"]
    assert ids(await later.take_parked(50)) == ["message-0"]


async def test_what_another_authority_has_set_aside_is_not_shown(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home)])
    (taken,) = await take_all(gateway, 1)
    await gateway.park(taken, "internal-error")

    other = await place.gateway(authority())

    assert await other.take_parked(50) == []


async def test_the_state_of_a_queue_counts_waiting_taken_and_parked_parcels(place, authority):
    home, empty = authority(), authority()
    gateway = await place.gateway(home, empty)
    sent_at = place.clock.now if place.clock is not None else None
    await gateway.send([parcel(home, number) for number in range(4)])
    first, second, *_ = await take_all(gateway, 4)
    if place.clock is not None:
        place.clock.move(seconds=5)
    await gateway.park(first, "cannot-open")
    await gateway.postpone(second, STEP * 100, "database-unavailable")

    states = {state.name: state for state in await gateway.states()}

    assert list(states) == sorted([home, empty])
    assert (states[home].waiting, states[home].parked, states[home].oldest) == (3, 1, sent_at)
    assert (states[empty].waiting, states[empty].parked, states[empty].oldest) == (0, 0, None)
    assert states[home].consumers == (1 if place.clock is None else None)


async def test_opening_again_is_harmless(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    await gateway.send([parcel(home)])

    await gateway.open([home])

    assert ids(await take_all(gateway, 1)) == ["message-0"]


async def test_closing_twice_is_harmless(place, authority):
    gateway = await place.gateway(authority())
    await gateway.take(1, 0)

    await gateway.close()
    await gateway.close()


async def test_a_cancelled_take_loses_nothing(place, authority):
    home = authority()
    gateway = await place.gateway(home)
    taking = asyncio.create_task(gateway.take(50, SOON))
    await asyncio.wait([taking], timeout=0.05)
    taking.cancel()
    await asyncio.wait([taking])

    await gateway.send([parcel(home)])

    assert ids(await take_all(gateway, 1)) == ["message-0"]


async def test_sending_and_taking_side_by_side_loses_nothing(place, authority):
    home = authority()
    gateway = await place.gateway(home)

    async def send(first: int) -> None:
        for number in range(first, first + 50, 10):
            assert await gateway.send([parcel(home, n) for n in range(number, number + 10)]) == [None] * 10

    sending = asyncio.gather(send(0), send(50))
    taken = await take_all(gateway, 100)
    await sending
    await gateway.settle(taken)

    assert sorted(ids(taken)) == sorted(f"message-{number}" for number in range(100))
    assert [state.waiting for state in await gateway.states()] == [0]


async def test_parts_of_attachments_come_a_few_at_a_time(place, authority):
    to = authority()
    gateway = await place.gateway(to)
    count = 3 * MOST_BULK
    assert await gateway.send([parcel(to, number, bulk=True) for number in range(count)]) == [None] * count
    taken: list[Delivery] = []
    async with asyncio.timeout(SOON):
        while len(taken) < count:
            batch = await gateway.take(50, SOON)
            assert len(batch) <= MOST_BULK
            assert {one.queue for one in batch} <= {to}
            await gateway.settle(batch)
            taken += batch
    assert sorted(ids(taken)) == sorted(f"message-{number}" for number in range(count))
    assert await nothing_waits(gateway)


async def test_messages_do_not_wait_behind_parts_of_attachments(place, authority):
    to = authority()
    gateway = await place.gateway(to)
    await gateway.send([parcel(to, f"part-{number}", bulk=True) for number in range(5 * MOST_BULK)])
    await gateway.send([parcel(to, "letter")])
    seen: list[str] = []
    async with asyncio.timeout(SOON):
        while "message-letter" not in seen:  # nothing is settled: what was taken stands in the way of no message
            seen += ids(await gateway.take(50, SOON))
    assert len(seen) < 5 * MOST_BULK


async def test_part_that_is_postponed_comes_back(place, authority):
    to = authority()
    gateway = await place.gateway(to)
    await gateway.send([parcel(to, bulk=True)])
    (taken,) = await take_all(gateway, 1)
    await gateway.postpone(taken, STEP, "database-unavailable")
    if place.clock is not None:
        place.clock.move(seconds=STEP)
    (again,) = await take_all(gateway, 1)
    assert (again.queue, again.attempts) == (to, 1)


async def test_state_of_a_queue_counts_parts_too(place, authority):
    to = authority()
    gateway = await place.gateway(to)
    await gateway.send([parcel(to, 1, bulk=True), parcel(to, 2)])
    (state,) = await gateway.states()
    assert (state.name, state.waiting, state.parked) == (to, 2, 0)
