"""A network between gateway and broker that breaks, stalls or crawls: what was confirmed is never lost, nobody hangs."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.errors import BrokerUnavailable
from gateway.transport.broker import BrokerTransport
from gateway.transport.intake import Pace
from gateway.transport.port import Delivery, Parcel
from tests.brokers import SOON, until, until_taken
from tests.tcp_proxy import TcpProxy

pytestmark = pytest.mark.anyio

BODY = bytes(6000)
_numbers = itertools.count()


@pytest.fixture
def home() -> str:
    return f"XA-P{next(_numbers)}"


@pytest.fixture
def proxy(rabbitmq: str) -> Iterator[TcpProxy]:
    host, port = re.search(r"@([^:/]+):(\d+)/", rabbitmq).groups()
    with TcpProxy(host, int(port)) as made:
        yield made


@pytest.fixture
async def gateway(rabbitmq: str, proxy: TcpProxy, home: str) -> AsyncIterator[BrokerTransport]:
    """A gateway that reaches the broker through the proxy."""
    url = re.sub(r":\d+/", f":{proxy.port}/", rabbitmq.replace("localhost", "127.0.0.1"))
    transport = BrokerTransport(url, steps=(1,), timeout_seconds=2, pace=Pace(look_seconds=0.5))
    await transport.open([home])
    yield transport
    proxy.resume()
    await transport.close()


def parcels(home: str, count: int, first: int = 0) -> list[Parcel]:
    return [
        Parcel(message_id=str(number), sender="XB-SENDER", recipient=home, body=BODY) for number in range(first, first + count)
    ]


async def until_all_sent(gateway: BrokerTransport, waiting: list[Parcel]) -> int:
    """Send again and again what was not confirmed, as the outbox would; return how many attempts failed."""
    failed = 0

    async def gone() -> bool:
        nonlocal waiting, failed
        answers = await gateway.send(waiting)
        waiting = [one for one, answer in zip(waiting, answers, strict=True) if answer is not None]
        failed += len(waiting)
        return not waiting

    await until(gone)
    return failed


@pytest.mark.parametrize("bytes_until_cut", [1, 3_000, 50_000, 240_000])
async def test_a_cut_in_the_middle_of_a_window_loses_nothing(gateway, proxy, home, bytes_until_cut):
    window = parcels(home, 40)
    proxy.cut_after(bytes_until_cut)

    answers = await gateway.send(window)

    assert proxy.is_cut
    assert any(isinstance(answer, BrokerUnavailable) for answer in answers)
    confirmed = {one.message_id for one, answer in zip(window, answers, strict=True) if answer is None}
    proxy.resume()
    again = [one for one in window if one.message_id not in confirmed]
    await until_all_sent(gateway, again)
    taken = await until_taken(gateway, {one.message_id for one in window})
    assert {one.message_id for one in taken} == {one.message_id for one in window}  # some twice: the inbox drops them


async def test_a_cut_while_receiving_brings_back_what_was_not_settled(gateway, proxy, home):
    await until_all_sent(gateway, parcels(home, 20))
    first: list[Delivery] = []
    while len(first) < 20:  # what is not taken yet would be handed out after the cut
        first += await gateway.take(50, SOON)
    proxy.cut()
    await gateway.settle(first)  # reaches nobody

    async def noticed() -> bool:
        try:
            assert await gateway.take(50, 0.2) == []
        except BrokerUnavailable:
            return True
        return False

    await until(noticed)
    assert gateway.cut_off

    proxy.resume()

    assert {one.message_id for one in await until_taken(gateway, {str(number) for number in range(20)})} == {
        str(number) for number in range(20)
    }
    assert not gateway.cut_off


async def test_a_network_on_which_nothing_passes_does_not_hang_the_sender(gateway, proxy, home):
    await until_all_sent(gateway, parcels(home, 1))
    proxy.slow(0)

    async with asyncio.timeout(SOON):
        (answer,) = await gateway.send(parcels(home, 1, first=1))
        assert isinstance(answer, BrokerUnavailable)
        (answer,) = await gateway.send(parcels(home, 1, first=2))  # over a connection that cannot be made
        assert isinstance(answer, BrokerUnavailable)

    proxy.resume()
    await until_all_sent(gateway, parcels(home, 3))
    await until_taken(gateway, {"0", "1", "2"})


async def test_a_slow_network_delivers_everything_in_the_end(gateway, proxy, home):
    proxy.slow(200_000)

    await until_all_sent(gateway, parcels(home, 30))
    taken = await until_taken(gateway, {str(number) for number in range(30)})

    assert {len(one.body) for one in taken} == {len(BODY)}
