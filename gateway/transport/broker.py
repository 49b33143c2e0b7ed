"""RabbitMQ: quorum queues, publisher confirms, acknowledgement after the commit, retries by delay steps.

To publish and to consume there are connections of their own: a broker short of memory blocks publishers, and
acknowledgements must still get through. We receive from one broker. We publish to the same one, and to the brokers or
virtual hosts of the partners that have a route of their own: each is one more connection, made when it is first needed.
There is no background reconnection. A lost connection is made anew by the next call, so that every call either works or
says `BrokerUnavailable`; the topology is declared again each time. Where the URL names several hosts, the one that was
lost is tried last. A connection that is there and answers nothing counts as lost.
"""

import asyncio
from collections.abc import Mapping, Sequence

import aiormq
from aio_pika.abc import AbstractChannel
from pamqp.common import FieldTable

from gateway.errors import BrokerUnavailable, GatewayError
from gateway.log import logger
from gateway.transport import topology
from gateway.transport.intake import ATTEMPTS, CODE, USER, Intake, Pace, ParkingPlace, Token
from gateway.transport.lines import TROUBLE, Access, Dialler, Line
from gateway.transport.outlet import Outlet
from gateway.transport.port import Delivery, Parcel, QueueState, refusal
from gateway.transport.publisher import Outgoing, WindowPublisher

STEPS = (30, 300, 3600, 21600)  # seconds
_PAUSE_SECONDS = 1.0  # between two attempts to receive while the broker is away


class BrokerTransport:
    """The port on RabbitMQ."""

    name = "rabbitmq"

    def __init__(
        self,
        access: Access | str,
        *,
        routes: Mapping[str, Access] | None = None,
        steps: Sequence[int] = STEPS,
        batch: int = 50,
        timeout_seconds: float = 15,
        pace: Pace | None = None,
        label: str = "gateway",
    ) -> None:
        """`access`: the broker we receive from, by its URL alone if it needs no certificates of ours.

        `routes`: authorities that are reached elsewhere, and how; every other one is reached through `access`.
        `steps`: delays in seconds. `batch`: usual size of a batch; four are fetched ahead. `pace`: of the looks at our
        consumers. `label`: shown by the broker. Raises `SettingsInvalid` for a URL that names no host.
        """
        own = Access(url=access) if isinstance(access, str) else access
        self._dialler = Dialler(own, timeout_seconds=timeout_seconds, label=label)
        self._outlet = Outlet(self._dialler, timeout_seconds=timeout_seconds)
        outlets = {own: self._outlet}
        for route in (routes or {}).values():
            if route not in outlets:
                dialler = Dialler(route, timeout_seconds=timeout_seconds, label=label)
                outlets[route] = Outlet(dialler, timeout_seconds=timeout_seconds)
        self._outlets = tuple(outlets.values())
        self._routes = {authority: outlets[route] for authority, route in (routes or {}).items()}
        self._steps = tuple(steps)
        self._prefetch = 4 * batch
        self._timeout = timeout_seconds
        self._pace = pace or Pace()
        self._home: tuple[str, ...] = ()
        self._in: tuple[Line, Intake] | None = None
        self._takes = False  # whether this process is one that receives
        self._aside: ParkingPlace | None = None  # on the publishing connection: who looks there need not receive
        self._making_in = asyncio.Lock()
        self._log = logger("transport").bind(transport=self.name)

    async def open(self, home: Sequence[str]) -> None:
        """Declare the queues. Receiving begins with the first `take`: a process that only sends fetches nothing ahead."""
        for outlet in self._outlets:
            outlet.examine()
        self._home = tuple(home)
        line, _ = await self._publishing()
        async with line.own_channel(self._timeout) as channel:
            await topology.declare(channel, self._home, self._steps, self._timeout)

    async def send(self, parcels: Sequence[Parcel]) -> list[GatewayError | None]:
        answers = [refusal(parcel) for parcel in parcels]
        by_outlet: dict[Outlet, list[int]] = {}
        for number, parcel in enumerate(parcels):
            if answers[number] is None:
                by_outlet.setdefault(self._routes.get(parcel.recipient, self._outlet), []).append(number)
        # Side by side: nobody's parcels wait for another's broker to confirm.
        given = await asyncio.gather(
            *(
                outlet.publish([_outgoing(parcels[number]) for number in numbers], patient=outlet is self._outlet)
                for outlet, numbers in by_outlet.items()
            )
        )
        for numbers, found in zip(by_outlet.values(), given, strict=True):
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        return answers

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
        except TROUBLE as error:
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
            except TROUBLE:
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
            queue=queue,
            body=delivery.body,
            message_id=delivery.message_id,
            sender=delivery.sender,
            headers=headers | ({USER: token.user} if token.user else {}),
        )
        (error,) = await self._outlet.publish([moved], patient=True)
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
        except TROUBLE as error:
            raise BrokerUnavailable(f"the broker does not show what was set aside ({type(error).__name__})") from error

    async def states(self) -> list[QueueState]:
        line, _ = await self._publishing()
        async with line.own_channel(self._timeout) as channel:
            found = [await self._state(channel, authority) for authority in sorted(self._home)]
            unrouted = await self._count(channel, topology.UNROUTED)
        if unrouted:
            found.append(QueueState(name=topology.UNROUTED, waiting=0, parked=unrouted, oldest=None, consumers=None))
        return found

    async def _state(self, channel: AbstractChannel, authority: str) -> QueueState:
        inbound = await channel.declare_queue(topology.inbound(authority), passive=True, timeout=self._timeout)
        ready = inbound.declaration_result.message_count or 0
        bulk = await self._count(channel, topology.parts(authority))
        delayed = [await self._count(channel, topology.delay(authority, step)) for step in self._steps]
        own = self._in[1].unsettled(authority) if self._in is not None else 0
        return QueueState(
            name=authority,
            waiting=ready + bulk + own + sum(delayed),
            parked=await self._count(channel, topology.parked(authority)),
            oldest=None,
            consumers=inbound.declaration_result.consumer_count or 0,
        )

    async def _count(self, channel: AbstractChannel, name: str) -> int:
        queue = await channel.declare_queue(name, passive=True, timeout=self._timeout)
        return queue.declaration_result.message_count or 0

    async def close(self) -> None:
        made, self._in, self._aside = self._in, None, None
        self._takes = False
        await asyncio.gather(*(outlet.close() for outlet in self._outlets))
        if made is not None:
            await self._dialler.hang_up(made[0].connection)

    async def _publishing(self) -> tuple[Line, WindowPublisher]:
        return await self._outlet.open()

    async def _receiving(self) -> tuple[Line, Intake]:
        async with self._making_in:
            if self._in is not None and self._in[1].usable:
                return self._in
            if self._in is not None:
                self._log.warning("connection.lost", direction="in")
                lost, self._in = self._in[0], None
                await self._dialler.give_up(lost)
            line = await self._dialler.dial("in")
            intake = Intake(line.wire, self._pace, user=self._dialler.user)
            try:
                await topology.declare(line.channel, self._home, self._steps, self._timeout)
                await intake.start(self._home, prefetch=self._prefetch, timeout=self._timeout)
            except TROUBLE as error:
                await self._dialler.hang_up(line.connection)
                raise BrokerUnavailable(f"the broker does not let us receive ({type(error).__name__})") from error
            self._in = line, intake
            return self._in

    async def _drop_intake(self, intake: Intake | ParkingPlace) -> None:
        """End the connection an intake lives on, so that the broker gives its unsettled parcels out again.

        A parking place needs none of that: the next look closes its channel.
        """
        async with self._making_in:
            if self._in is not None and self._in[1] is intake:
                lost, self._in = self._in[0], None
                await self._dialler.give_up(lost)


def _outgoing(parcel: Parcel) -> Outgoing:
    return Outgoing(
        exchange=topology.INBOUND,
        queue=(topology.parts if parcel.bulk else topology.inbound)(parcel.recipient),
        body=parcel.body,
        message_id=parcel.message_id,
        sender=parcel.sender,
    )
