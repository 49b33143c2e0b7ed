"""RabbitMQ: quorum queues, publisher confirms, acknowledgement after the commit, retries by delay steps.

Two connections, one to publish and one to consume: a broker short of memory blocks publishers, and acknowledgements
must still get through. There is no background reconnection. A lost connection is made anew by the next call, so that
every call either works or says `BrokerUnavailable`; the topology is declared again each time. Where the URL names
several hosts, the one that was lost is tried last. A connection that is there and answers nothing counts as lost.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

import aio_pika
import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError
from pamqp.common import FieldTable

from gateway.errors import BrokerUnavailable, GatewayError
from gateway.log import logger
from gateway.transport import topology
from gateway.transport.addresses import addresses_of
from gateway.transport.intake import ATTEMPTS, CODE, Intake, Pace, Token
from gateway.transport.port import Delivery, Parcel, QueueState, refusal
from gateway.transport.publisher import Outgoing, WindowPublisher

STEPS = (30, 300, 3600, 21600)  # seconds
_HANG_UP_SECONDS = 3.0  # for the farewell to a connection that may be dead
_PAUSE_SECONDS = 1.0  # between two attempts to receive while the broker is away
_TROUBLE = (AMQPError, OSError, TimeoutError, RuntimeError)  # the libraries say RuntimeError of a closed connection

# The libraries log each lost connection several times, with frames. Our own events tell it once, without content.
for _library in ("aio_pika", "aiormq"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


class _Line:
    """One connection with one channel for the hot path."""

    def __init__(self, address: str, connection: AbstractConnection, channel: AbstractChannel, wire: aiormq.Channel) -> None:
        self.address = address  # which of the hosts it leads to
        self.connection = connection
        self.channel = channel
        self.wire = wire  # aiormq's channel below aio-pika's: batches need frames and tags, not message objects


class BrokerTransport:
    """The port on RabbitMQ."""

    name = "rabbitmq"

    def __init__(
        self,
        url: str,
        *,
        steps: Sequence[int] = STEPS,
        batch: int = 50,
        timeout_seconds: float = 15,
        pace: Pace | None = None,
        label: str = "gateway",
    ) -> None:
        """`url` may name several hosts (gateway/transport/addresses.py). `steps`: delays in seconds.

        `batch`: usual size of a batch; four are fetched ahead. `pace`: of the looks at our consumers. `label`: shown by the
        broker. Raises `SettingsInvalid` for a URL that names no host.
        """
        self._addresses = list(addresses_of(url))  # in the order in which they are tried
        self._steps = tuple(steps)
        self._prefetch = 4 * batch
        self._timeout = timeout_seconds
        self._pace = pace or Pace()
        self._label = label
        self._home: tuple[str, ...] = ()
        self._out: tuple[_Line, WindowPublisher] | None = None
        self._in: tuple[_Line, Intake] | None = None
        self._takes = False  # whether this process is one that receives
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
        self._takes = True
        while True:
            try:
                _, intake = await self._receiving()
            except BrokerUnavailable:
                await asyncio.sleep(max(0.0, min(_PAUSE_SECONDS, until - loop.time())))
                raise
            if await self._renewed(intake):
                continue
            found = await intake.take(most, max(0.0, min(until, intake.look_at) - loop.time()))
            if found or loop.time() >= until:
                return found

    async def _renewed(self, intake: Intake) -> bool:
        """Drop an intake that may not be served any more, so that another takes its place; say whether it was dropped.

        Parcels would wait, and no error would tell. Raises `BrokerUnavailable` when the broker does not answer.
        """
        try:
            doubt = await intake.look(self._timeout)
        except _TROUBLE as error:
            self._log.warning("consumer.lost", reason="look-failed", error_type=type(error).__name__)
            await self._drop_intake(intake)
            raise BrokerUnavailable("the broker did not say whether we still receive") from error
        if doubt is None:
            return False
        if doubt.reason == "quiet":
            self._log.info("consumer.renewed", queue=doubt.queue)
        else:
            self._log.warning("consumer.lost", queue=doubt.queue, reason=doubt.reason)
        await self._drop_intake(intake)
        return True

    @property
    def cut_off(self) -> bool:
        return self._takes and (self._in is None or not self._in[1].usable)

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        by_intake: dict[Intake, list[int]] = {}
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
        self._out = self._in = None
        self._takes = False
        for line in lines:
            await self._hang_up(line.connection)

    async def _publishing(self) -> tuple[_Line, WindowPublisher]:
        async with self._making_out:
            if self._out is not None and self._out[1].usable:
                return self._out
            if self._out is not None:
                self._log.warning("connection.lost", direction="out")
                lost, self._out = self._out[0], None
                await self._give_up(lost)
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
                lost, self._in = self._in[0], None
                await self._give_up(lost)
            line = await self._dial("in")
            intake = Intake(line.wire, self._pace)
            try:
                await topology.declare(line.channel, self._home, self._steps, self._timeout)
                await intake.start(self._home, prefetch=self._prefetch, timeout=self._timeout)
            except _TROUBLE as error:
                await self._hang_up(line.connection)
                raise BrokerUnavailable(f"the broker does not let us receive ({type(error).__name__})") from error
            self._in = line, intake
            return self._in

    async def _drop_intake(self, intake: Intake) -> None:
        """End the connection an intake lives on, so that the broker gives its unsettled parcels out again."""
        async with self._making_in:
            if self._in is not None and self._in[1] is intake:
                lost, self._in = self._in[0], None
                await self._give_up(lost)

    async def _give_up(self, line: _Line) -> None:
        """Close a lost connection; its host is tried last."""
        self._try_last(line.address)
        await self._hang_up(line.connection)

    def _try_last(self, address: str) -> None:
        self._addresses.remove(address)
        self._addresses.append(address)

    async def _dial(self, direction: str) -> _Line:
        """Connect to the first host that lets us; all of them together get the time of one call."""
        seconds = self._timeout / len(self._addresses)
        refused: Exception | None = None
        for address in tuple(self._addresses):
            try:
                return await self._dial_host(address, direction, seconds)
            except _TROUBLE as error:
                refused = error
                self._try_last(address)
        raise BrokerUnavailable(f"the broker cannot be reached ({type(refused).__name__})") from refused

    async def _dial_host(self, address: str, direction: str, seconds: float) -> _Line:
        connection: AbstractConnection | None = None
        try:
            async with asyncio.timeout(seconds):
                connection = await aio_pika.connect(
                    address, client_properties={"connection_name": f"{self._label} {direction}"}
                )
                channel = connection.channel(publisher_confirms=direction == "out")
                await channel.initialize()
                wire = await channel.get_underlay_channel()
        except _TROUBLE:
            if connection is not None:
                await self._hang_up(connection)
            raise
        assert isinstance(wire, aiormq.Channel)
        return _Line(address, connection, channel, wire)

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
            async with asyncio.timeout(min(self._timeout, _HANG_UP_SECONDS)):
                await connection.close()
