"""Two states with a broker each, and shovels between them as deploy/broker/shovel.json sets them up."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.errors import BrokerMissing
from gateway.transport.broker import BrokerTransport
from gateway.transport.intake import Pace
from gateway.transport.node import PrivateNode
from tests.brokers import in_thread, parcel, until, until_taken
from tests.conftest import without_rabbitmq
from tests.load import SOON, assert_exactly_once, loaded

pytestmark = pytest.mark.anyio

SHIPPED = Path(__file__).parents[2] / "deploy" / "broker" / "shovel.json"
Nodes = tuple[PrivateNode, PrivateNode]


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Nodes]:
    """The broker of the west and that of the east, which know nothing of each other."""
    try:
        west, east = (PrivateNode(plugins=["rabbitmq_shovel"]) for _ in range(2))
    except BrokerMissing as error:
        without_rabbitmq(error)
        raise
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(PrivateNode.start, (west, east)))
        yield west, east
    finally:
        west.close()
        east.close()


def set_up(here: PrivateNode, there: PrivateNode, authority: str, *, user: str = "gateway", url: str = "") -> None:
    """Set up what lets `here` send to an authority whose broker is `there`: the shipped file with its places filled in."""
    found = json.loads(SHIPPED.read_text().replace("PK-MOI", authority).replace("OUR-USER-THERE", user))
    for shovel in found["parameters"]:
        shovel["value"]["dest-uri"] = url or there.url
        shovel["value"]["reconnect-delay"] = 1
    here.control("import_definitions", said=json.dumps(found))


def add_visitor(node: PrivateNode) -> str:
    """Add the user that another state's shovels get: it may publish to one exchange. Return the address it uses."""
    node.control("add_user", "visitor", said="secret-of-the-visitor")
    node.control("set_permissions", "--vhost", "gateway", "visitor", "^$", "^relayed$", "^$")
    return "amqp://visitor:secret-of-the-visitor@{}:{}/gateway".format(*node.address)


async def test_a_parcel_reaches_the_other_states_gateway_with_id_sender_and_body(two_nodes):
    """The sender's broker user stands in the parcel; the other broker refuses it unless the shovel puts its own there."""
    west, east = two_nodes
    receiver = BrokerTransport(east.url, steps=(1,))
    await receiver.open(["XA-OVER"])
    visitor = await asyncio.to_thread(add_visitor, east)
    await in_thread(lambda: set_up(west, east, "XA-OVER", user="visitor", url=visitor))
    sender = BrokerTransport(west.url, steps=(1,))

    for bulk in (False, True):
        assert await sender.send([parcel("XA-OVER", int(bulk), bulk=bulk)]) == [None]

    taken = await until_taken(receiver, {"0", "1"})
    assert {(one.message_id, one.sender, one.body, one.attempts) for one in taken} == {
        (number, "XB-SENDER", b"sealed", 0) for number in ("0", "1")
    }
    await sender.close()
    await receiver.close()


async def test_what_waits_while_the_other_states_broker_is_away_arrives_when_it_is_back(two_nodes):
    west, east = two_nodes
    receiver = BrokerTransport(east.url, steps=(1,), timeout_seconds=3)
    await receiver.open(["XA-AWAY"])
    await in_thread(lambda: set_up(west, east, "XA-AWAY"))
    sender = BrokerTransport(west.url, steps=(1,))
    await in_thread(east.kill)

    assert await sender.send([parcel("XA-AWAY", number) for number in range(50)]) == [None] * 50
    await in_thread(east.start)

    taken = await until_taken(receiver, {str(number) for number in range(50)})
    assert {one.message_id for one in taken} == {str(number) for number in range(50)}
    await sender.close()
    await receiver.close()


async def test_nothing_is_lost_or_done_twice_over_shovels_while_the_other_states_broker_stops(two_nodes, tmp_path, keys):
    west, east = two_nodes
    for here, there, authority in ((west, east, "RS-MUP"), (east, west, "AT-BMI")):
        await in_thread(lambda here=here, there=there, authority=authority: set_up(here, there, authority))

    def carrier(node: PrivateNode) -> BrokerTransport:
        return BrokerTransport(node.url, steps=(1,), timeout_seconds=6, pace=Pace(look_seconds=2))

    async with loaded(tmp_path, keys, west=carrier(west), east=carrier(east)) as load:
        await load.until_more()
        await in_thread(east.stop)
        waiting = len(load.sent)

        async def more_waits() -> bool:
            return len(load.sent) >= waiting + 10

        await until(more_waits, SOON)
        await in_thread(east.start)
        await load.until_more()

    assert_exactly_once(load)
