"""Receiving from RabbitMQ on one channel: what has arrived is one batch, and an acknowledgement covers as many as it may."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiormq import Channel
from aiormq.abc import ConsumerCallback, DeliveredMessage
from pamqp import commands

from gateway.errors import BrokerUnavailable
from gateway.transport import topology
from gateway.transport.port import MOST_BULK, Delivery

ATTEMPTS = "x-attempts"  # header: how often the message was postponed before
CODE = "x-code"  # header: stable code of the last failure
USER = "x-user"  # header of what was postponed or parked: the user of the broker who had published it; for operations only
_DEATHS = "x-death"  # header: the broker's own record of what it moved


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """Finds a delivery again: only the channel it came through can acknowledge it."""

    intake: "Intake | ParkingPlace"
    tag: int
    user: str  # of the broker, which vouches for it; empty when the publisher did not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often we look whether we still receive."""

    look_seconds: float = 10.0  # pause between two questions to the broker about queues that bring nothing
    renew_seconds: float = 300.0  # a queue that was quiet for so long is consumed anew, whatever the broker says


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A queue that we may no longer receive from."""

    queue: str
    reason: str  # "not-served": the broker has no consumer of ours there; "quiet": nothing came for long


class Intake:
    """The consumers of all home authorities on one channel, from its opening to its loss."""

    def __init__(self, channel: Channel, pace: Pace, *, user: str | None = None) -> None:
        """`user` is who we are to the broker: what we set back ourselves names its first publisher in a header."""
        self._channel = channel
        self._user = user
        self._pace = pace
        self.look_at = asyncio.get_running_loop().time() + pace.look_seconds  # by the clock of the event loop
        self._owners: dict[str, str] = {}  # queue -> authority
        self._heard: set[str] = set()  # queues that brought something since the last look
        self._quiet_since: dict[str, float] = {}  # queue -> when it last brought something, as seen at a look
        self._starved: set[str] = set()  # queues that at the last look had parcels and did not give them to us
        self._arrived: deque[Delivery] = deque()
        self._unsettled: dict[int, str] = {}  # tag -> authority, oldest first
        self._something = asyncio.Event()  # a parcel arrived, or the channel is lost
        self._lost = False
        channel.closing.add_done_callback(self._lose)
        channel.on_consumer_cancel_callbacks.add(self._lose)  # the queue was deleted or its leader is gone

    async def start(self, home: Sequence[str], *, prefetch: int, timeout: float) -> None:  # noqa: ASYNC109 - of each call on the wire
        """Begin to consume. `prefetch` is the number of unsettled parcels per authority, parts of attachments not counted."""
        for count, queue in ((MOST_BULK, topology.parts), (prefetch, topology.inbound)):
            await self._channel.basic_qos(prefetch_count=count, timeout=timeout)  # holds for each consumer that comes after it
            for authority in home:
                # Callbacks, not the library's iterators: those can hang for ever after a silent loss of the channel.
                name = queue(authority)
                await self._channel.basic_consume(name, self._consumer(authority, name), timeout=timeout)
                self._owners[name] = authority
                self._quiet_since[name] = asyncio.get_running_loop().time()

    @property
    def usable(self) -> bool:
        """Whether parcels can still come and be acknowledged."""
        return not self._lost and not self._channel.is_closed

    def unsettled(self, authority: str) -> int:
        """Return how many parcels of one authority were fetched here and not settled."""
        return sum(1 for owner in self._unsettled.values() if owner == authority) if self.usable else 0

    async def take(self, most: int, wait_seconds: float) -> list[Delivery]:
        """Return what has arrived, up to `most`; wait for the first. Raises `BrokerUnavailable` once the channel is lost."""
        if not self._arrived and self.usable:
            self._something.clear()
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._something.wait()
            except TimeoutError:
                return []
        if not self.usable:
            self._arrived.clear()  # they come again; these could not be acknowledged any more
            raise BrokerUnavailable("the connection to the broker was lost")
        return [self._arrived.popleft() for _ in range(min(most, len(self._arrived)))]

    async def look(self, timeout: float) -> Doubt | None:  # noqa: ASYNC109 - of each call on the wire
        """Return a queue that we may no longer receive from, None if there is none or it is not yet time to look.

        The broker gives no list of consumers here, only their number, and other processes take from the same queues. Ours
        is lost when there is none at all, or when twice in a row parcels lie there although none of ours is unsettled and
        none came between. And what the broker says may be wrong: RabbitMQ 3.10 counts a consumer of a queue that was
        deleted and made anew, hands it parcels, and sends none. So a queue that is quiet for long is in doubt as well.
        Raises an AMQP error when the channel is lost, or does not answer.
        """
        now = asyncio.get_running_loop().time()
        if now < self.look_at or not self.usable:
            return None
        self.look_at = now + self._pace.look_seconds
        self._quiet_since.update(dict.fromkeys(self._heard, now))
        starved = set()
        for queue in self._owners.keys() - self._heard:
            found = await self._channel.queue_declare(queue, passive=True, timeout=timeout)
            waits = bool(found.message_count) and queue not in self._heard and not self.unsettled(self._owners[queue])
            if not found.consumer_count or (waits and queue in self._starved):
                return Doubt(queue=queue, reason="not-served")
            if waits:
                starved.add(queue)
            if now >= self._quiet_since[queue] + self._pace.renew_seconds:
                return Doubt(queue=queue, reason="quiet")
        self._starved = starved
        self._heard.clear()
        return None

    async def acknowledge(self, tags: Sequence[int]) -> None:
        """Acknowledge parcels: everything up to the first unsettled one at once, the rest one by one.

        Raises an AMQP error when the channel is lost meanwhile.
        """
        wanted = {tag for tag in tags if tag in self._unsettled}
        run: list[int] = []
        for tag in self._unsettled:
            if tag not in wanted:
                break
            run.append(tag)
        for tag in wanted:
            del self._unsettled[tag]
        # Waiting for the write matters: what still lies in the library's queue is dropped when the connection is closed.
        if run:
            await self._channel.basic_ack(run[-1], multiple=len(run) > 1)
        for tag in sorted(wanted.difference(run)):
            await self._channel.basic_ack(tag)

    def _lose(self, _why: object) -> None:
        self._lost = True
        self._something.set()

    def _consumer(self, authority: str, queue: str) -> ConsumerCallback:
        async def arrived(message: DeliveredMessage) -> None:
            assert isinstance(message.delivery, commands.Basic.Deliver)
            tag = message.delivery.delivery_tag
            assert tag is not None
            user = message.header.properties.user_id or ""
            if user == self._user and isinstance(first := (message.header.properties.headers or {}).get(USER), str):
                user = first
            self._unsettled[tag] = authority
            self._heard.add(queue)
            self._arrived.append(_delivery(authority, message, Token(self, tag, user)))
            self._something.set()

        return arrived


class ParkingPlace:
    """What was set aside, fetched one by one on a channel of its own. Unsettled, it lies there again once that is closed."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def usable(self) -> bool:
        """Whether what was fetched can still be settled."""
        return not self._channel.is_closed

    async def take(self, home: Sequence[str], most: int, timeout: float) -> list[Delivery]:  # noqa: ASYNC109 - of each call on the wire
        """Return up to `most` parcels. Raises an AMQP error when the channel is lost."""
        found: list[Delivery] = []
        for authority in home:
            while len(found) < most:
                message = await self._channel.basic_get(topology.parked(authority), timeout=timeout)
                if not isinstance(message.delivery, commands.Basic.GetOk):
                    break
                tag = message.delivery.delivery_tag
                assert tag is not None
                headers = message.header.properties.headers or {}
                # What the broker set aside itself broke its taker each time; a code it bears is of a pause before that.
                code = headers.get(CODE) if _DEATHS not in headers else None
                delivery = _delivery(authority, message, Token(self, tag, message.header.properties.user_id or ""))
                found.append(replace(delivery, code=code if isinstance(code, str) else None))
        return found

    async def acknowledge(self, tags: Sequence[int]) -> None:
        """Forget parcels. Raises an AMQP error when the channel is lost meanwhile."""
        for tag in tags:
            await self._channel.basic_ack(tag)

    async def close(self) -> None:
        """Let what was not settled lie there again."""
        await self._channel.close()


def _delivery(authority: str, message: DeliveredMessage, token: Token) -> Delivery:
    properties = message.header.properties
    attempts = (properties.headers or {}).get(ATTEMPTS)
    return Delivery(
        queue=authority,
        body=message.body,
        message_id=properties.message_id or "",
        sender=properties.app_id or "",
        attempts=attempts if isinstance(attempts, int) and attempts > 0 else 0,
        token=token,
    )
