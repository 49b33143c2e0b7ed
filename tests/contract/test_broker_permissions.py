"""A broker that partners share, as `gateway broker definitions` sets it up: each receives its own, and nobody is another."""

import aio_pika
import pytest
from aio_pika.exceptions import ChannelPreconditionFailed, DeliveryError
from aiormq.exceptions import ChannelAccessRefused

from gateway.errors import BrokerUnavailable, Undeliverable
from gateway.transport.broker import BrokerTransport
from gateway.transport.port import Parcel
from tests.contract.conftest import PASSWORD, SOON

pytestmark = pytest.mark.anyio


def parcel(sender: str, recipient: str, number: int = 0) -> Parcel:
    return Parcel(message_id=f"m{number}", sender=sender, recipient=recipient, body=b"sealed")


async def ignored(_message: object) -> None:
    """Take a message that never comes."""


def message(**named) -> aio_pika.Message:
    return aio_pika.Message(b"sealed", message_id="m", delivery_mode=aio_pika.DeliveryMode.PERSISTENT, **named)


async def test_gateways_exchange_parcels_across_virtual_hosts(gateways) -> None:
    ba, rs = gateways("ba"), gateways("rs")
    await ba.open(["BA-MS"])
    await rs.open(["RS-MUP", "RS-MSP"])

    assert await ba.send([parcel("BA-MS", "RS-MUP", 1), parcel("BA-MS", "RS-MSP", 2)]) == [None, None]
    assert await rs.send([parcel("RS-MUP", "BA-MS", 3)]) == [None]

    there = [*await rs.take(50, SOON)]
    there += await rs.take(50, SOON) if len(there) == 1 else []
    assert {(each.queue, each.message_id, each.token.user) for each in there} == {
        ("RS-MUP", "m1", "ba"),
        ("RS-MSP", "m2", "ba"),
    }
    (here,) = await ba.take(50, SOON)
    assert (here.queue, here.token.user) == ("BA-MS", "rs")


async def test_postponed_parcel_still_tells_who_published_it(gateways) -> None:
    ba, rs = gateways("ba"), gateways("rs", steps=(1,))
    await rs.open(["RS-MUP"])
    await ba.send([parcel("BA-MS", "RS-MUP", 7)])
    (first,) = await rs.take(50, SOON)

    await rs.postpone(first, 1, "database-unavailable")

    (again,) = await rs.take(50, SOON)
    assert (again.attempts, again.token.user) == (1, "ba")


async def test_sender_hears_that_a_partner_never_received(gateways) -> None:
    ba = gateways("ba")
    await ba.open(["BA-MS"])

    (answer,) = await ba.send([parcel("BA-MS", "PK-MOI")])

    assert isinstance(answer, Undeliverable)


@pytest.mark.parametrize("password", ["", PASSWORD, "at"])
async def test_user_without_a_password_cannot_log_in(url, password) -> None:
    gateway = BrokerTransport(url("at", "at").replace(PASSWORD, password), timeout_seconds=SOON)

    with pytest.raises(BrokerUnavailable):
        await gateway.open(["AT-BMI"])


@pytest.mark.parametrize("queue", ["in.BA-MS", "parts.BA-MS", "parked.BA-MS", "retry.BA-MS.30s", "unrouted"])
async def test_partner_cannot_read_a_queue_of_another(gateways, channel_of, queue) -> None:
    await gateways("ba").open(["BA-MS"])
    there = await channel_of("rs", "ba")
    other = await there.get_queue(queue, ensure=False)

    with pytest.raises(ChannelAccessRefused):
        await other.get(fail=False)


async def test_partner_cannot_consume_from_another(gateways, channel_of) -> None:
    await gateways("ba").open(["BA-MS"])
    there = await channel_of("rs", "ba")
    other = await there.get_queue("in.BA-MS", ensure=False)

    with pytest.raises(ChannelAccessRefused):
        await other.consume(ignored)


@pytest.mark.parametrize("action", ["declare", "delete", "purge", "bind"])
async def test_partner_cannot_change_queues_of_another(gateways, channel_of, action) -> None:
    await gateways("ba").open(["BA-MS"])
    there = await channel_of("rs", "ba")
    queue = await there.get_queue("in.BA-MS", ensure=False)
    actions = {
        "declare": lambda: there.declare_queue("in.RS-MUP", durable=True),
        "delete": lambda: there.queue_delete("in.BA-MS"),
        "purge": queue.purge,
        "bind": lambda: queue.bind("amq.fanout"),
    }

    with pytest.raises(ChannelAccessRefused):
        await actions[action]()


async def test_partner_cannot_take_the_authority_of_another_into_its_own_virtual_host(gateways) -> None:
    with pytest.raises(BrokerUnavailable):
        await gateways("rs").open(["BA-MS"])


async def test_partner_publishes_under_its_own_user(channel_of, gateways) -> None:
    await gateways("ba").open(["BA-MS"])
    there = await channel_of("rs", "ba")
    exchange = await there.get_exchange("inbound", ensure=False)

    await exchange.publish(message(user_id="rs"), "in.BA-MS")
    with pytest.raises(ChannelPreconditionFailed):
        await exchange.publish(message(user_id="pk"), "in.BA-MS")


@pytest.mark.parametrize("exchange", ["", "unrouted", "amq.direct"])
async def test_partner_reaches_no_queue_of_another_past_its_two_exchanges(channel_of, gateways, exchange) -> None:
    await gateways("ba").open(["BA-MS"])
    there = await channel_of("rs", "ba")
    way = await there.get_exchange(exchange, ensure=False) if exchange else there.default_exchange

    with pytest.raises(ChannelAccessRefused):
        await way.publish(message(), "in.BA-MS")


@pytest.mark.parametrize("queue", ["parked.BA-MS", "retry.BA-MS.30s", "unrouted"])
async def test_exchange_for_gateways_leads_to_inbound_queues_alone(channel_of, gateways, queue) -> None:
    await gateways("ba").open(["BA-MS"])
    there = await channel_of("rs", "ba")
    exchange = await there.get_exchange("inbound", ensure=False)

    with pytest.raises(DeliveryError):
        await exchange.publish(message(), queue)


async def test_what_is_relayed_to_nobody_is_kept_and_shown(channel_of, gateways) -> None:
    ba = gateways("ba")
    await ba.open(["BA-MS"])
    assert [state.name for state in await ba.states()] == ["BA-MS"]
    there = await channel_of("rs", "ba")
    exchange = await there.get_exchange("relayed", ensure=False)

    await exchange.publish(message(user_id="rs"), "in.BA-NOBODY", mandatory=False)

    assert [(state.name, state.parked) for state in await ba.states()] == [("BA-MS", 0), ("unrouted", 1)]


async def test_what_is_relayed_before_a_partner_ever_connected_is_kept(channel_of) -> None:
    there = await channel_of("rs", "pk")
    exchange = await there.get_exchange("relayed", ensure=False)

    await exchange.publish(message(), "in.PK-MOI", mandatory=False)

    own = await channel_of("pk", "pk")
    kept = await (await own.get_queue("unrouted", ensure=False)).get()
    assert kept.routing_key == "in.PK-MOI"
    await kept.ack()


async def test_relayed_parcel_arrives_as_any_other(channel_of, gateways) -> None:
    ba = gateways("ba")
    await ba.open(["BA-MS"])
    there = await channel_of("rs", "ba")
    exchange = await there.get_exchange("relayed", ensure=False)

    await exchange.publish(message(), "in.BA-MS", mandatory=False)

    (arrived,) = await ba.take(50, SOON)
    assert (arrived.body, arrived.token.user) == (b"sealed", "")


async def test_queue_that_reached_its_bound_refuses_its_sender_alone(channel_of, gateways, own_node) -> None:
    await gateways("ba").open(["BA-MS"])
    await gateways("rs").open(["RS-MUP", "RS-MSP"])
    own_node.control(
        "set_policy", "-p", "rs", "--apply-to", "queues", "--priority", "9", "little", r"^in\.RS-MSP$", '{"max-length":1}'
    )
    try:
        ba = gateways("ba")
        answers = [(await ba.send([parcel("BA-MS", "RS-MSP", number)]))[0] for number in range(5)]
        beside = await ba.send([parcel("BA-MS", "RS-MUP", 9)])
    finally:
        own_node.control("clear_policy", "-p", "rs", "little")

    assert answers[0] is None
    assert answers[-1] is not None
    assert answers[-1].code == "queue-refused"
    assert beside == [None]
