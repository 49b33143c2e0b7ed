"""A case at rest between two gateways, under rules that have every limit; a broker that a file of tests may break."""

from collections.abc import Iterator

import pytest

from gateway.errors import BrokerMissing
from gateway.transport.node import PrivateNode
from tests.conftest import without_rabbitmq
from tests.steps import Thread, asked, ruled


@pytest.fixture
async def case(two_gateways, clock) -> Thread:
    """An application received on Monday 1 June 2026, under rules by which silence is agreement."""
    return await asked(*ruled(two_gateways), clock)


@pytest.fixture
async def agreed(case: Thread) -> Thread:
    """The same, agreed to on the same day."""
    await case.answered()
    return case


@pytest.fixture(scope="module")
def own_node() -> Iterator[PrivateNode]:
    """A node that these tests may break."""
    try:
        node = PrivateNode()
    except BrokerMissing as error:
        without_rabbitmq(error)
        raise
    with node:
        yield node


@pytest.fixture
def node(own_node: PrivateNode) -> PrivateNode:
    own_node.start()  # a test before may have left it dead
    return own_node
