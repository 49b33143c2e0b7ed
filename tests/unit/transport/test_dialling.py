"""A broker that goes away in the middle of the opening of a connection is a broker that cannot be reached, and nothing else."""

import asyncio
from collections.abc import AsyncIterator

import aio_pika
import pytest
from pamqp import commands, frame

from gateway.errors import BrokerUnavailable
from gateway.transport.broker import BrokerTransport

pytestmark = pytest.mark.anyio

GREETING = frame.marshal(commands.Connection.Start(server_properties={}, mechanisms="PLAIN", locales="en_US"), 0)


@pytest.fixture(params=[b"", GREETING[:9], GREETING], ids=["at once", "in its greeting", "after its greeting"])
async def dying(request) -> AsyncIterator[str]:
    """A listener that says so much, and ends."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(b"AMQP0091"))
        writer.write(request.param)
        writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1", 0) as server:
        yield f"amqp://user:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_broker_that_ends_while_it_greets_is_away(dying) -> None:
    transport = BrokerTransport(dying, timeout_seconds=10)
    with pytest.raises(BrokerUnavailable):
        await transport.open(["RS-MUP"])
    with pytest.raises(BrokerUnavailable):
        await transport.take(1, 0.1)
    await transport.close()


async def test_end_of_the_stream_that_the_library_tells_in_its_own_way_is_the_same(dying, monkeypatch) -> None:
    """Under load the library learns of the end before it asks for the next frame, and says StopAsyncIteration."""

    async def ended(_connection: aio_pika.Connection) -> None:
        raise StopAsyncIteration

    monkeypatch.setattr(aio_pika.Connection, "connect", ended)
    transport = BrokerTransport(dying, timeout_seconds=10)
    with pytest.raises(BrokerUnavailable):
        await transport.open(["RS-MUP"])
    with pytest.raises(BrokerUnavailable):
        await transport.take(1, 0.1)
