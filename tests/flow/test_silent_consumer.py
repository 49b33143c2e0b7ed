"""A consumer that is gone without a word is noticed within a bound, told, and made anew; nothing is lost by it."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from gateway.errors import BrokerUnavailable
from gateway.transport.broker import BrokerTransport
from gateway.transport.intake import Pace
from gateway.transport.node import PrivateNode
from tests.brokers import SOON, in_thread, parcel, until_sent, until_taken

pytestmark = pytest.mark.anyio

LOOK = 0.3  # seconds between two looks
_numbers = itertools.count()


@pytest.fixture
def home() -> str:
    return f"XA-W{next(_numbers)}"


@pytest.fixture
async def gateway(node: PrivateNode, home: str) -> AsyncIterator[BrokerTransport]:
    """A gateway that has begun to take."""
    transport = BrokerTransport(node.url, steps=(1,), timeout_seconds=2, pace=Pace(look_seconds=LOOK))
    await transport.open([home])
    assert await transport.take(1, 0) == []
    yield transport
    await transport.close()


async def silence(gateway: BrokerTransport) -> None:
    """Take the consumers away at the broker, in a way of which our side is told nothing."""
    line, _ = await gateway._receiving()
    for tag in list(line.wire.consumers):
        await line.wire.basic_cancel(tag)
    assert gateway._in[1].usable  # as far as it knows


async def until_renewed(gateway: BrokerTransport, wait: float = 0.5) -> list[tuple[str, str]]:
    """Take, with nothing to be had, until the consumers are made anew; return what was logged of it."""
    before = gateway._in[1]
    with capture_logs() as logged:
        async with asyncio.timeout(SOON):
            while gateway._in is not None and gateway._in[1] is before:
                assert await gateway.take(50, wait) == []
    return [(one["event"], one.get("reason", "")) for one in logged]


async def test_consumers_that_the_broker_does_not_have_are_noticed_and_made_anew(gateway, home):
    await silence(gateway)

    assert await until_renewed(gateway) == [("consumer.lost", "not-served")]

    await until_sent(gateway, parcel(home, 1))
    assert len(await until_taken(gateway, {"1"})) == 1


async def test_a_lost_consumer_is_noticed_while_another_process_takes_from_the_queue(gateway, node, home):
    other = BrokerTransport(node.url, steps=(1,), batch=1, timeout_seconds=2)
    await other.open([home])
    assert await other.take(1, 0) == []
    await silence(gateway)
    await gateway.send([parcel(home, number) for number in range(20)])  # the other fetches four ahead, and settles none

    taken = await until_taken(gateway, {str(number) for number in range(4, 20)})
    assert len(taken) == 16
    await other.close()
    assert len(await until_taken(gateway, {"0", "1", "2", "3"})) == 4


async def test_one_long_wait_notices_too(gateway, home):
    await silence(gateway)
    taking = asyncio.create_task(gateway.take(50, 2 * SOON))
    await gateway.send([parcel(home, 1)])

    async with asyncio.timeout(SOON):
        assert len(await taking) == 1


async def test_consumers_that_are_there_stay_through_many_looks(gateway, home):
    before = gateway._in[1]
    for _ in range(5):
        assert await gateway.take(50, LOOK) == []

    assert gateway._in[1] is before
    await gateway.send([parcel(home, 1)])
    assert len(await until_taken(gateway, {"1"})) == 1


async def test_a_queue_that_was_deleted_and_made_anew_from_outside_is_taken_from_again(gateway, node, home):
    """RabbitMQ 3.10 goes on to count the old consumer, lets it have the parcels of the new queue, and sends none."""
    gateway._in[1]._pace = Pace(look_seconds=LOOK, renew_seconds=1)
    line, _ = await gateway._publishing()
    await line.channel.queue_delete(f"in.{home}")
    outside = BrokerTransport(node.url, steps=(1,))
    await outside.open([home])
    await until_sent(outside, parcel(home, 1))
    await outside.close()

    assert len(await until_taken(gateway, {"1"})) == 1


async def test_a_queue_that_is_quiet_for_long_is_consumed_anew_without_alarm(gateway, home):
    gateway._in[1]._pace = Pace(look_seconds=LOOK, renew_seconds=1)

    assert await until_renewed(gateway) == [("consumer.renewed", "")]

    await until_sent(gateway, parcel(home, 1))
    assert len(await until_taken(gateway, {"1"})) == 1


async def test_connections_that_an_operator_closed_are_made_anew(gateway, node, home):
    await gateway.send([parcel(home, 1)])
    await in_thread(lambda: node.control("close_all_connections", "--global", "maintenance"))

    async with asyncio.timeout(SOON):
        while not gateway.cut_off:  # noqa: ASYNC110 - the broker tells the library, which tells nobody
            await asyncio.sleep(0.01)

    await until_sent(gateway, parcel(home, 2))
    assert {one.message_id for one in await until_taken(gateway, {"1", "2"})} == {"1", "2"}
    assert not gateway.cut_off


async def test_a_broker_that_froze_is_noticed_by_the_taker_before_the_heartbeat(gateway, node, home):
    await gateway.send([parcel(home, 1)])
    assert len(await until_taken(gateway, {"1"})) == 1
    node.pause()
    try:
        with capture_logs() as logged, pytest.raises(BrokerUnavailable):
            await gateway.take(50, SOON)
        assert gateway.cut_off
    finally:
        node.resume()

    assert [(one["event"], one["reason"]) for one in logged] == [("consumer.lost", "look-failed")]
    await until_sent(gateway, parcel(home, 2))
    assert len(await until_taken(gateway, {"2"})) == 1


async def test_a_process_that_only_sends_is_not_cut_off(node, home):
    sender = BrokerTransport(node.url, steps=(1,))
    await sender.open([home])

    assert not sender.cut_off
    await sender.close()
