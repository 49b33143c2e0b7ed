"""A RabbitMQ that stops, dies, freezes or is full: what was confirmed is never lost, and nobody spins or hangs."""

import asyncio
import itertools
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import select

from gateway.errors import BrokerUnavailable, QueueRefused
from gateway.store import tables as t
from gateway.store.database import reading
from gateway.transport.broker import BrokerTransport
from gateway.transport.memory import MemoryHub
from gateway.transport.node import PrivateNode
from tests.brokers import SOON, in_thread, parcel, until, until_sent, until_taken
from tests.forging import count, hand_in_entry, journalled
from tests.gateways import make_gateway

pytestmark = pytest.mark.anyio

_numbers = itertools.count()


@pytest.fixture
def home() -> str:
    return f"XA-F{next(_numbers)}"


@pytest.fixture
async def gateway(node: PrivateNode, home: str) -> AsyncIterator[BrokerTransport]:
    transport = BrokerTransport(node.url, steps=(1,), timeout_seconds=3)
    await transport.open([home])
    yield transport
    await transport.close()


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_nothing_that_was_confirmed_is_lost_when_the_broker_goes_down_while_publishing(node, gateway, home, end):
    confirmed: set[str] = set()
    failed: list[BrokerUnavailable] = []
    flowing, down = asyncio.Event(), asyncio.Event()

    async def publish() -> None:
        for first in itertools.count(step=10):
            batch = [parcel(home, number) for number in range(first, first + 10)]
            for sent, answer in zip(batch, await gateway.send(batch), strict=True):
                if answer is None:
                    confirmed.add(sent.message_id)
                else:
                    assert isinstance(answer, BrokerUnavailable)
                    failed.append(answer)
            if len(confirmed) >= 200:
                flowing.set()
            if failed and down.is_set():
                return

    publishing = asyncio.create_task(publish())
    await asyncio.wait_for(flowing.wait(), SOON)
    await in_thread(getattr(node, end))
    down.set()
    await asyncio.wait_for(publishing, SOON)
    await in_thread(node.start)

    taken = await until_taken(gateway, confirmed)

    assert len(confirmed) >= 200
    assert failed
    assert {delivery.message_id for delivery in taken} >= confirmed


async def test_what_was_taken_but_not_settled_comes_back_after_the_broker_was_killed(node, gateway, home):
    await gateway.send([parcel(home, number) for number in range(20)])
    before = await gateway.take(50, SOON)
    assert before
    await in_thread(node.kill)
    await in_thread(node.start)

    await gateway.settle(before)  # its connection is gone
    taken = await until_taken(gateway, {str(number) for number in range(20)})

    assert len(taken) == 20


@pytest.fixture
def nowhere() -> str:
    """An address at which nothing listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return f"amqp://gateway:secret@127.0.0.1:{holder.getsockname()[1]}/gateway"


async def test_without_a_broker_sending_says_so_at_once(nowhere, home):
    began = time.monotonic()
    answers = await BrokerTransport(nowhere).send([parcel(home, 1), parcel(home, 2)])

    assert [answer.code for answer in answers] == ["broker-unavailable"] * 2
    assert time.monotonic() - began < 3


async def test_without_a_broker_taking_pauses_before_it_says_so(nowhere):
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable):
        await BrokerTransport(nowhere).take(50, 0.5)

    assert time.monotonic() - began >= 0.5


async def test_without_a_broker_a_transport_does_not_open(nowhere, home):
    with pytest.raises(BrokerUnavailable):
        await BrokerTransport(nowhere).open([home])


async def test_a_refused_login_does_not_show_the_secret(node, home):
    wrong = node.url.replace("gateway:", "gateway:wrong-secret-", 1)

    with pytest.raises(BrokerUnavailable) as found:
        await BrokerTransport(wrong).open([home])

    assert "secret" not in found.value.message


async def test_a_frozen_broker_does_not_hang_the_sender(node, gateway, home):
    await until_sent(gateway, parcel(home, 0))
    node.pause()
    try:
        began = time.monotonic()
        (answer,) = await gateway.send([parcel(home, 1)])
        waited = time.monotonic() - began
    finally:
        node.resume()
    await until_sent(gateway, parcel(home, 2))

    taken = await until_taken(gateway, {"0", "2"})

    assert isinstance(answer, BrokerUnavailable)
    assert waited < SOON
    assert {delivery.message_id for delivery in taken} >= {"0", "2"}  # "1" may have arrived too: it was in doubt


async def test_a_delivery_that_cannot_be_postponed_comes_back(node, gateway, home):
    await gateway.send([parcel(home, 1)])
    (taken,) = await gateway.take(50, SOON)
    await in_thread(node.kill)

    with pytest.raises(BrokerUnavailable):
        await gateway.postpone(taken, 1, "database-unavailable")

    await in_thread(node.start)
    (again,) = await until_taken(gateway, {"1"})
    assert again.attempts == 0


async def test_a_delivery_whose_delay_queue_was_deleted_comes_back(node, gateway, home):
    await gateway.send([parcel(home, 1)])
    (taken,) = await gateway.take(50, SOON)
    line, _ = await gateway._publishing()
    await line.channel.queue_delete(f"retry.{home}.1s")

    with pytest.raises(BrokerUnavailable):
        await gateway.postpone(taken, 1, "database-unavailable")

    (again,) = await until_taken(gateway, {"1"})
    assert again.message_id == "1"


async def test_a_deleted_queue_ends_the_intake_which_declares_it_again(node, gateway, home):
    assert await gateway.take(50, 0.05) == []
    line, _ = await gateway._publishing()
    await line.channel.queue_delete(f"in.{home}")

    with pytest.raises(BrokerUnavailable):
        await gateway.take(50, SOON)
    assert await gateway.take(50, 0.05) == []
    await until_sent(gateway, parcel(home, 1))

    assert len(await until_taken(gateway, {"1"})) == 1


async def test_a_poisonous_parcel_that_breaks_its_taker_each_time_ends_parked(node, gateway, home, monkeypatch):
    monkeypatch.setattr("gateway.transport.topology._CRASH_LIMIT", 2)
    poisoned = f"{home}P"
    await gateway.open([poisoned])
    await gateway.send([parcel(poisoned, 1)])
    for _ in range(3):
        assert await gateway.take(50, SOON)
        await gateway._drop_intake(gateway._in[1])

    async def parked() -> bool:
        return [state.parked for state in await gateway.states()] == [1]

    await until(parked)
    assert await gateway.take(50, 0.2) == []
    (aside,) = await gateway.take_parked(50)
    assert (aside.message_id, aside.code) == (parcel(poisoned, 1).message_id, None)


# --- a queue without room ---------------------------------------------------------------------------------------------


@contextmanager
def bounded(node: PrivateNode, authority: str) -> Iterator[None]:
    """Let the inbound queue of an authority hold a few parcels, by policy as an operator would."""
    definition = json.dumps({"max-length": 3, "overflow": "reject-publish"})
    node.control("set_policy", "--vhost", "gateway", "--apply-to", "queues", "small", f"^in[.]{authority}$", definition)
    try:
        yield
    finally:
        node.control("clear_policy", "--vhost", "gateway", "small")


@pytest.fixture
def small(node: PrivateNode, home: str) -> Iterator[None]:
    with bounded(node, home):
        yield


async def fill(gateway: BrokerTransport, home: str) -> set[str]:
    """Send one by one until the broker takes no more; return the ids it took."""
    held: set[str] = set()
    async with asyncio.timeout(SOON):
        for number in itertools.count():
            (answer,) = await gateway.send([parcel(home, number)])
            if answer is not None:
                assert isinstance(answer, QueueRefused)
                return held
            held.add(str(number))
    raise AssertionError


async def test_a_full_queue_is_told_apart_from_a_broker_that_is_away(node, gateway, home, small):
    held = await fill(gateway, home)

    (answer,) = await gateway.send([parcel(home, 1000)])

    assert answer.code == "queue-refused"
    assert len(held) >= 3


async def test_a_full_queue_touches_nobody_else_in_the_same_window(node, gateway, home, small):
    other = f"{home}X"
    await gateway.open([home, other])
    await fill(gateway, home)

    answers = await gateway.send([parcel(home if number % 2 else other, number) for number in range(100, 140)])

    assert [type(answer) for answer in answers] == [type(None), QueueRefused] * 20
    taken = await until_taken(gateway, {str(number) for number in range(100, 140, 2)})
    assert {delivery.queue for delivery in taken} >= {other}


async def test_a_full_queue_takes_again_once_there_is_room(node, gateway, home, small):
    held = await fill(gateway, home)
    assert {delivery.message_id for delivery in await until_taken(gateway, held)} == held

    await until_sent(gateway, parcel(home, 2000))

    assert [delivery.message_id for delivery in await until_taken(gateway, {"2000"})] == ["2000"]


async def test_rows_that_found_no_room_wait_in_the_outbox_until_there_is_some(node, sqlite_url, keys, clock):
    receiver = BrokerTransport(node.url, steps=(1,), timeout_seconds=3)
    await receiver.open(["RS-MUP"])
    made = make_gateway(sqlite_url, keys, clock, home=("AT-BMI", "BA-MS"), hub=MemoryHub(clock))
    west = replace(made, rt=replace(made.rt, transport=BrokerTransport(node.url, steps=(1,), timeout_seconds=3)))
    with bounded(node, "RS-MUP"):
        sent: set[str] = set()
        async with asyncio.timeout(SOON):
            while not count(west.rt.engine, "outbox")["outbox"]:  # until one stays
                sent |= {hand_in_entry(west)[0].message_id for _ in range(3)}
                await west.deliver()
        with reading(west.rt.engine) as tx:
            assert set(tx.execute(select(t.outbox.c.code)).scalars()) == {"queue-refused"}
        taken: set[str] = set()
        async with asyncio.timeout(SOON):
            while taken < sent:
                deliveries = await receiver.take(50, 0.2)
                await receiver.settle(deliveries)
                taken |= {one.message_id for one in deliveries}
                clock.move(seconds=west.rt.settings.retry_seconds[0])
                await west.deliver()
    assert count(west.rt.engine, "outbox") == {"outbox": 0}
    assert journalled(west.rt.engine, "message.parked") == []
    await west.rt.transport.close()
    await receiver.close()
    west.rt.engine.dispose()
