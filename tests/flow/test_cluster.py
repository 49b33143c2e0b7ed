"""Two gateways on a cluster of three brokers, under load, while brokers die: nothing is lost, nothing is done twice.

How long nothing arrived after each death is printed (pytest -rP, or -s); no figure is a rule here.
"""

import asyncio
import json
from collections.abc import Iterator

import pytest

from gateway.errors import BrokerMissing, BrokerUnavailable
from gateway.transport.broker import BrokerTransport
from gateway.transport.cluster import PrivateCluster
from gateway.transport.intake import Pace
from gateway.transport.node import PrivateNode
from tests.brokers import in_thread, parcel, until, until_sent, until_taken
from tests.conftest import without_rabbitmq
from tests.load import SOON, assert_exactly_once, loaded

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def cluster() -> Iterator[PrivateCluster]:
    try:
        made = PrivateCluster()
    except BrokerMissing as error:
        without_rabbitmq(error)
        raise
    with made:
        yield made


def carrier(cluster: PrivateCluster) -> BrokerTransport:
    return BrokerTransport(cluster.url, steps=(1,), timeout_seconds=6, pace=Pace(look_seconds=2))


def dialled(transport: BrokerTransport, cluster: PrivateCluster) -> PrivateNode:
    """Return the node through which a gateway sends."""
    assert transport._outlet.made is not None
    address = transport._outlet.made[0].address
    (node,) = [node for node in cluster.nodes if f"@{node.address[0]}:{node.address[1]}/" in address]
    return node


def members(cluster: PrivateCluster) -> dict[str, tuple[int, int]]:
    """Return how many members each queue has, and how many of them are there."""
    running = next(node for node in cluster.nodes if node.running)
    told = json.loads(running.control("list_queues", "--vhost", "gateway", "--formatter", "json", "name", "members", "online"))
    return {one["name"]: (len(one["members"]), len(one["online"])) for one in told}


async def until_whole(cluster: PrivateCluster) -> None:
    """Wait until every queue has all its members again."""

    async def there() -> bool:
        return set((await asyncio.to_thread(members, cluster)).values()) == {(3, 3)}

    await until(there, SOON)


async def test_a_queue_declared_on_a_cluster_has_a_member_on_each_node(cluster):
    gateway = carrier(cluster)
    await gateway.open(["XA-THREE"])

    found = {name: sizes for name, sizes in members(cluster).items() if "XA-THREE" in name}

    assert len(found) == 4
    assert set(found.values()) == {(3, 3)}
    await gateway.close()


async def test_nothing_is_lost_or_done_twice_while_one_broker_after_the_other_dies(cluster, tmp_path, keys):
    pauses: list[float] = []
    async with loaded(tmp_path, keys, west=carrier(cluster), east=carrier(cluster)) as load:
        await load.until_more()
        for _ in range(2):
            await in_thread(cluster.start)  # the second time: the one that died comes back
            await until_whole(cluster)
            node = dialled(load.west.rt.transport, cluster)
            died = load.west.rt.clock()
            await in_thread(node.kill)
            await load.until_more()
            pauses.append(load.pause_after(died))
            assert set((await asyncio.to_thread(members, cluster)).values()) == {(3, 2)}
    told = f"{len(load.sent)} messages; {', '.join(f'{one:.1f} s' for one in pauses)} without an arrival after each death"
    print(f"{told}; the slowest message took {load.slowest():.1f} s")  # noqa: T201 - measured, and no rule

    assert_exactly_once(load)


async def test_a_minority_confirms_nothing_until_it_is_a_majority_again(cluster):
    gateway = carrier(cluster)
    await gateway.open(["XA-FEW"])
    await until_sent(gateway, parcel("XA-FEW", 1))
    left, *others = [node for node in cluster.nodes if node.running]
    for node in others:
        await in_thread(node.kill)

    async def refused() -> bool:
        (answer,) = await gateway.send([parcel("XA-FEW", 2)])
        return isinstance(answer, BrokerUnavailable)

    await until(refused)
    assert await refused()
    await in_thread(others[0].start)
    await until_sent(gateway, parcel("XA-FEW", 3))

    assert left.running
    taken = await until_taken(gateway, {"1", "3"})
    assert {"1", "3"} <= {one.message_id for one in taken}
    await gateway.close()
