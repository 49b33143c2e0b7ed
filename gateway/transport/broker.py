"""RabbitMQ: quorum queues, publisher confirms, acknowledgement after the commit, retries by delay steps.

Two connections, one to publish and one to consume: a broker short of memory blocks publishers, and acknowledgements
must still get through. There is no background reconnection. A lost connection is made anew by the next call, so that
every call either works or says `BrokerUnavailable`; the topology is declared again each time.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aio_pika
import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError
from pamqp.common import FieldTable

from gateway.errors import BrokerUnavailable, GatewayError
from gateway.log import logger
from gateway.transport import topology
from gateway.transport.intake import ATTEMPTS, CODE, Intake, ParkingPlace, Token
from gateway.transport.port import Delivery, Parcel, QueueState, refusal
from gateway.transport.publisher import Outgoing, WindowPublisher

STEPS = (30, 300, 3600, 21600)  # seconds
_HEARTBEAT_SECONDS = 20  # a silent peer is given up after about three of them
_PAUSE_SECONDS = 1.0  # between two attempts to receive while the broker is away
_TROUBLE = (AMQPError, OSError, TimeoutError, RuntimeError)  # the libraries say RuntimeError of a closed connection

# The libraries log each lost connection several times, with frames. Our own events tell it once, without content.
for _library in ("aio_pika", "aiormq"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


class _Line:
    """One connection with one channel for the hot path."""

    def __init__(self, connection: AbstractConnection, channel: AbstractChannel, wire: aiormq.Channel) -> None:
        self.connection = connection
        self.channel = channel
        self.wire = wire  # aiormq's channel below aio-pika's: batches need frames and tags, not message objects


class BrokerTransport:
    """The port on RabbitMQ."""

    name = "rabbitmq"

    def __init__(
        self, url: str, *, steps: Sequence[int] = STEPS, batch: int = 50, timeout_seconds: float = 15, label: str = "gateway"
    ) -> None:
        """`steps`: delays in seconds. `batch`: usual size of a batch; four are fetched ahead. `label`: shown by the broker."""
        self._url = with_heartbeat(url)
        self._steps = tuple(steps)
        self._prefetch = 4 * batch
        self._timeout = timeout_seconds
        self._label = label
        self._home: tuple[str, ...] = ()
        self._out: tuple[_Line, WindowPublisher] | None = None
        self._in: tuple[_Line, Intake] | None = None
        self._aside: ParkingPlace | None = None  # on the publishing connection: who looks there need not receive
        self._making_out = asyncio.Lock()
        self._making_in = asyncio.Lock()
        self._log = logger("transport").bind(transport=self.name)

    async def open(self, home: Sequence[str]) -> None:
        """Declare the queues. Receiving begins with the first `take`: a process that only sends fetches nothing ahead."""
        self._home = tuple(home)
        line, _ = await self._publishing()
        async with self._own_channel(line) as channel:
            await topology.declare(channel, self._home, self._steps, self._timeout)

    async def send(self, parcels: Sequence[Parcel]) -> list[GatewayError | None]:
        answers = [refusal(parcel) for parcel in parcels]
        good = [number for number, answer in enumerate(answers) if answer is None]
        outgoing = [
            Outgoing(
                queue=(topology.parts if parcels[number].bulk else topology.inbound)(parcels[number].recipient),
                body=parcels[number].body,
                message_id=parcels[number].message_id,
                sender=parcels[number].sender,
            )
            for number in good
        ]
        for number, answer in zip(good, await self._publish(outgoing), strict=True):
            answers[number] = answer
        return answers

    async def _publish(self, outgoing: Sequence[Outgoing]) -> list[GatewayError | None]:
        if not outgoing:
            return []
        try:
            _, publisher = await self._publishing()
        except BrokerUnavailable as error:
            return [error] * len(outgoing)
        return await publisher.publish(outgoing, self._timeout)

    async def take(self, most: int, wait_seconds: float) -> list[Delivery]:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_seconds
        try:
            _, intake = await self._receiving()
        except BrokerUnavailable:
            await asyncio.sleep(max(0.0, min(_PAUSE_SECONDS, until - loop.time())))
            raise
        return await intake.take(most, max(0.0, until - loop.time()))

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        by_intake: dict[Intake | ParkingPlace, list[int]] = {}
        for delivery in deliveries:
            token: Token = delivery.token
            by_intake.setdefault(token.intake, []).append(token.tag)
        for intake, tags in by_intake.items():
            try:
                if intake.usable:
                    async with asyncio.timeout(self._timeout):
                        await intake.acknowledge(tags)
                    continue
            except _TROUBLE:
                await self._drop_intake(intake)
            self._log.warning("delivery.unsettled", count=len(tags), code=BrokerUnavailable.code)

    async def postpone(self, delivery: Delivery, seconds: int, code: str) -> None:
        step = topology.step_for(seconds, self._steps)
        await self._move(delivery, topology.delay(delivery.queue, step), {ATTEMPTS: delivery.attempts + 1, CODE: code})

    async def park(self, delivery: Delivery, code: str) -> None:
        await self._move(delivery, topology.parked(delivery.queue), {ATTEMPTS: delivery.attempts, CODE: code})

    async def _move(self, delivery: Delivery, queue: str, headers: FieldTable) -> None:
        """Publish a delivery to another queue with confirm, then acknowledge it: in doubt it is there twice, never lost."""
        token: Token = delivery.token
        moved = Outgoing(
            queue=queue, body=delivery.body, message_id=delivery.message_id, sender=delivery.sender, headers=headers
        )
        (error,) = await self._publish([moved])
        if error is not None:
            # It would stay unsettled for as long as the connection lives; losing the connection brings it back.
            await self._drop_intake(token.intake)
            raise BrokerUnavailable("the broker did not take a message that was set back") from error
        await self.settle([delivery])

    async def take_parked(self, most: int) -> list[Delivery]:
        line, _ = await self._publishing()
        try:
            async with asyncio.timeout(self._timeout):
                if self._aside is not None and self._aside.usable:
                    await self._aside.close()  # what was not settled the last time lies there again
                channel = line.connection.channel(publisher_confirms=False)
                await channel.initialize()
                wire = await channel.get_underlay_channel()
                assert isinstance(wire, aiormq.Channel)
                self._aside = ParkingPlace(wire)
                return await self._aside.take(self._home, most, self._timeout)
        except _TROUBLE as error:
            raise BrokerUnavailable(f"the broker does not show what was set aside ({type(error).__name__})") from error

    async def states(self) -> list[QueueState]:
        line, _ = await self._publishing()
        async with self._own_channel(line) as channel:
            return [await self._state(channel, authority) for authority in sorted(self._home)]

    async def _state(self, channel: AbstractChannel, authority: str) -> QueueState:
        async def look(name: str) -> tuple[int, int]:
            queue = await channel.declare_queue(name, passive=True, timeout=self._timeout)
            return queue.declaration_result.message_count or 0, queue.declaration_result.consumer_count or 0

        ready, consumers = await look(topology.inbound(authority))
        bulk, _ = await look(topology.parts(authority))
        delayed = [await look(topology.delay(authority, step)) for step in self._steps]
        parked, _ = await look(topology.parked(authority))
        own = self._in[1].unsettled(authority) if self._in is not None else 0
        return QueueState(
            name=authority,
            waiting=ready + bulk + own + sum(count for count, _ in delayed),
            parked=parked,
            oldest=None,
            consumers=consumers,
        )

    async def close(self) -> None:
        lines = [made[0] for made in (self._out, self._in) if made is not None]
        self._out = self._in = self._aside = None
        for line in lines:
            await self._hang_up(line.connection)

    async def _publishing(self) -> tuple[_Line, WindowPublisher]:
        async with self._making_out:
            if self._out is not None and self._out[1].usable:
                return self._out
            if self._out is not None:
                self._log.warning("connection.lost", direction="out")
                await self._hang_up(self._out[0].connection)
                self._out = None
            line = await self._dial("out")
            frame_bytes = line.wire.connection.connection_tune.frame_max or 131_072
            self._out = line, WindowPublisher(line.wire, frame_bytes=frame_bytes)
            return self._out

    async def _receiving(self) -> tuple[_Line, Intake]:
        async with self._making_in:
            if self._in is not None and self._in[1].usable:
                return self._in
            if self._in is not None:
                self._log.warning("connection.lost", direction="in")
                await self._hang_up(self._in[0].connection)
                self._in = None
            line = await self._dial("in")
            intake = Intake(line.wire)
            try:
                await topology.declare(line.channel, self._home, self._steps, self._timeout)
                await intake.start(self._home, prefetch=self._prefetch, timeout=self._timeout)
            except _TROUBLE as error:
                await self._hang_up(line.connection)
                raise BrokerUnavailable(f"the broker does not let us receive ({type(error).__name__})") from error
            self._in = line, intake
            return self._in

    async def _drop_intake(self, intake: Intake | ParkingPlace) -> None:
        """End the connection an intake lives on, so that the broker gives its unsettled parcels out again.

        A parking place needs none of that: the next look closes its channel.
        """
        async with self._making_in:
            if self._in is not None and self._in[1] is intake:
                await self._hang_up(self._in[0].connection)
                self._in = None

    async def _dial(self, direction: str) -> _Line:
        connection: AbstractConnection | None = None
        try:
            async with asyncio.timeout(self._timeout):
                connection = await aio_pika.connect(
                    self._url, client_properties={"connection_name": f"{self._label} {direction}"}
                )
                channel = connection.channel(publisher_confirms=direction == "out")
                await channel.initialize()
                wire = await channel.get_underlay_channel()
        except _TROUBLE as error:
            if connection is not None:
                await self._hang_up(connection)
            raise BrokerUnavailable(f"the broker cannot be reached ({type(error).__name__})") from error
        assert isinstance(wire, aiormq.Channel)
        return _Line(connection, channel, wire)

    @contextlib.asynccontextmanager
    async def _own_channel(self, line: _Line) -> AsyncIterator[AbstractChannel]:
        """Open a channel beside the hot path: a refused declaration closes its channel."""
        try:
            async with asyncio.timeout(self._timeout):
                channel = line.connection.channel()
                await channel.initialize()
            yield channel
            async with asyncio.timeout(self._timeout):
                await channel.close()
        except _TROUBLE as error:
            raise BrokerUnavailable(f"the broker does not answer as it should ({type(error).__name__})") from error

    async def _hang_up(self, connection: AbstractConnection) -> None:
        """Close a connection that may be dead already."""
        with contextlib.suppress(*_TROUBLE):
            async with asyncio.timeout(self._timeout):
                await connection.close()


def with_heartbeat(url: str) -> str:
    """Add our heartbeat unless the operator's URL names one."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query.setdefault("heartbeat", str(_HEARTBEAT_SECONDS))
    return urlunsplit(parts._replace(query=urlencode(query)))
