"""Acknowledging: as many as possible with one frame, and never one too many."""

import asyncio
import itertools
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands
from pamqp.header import ContentHeader

from gateway.errors import BrokerUnavailable
from gateway.transport.intake import Doubt, Intake, Pace

pytestmark = pytest.mark.anyio


class Channel:
    """What the intake uses of aiormq's channel; keeps what is acknowledged."""

    is_closed = False

    def __init__(self) -> None:
        self.closing = asyncio.get_running_loop().create_future()
        self.on_consumer_cancel_callbacks = set()
        self.acks = []
        self.callbacks = {}
        self.counts = {}  # queue -> parcels that lie there, consumers; not named: none lies there, one consumer
        self.looks = []

    async def queue_declare(self, queue, *, passive, timeout):  # noqa: ASYNC109 - as the library has it
        assert passive
        self.looks.append(queue)
        parcels, consumers = self.counts.get(queue, (0, 1))
        return SimpleNamespace(message_count=parcels, consumer_count=consumers)

    async def basic_qos(self, *, prefetch_count, timeout):  # noqa: ASYNC109 - as the library has it
        self.prefetch = prefetch_count

    async def basic_consume(self, queue, callback, *, timeout):  # noqa: ASYNC109 - as the library has it
        self.callbacks[queue] = callback

    async def basic_ack(self, tag, multiple=False):
        self.acks.append((tag, multiple))

    async def bring(self, tag, queue="in.XA-ONE", **properties):
        header = ContentHeader(properties=commands.Basic.Properties(**properties))
        delivery = commands.Basic.Deliver(consumer_tag="c", delivery_tag=tag, exchange="", routing_key=queue)
        await self.callbacks[queue](SimpleNamespace(delivery=delivery, header=header, body=b"sealed"))


async def intake_with(count: int, look_seconds: float = 30, renew_seconds: float = 300) -> tuple[Channel, Intake]:
    channel = Channel()
    intake = Intake(channel, Pace(look_seconds=look_seconds, renew_seconds=renew_seconds))
    await intake.start(["XA-ONE"], prefetch=200, timeout=1)
    for tag in range(1, count + 1):
        await channel.bring(tag)
    return channel, intake


async def test_a_whole_batch_is_one_acknowledgement():
    channel, intake = await intake_with(5)

    await intake.acknowledge([1, 2, 3, 4, 5])

    assert channel.acks == [(5, True)]


async def test_what_lies_behind_an_unsettled_parcel_is_acknowledged_alone():
    channel, intake = await intake_with(6)

    await intake.acknowledge([1, 2, 4, 6])
    await intake.acknowledge([3])
    await intake.acknowledge([5])

    assert channel.acks == [(2, True), (4, False), (6, False), (3, False), (5, False)]


async def test_a_parcel_is_acknowledged_once():
    channel, intake = await intake_with(2)

    await intake.acknowledge([1, 1])
    await intake.acknowledge([1, 7])

    assert channel.acks == [(1, False)]


@given(st.permutations(range(1, 9)), st.lists(st.integers(1, 8), max_size=3))
def test_exactly_what_was_settled_is_acknowledged_whatever_the_order(order, cuts):
    async def check() -> None:
        channel, intake = await intake_with(8)
        unsettled = set(range(1, 9))
        bounds = sorted({0, *cuts, 8})
        for first, last in itertools.pairwise(bounds):
            part = order[first:last]
            channel.acks.clear()
            await intake.acknowledge(part)
            gone: set[int] = set()
            for tag, multiple in channel.acks:
                gone |= {other for other in unsettled - gone if other <= tag} if multiple else {tag}
            assert gone == set(part)
            unsettled -= gone

    asyncio.run(check())


async def test_odd_headers_and_missing_properties_are_not_trusted():
    channel, intake = await intake_with(0)
    await channel.bring(1)
    await channel.bring(2, headers={"x-attempts": "many"})
    await channel.bring(3, headers={"x-attempts": -4})
    await channel.bring(4, headers={"x-attempts": 2}, message_id="m", app_id="XB-TWO")

    taken = await intake.take(10, 1)

    assert [delivery.attempts for delivery in taken] == [0, 0, 0, 2]
    assert [(delivery.message_id, delivery.sender) for delivery in taken] == [("", "")] * 3 + [("m", "XB-TWO")]


async def test_fetched_and_unsettled_parcels_are_counted_by_authority():
    channel, intake = await intake_with(3)
    await intake.acknowledge([1])

    assert (intake.unsettled("XA-ONE"), intake.unsettled("XA-TWO")) == (2, 0)
    channel.is_closed = True
    assert intake.unsettled("XA-ONE") == 0


async def test_a_lost_channel_wakes_the_taker():
    channel, intake = await intake_with(0)
    taking = asyncio.create_task(intake.take(10, 30))
    await asyncio.wait([taking], timeout=0.01)

    channel.closing.set_result(None)

    with pytest.raises(BrokerUnavailable):
        await asyncio.wait_for(taking, 5)


async def test_what_a_lost_channel_brought_is_not_given_out():
    channel, intake = await intake_with(3)
    channel.is_closed = True

    with pytest.raises(BrokerUnavailable):
        await intake.take(10, 0)


async def test_a_consumer_that_the_broker_ends_ends_the_intake():
    channel, intake = await intake_with(0)

    for tell in channel.on_consumer_cancel_callbacks:
        tell("cancelled")

    assert not intake.usable


# --- consumers that the broker lost ------------------------------------------------------------------------------------


async def test_nobody_looks_before_it_is_time():
    channel, intake = await intake_with(0)

    assert await intake.look(1) is None
    assert channel.looks == []


async def test_a_queue_that_brings_something_is_not_looked_at():
    channel, intake = await intake_with(1, look_seconds=0)

    assert await intake.look(1) is None
    assert channel.looks == ["parts.XA-ONE"]


async def test_a_queue_without_any_consumer_has_lost_ours():
    channel, intake = await intake_with(0, look_seconds=0)
    channel.counts["in.XA-ONE"] = 0, 0

    assert await intake.look(1) == Doubt(queue="in.XA-ONE", reason="not-served")


async def test_an_empty_queue_with_consumers_is_quiet_and_no_more():
    _, intake = await intake_with(0, look_seconds=0)

    assert [await intake.look(1) for _ in range(3)] == [None] * 3


async def test_parcels_that_lie_there_at_two_looks_and_do_not_come_have_lost_our_consumer():
    channel, intake = await intake_with(0, look_seconds=0)
    channel.counts["in.XA-ONE"] = 3, 2  # others take there too

    assert [await intake.look(1) for _ in range(2)] == [
        None,
        Doubt(queue="in.XA-ONE", reason="not-served"),
    ]


async def test_parcels_that_come_between_two_looks_say_that_we_are_served():
    channel, intake = await intake_with(0, look_seconds=0)
    channel.counts["in.XA-ONE"] = 3, 2
    for tag in range(1, 4):
        assert await intake.look(1) is None
        await channel.bring(tag)
        await intake.acknowledge([tag])
        assert await intake.look(1) is None


async def test_parcels_that_wait_while_we_have_unsettled_ones_are_nobodys_fault():
    channel, intake = await intake_with(1, look_seconds=0)
    channel.counts["in.XA-ONE"] = 3, 1

    assert [await intake.look(1) for _ in range(4)] == [None] * 4


async def test_a_queue_that_is_quiet_for_long_is_in_doubt_whatever_the_broker_says():
    channel, intake = await intake_with(1, look_seconds=0, renew_seconds=0)

    assert await intake.look(1) == Doubt(queue="parts.XA-ONE", reason="quiet")  # the other one brought something
    assert channel.looks == ["parts.XA-ONE"]
