"""Sending and taking in tests of brokers that fail: again and again within a bound, as the loops do."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.errors import BrokerUnavailable
from gateway.transport.broker import BrokerTransport
from gateway.transport.port import Delivery, Parcel

SOON = 30.0  # seconds; the bound of every wait


def parcel(to: str, number: int, *, bulk: bool = False) -> Parcel:
    return Parcel(message_id=str(number), sender="XB-SENDER", recipient=to, body=b"sealed", bulk=bulk)


async def in_thread(work) -> None:
    await asyncio.get_running_loop().run_in_executor(None, work)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = SOON) -> None:
    """Look again and again, within a bound, until the other process is there."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.05)


async def until_sent(gateway: BrokerTransport, what: Parcel) -> None:
    """Send again and again until it is confirmed, as the outbox would."""

    async def confirmed() -> bool:
        return await gateway.send([what]) == [None]

    await until(confirmed)


async def until_taken(gateway: BrokerTransport, wanted: set[str]) -> list[Delivery]:
    """Take until every wanted message id came, whatever happens between."""
    found: list[Delivery] = []
    async with asyncio.timeout(SOON):
        while not wanted <= {delivery.message_id for delivery in found}:
            try:
                batch = await gateway.take(50, 1)
            except BrokerUnavailable:
                continue  # take itself paused
            await gateway.settle(batch)
            found += batch
    return found
