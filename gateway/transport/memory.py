"""A transport in the memory of one process: for tests and for trying things out. Everything is lost at its end."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.errors import GatewayError, Undeliverable
from gateway.transport.port import MOST_BULK, Delivery, Parcel, QueueState, refusal


@dataclass(slots=True)
class _Item:
    number: int  # order of sending
    parcel: Parcel
    sent_at: datetime
    available_at: datetime
    attempts: int = 0
    taken_by: "MemoryTransport | None" = None
    lease: int = 0  # counts the takings; only the last one may settle
    parked: str | None = None  # code


@dataclass(slots=True)
class MemoryHub:
    """What several transports of one process share: the far side."""

    clock: Callable[[], datetime]
    queues: dict[str, list[_Item]] = field(default_factory=dict)
    arrivals: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)


class MemoryTransport:
    """The double of the port; two of them on one hub are two gateways."""

    name = "memory"
    cut_off = False  # nothing lies between

    def __init__(self, hub: MemoryHub) -> None:
        self._hub = hub
        self._home: tuple[str, ...] = ()

    async def open(self, home: Sequence[str]) -> None:
        self._home = tuple(home)
        for authority in home:
            self._hub.queues.setdefault(authority, [])

    async def send(self, parcels: Sequence[Parcel]) -> list[GatewayError | None]:
        answers = [self._put(parcel) for parcel in parcels]
        self._hub.arrivals.set()
        return answers

    def _put(self, parcel: Parcel) -> GatewayError | None:
        if (error := refusal(parcel)) is not None:
            return error
        queue = self._hub.queues.get(parcel.recipient)
        if queue is None:
            return Undeliverable(f"nobody receives for {parcel.recipient}")
        now = self._hub.clock()
        queue.append(_Item(next(self._hub.numbers), parcel, sent_at=now, available_at=now))
        return None

    async def take(self, most: int, wait_seconds: float) -> list[Delivery]:
        try:
            async with asyncio.timeout(wait_seconds):
                while not (found := self._claim(most)):
                    self._hub.arrivals.clear()
                    await self._hub.arrivals.wait()
        except TimeoutError:
            return self._claim(most)  # the clock may have moved without a sound
        return found

    def _claim(self, most: int) -> list[Delivery]:
        now = self._hub.clock()
        ready = [
            item
            for authority in self._home
            for item in self._hub.queues[authority]
            if item.taken_by is None and item.parked is None and item.available_at <= now
        ]
        ready.sort(key=lambda item: item.number)
        small = [item for item in ready if not item.parcel.bulk]
        bulk = [item for authority in self._home for item in _bulk_of(authority, ready)]
        return self._hold([*small[:most], *bulk])

    def _hold(self, batch: Sequence[_Item]) -> list[Delivery]:
        for item in batch:
            item.taken_by = self
            item.lease += 1
        return [
            Delivery(
                queue=item.parcel.recipient,
                body=item.parcel.body,
                message_id=item.parcel.message_id,
                sender=item.parcel.sender,
                attempts=item.attempts,
                token=(item, item.lease),
                code=item.parked,
            )
            for item in batch
        ]

    def _held(self, delivery: Delivery) -> _Item | None:
        """Return the item if this transport still holds it: what went back to the queue is no longer its business."""
        item: _Item
        item, lease = delivery.token
        return item if item.taken_by is self and item.lease == lease else None

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if (item := self._held(delivery)) is not None:
                self._hub.queues[delivery.queue].remove(item)
                item.taken_by = None

    async def postpone(self, delivery: Delivery, seconds: int, code: str) -> None:
        del code  # nobody reads it here
        if (item := self._held(delivery)) is not None:
            item.attempts += 1
            item.available_at = self._hub.clock() + timedelta(seconds=seconds)
            item.taken_by = None

    async def park(self, delivery: Delivery, code: str) -> None:
        if (item := self._held(delivery)) is not None:
            item.parked = code
            item.taken_by = None

    async def take_parked(self, most: int) -> list[Delivery]:
        aside = [item for home in self._home for item in self._hub.queues[home] if item.parked is not None]
        return self._hold(sorted(aside, key=lambda item: item.number)[:most])

    async def states(self) -> list[QueueState]:
        return [self._state(authority) for authority in sorted(self._home)]

    def _state(self, authority: str) -> QueueState:
        items = self._hub.queues[authority]
        waiting = [item for item in items if item.parked is None]
        return QueueState(
            name=authority,
            waiting=len(waiting),
            parked=len(items) - len(waiting),
            oldest=min((item.sent_at for item in waiting), default=None),
            consumers=None,
        )

    async def close(self) -> None:
        for items in self._hub.queues.values():
            for item in items:
                if item.taken_by is self:
                    item.taken_by = None
        self._hub.arrivals.set()
        self._home = ()


def _bulk_of(authority: str, ready: Sequence[_Item]) -> list[_Item]:
    """Return what one batch brings of the parts of attachments that were sent to an authority."""
    return [item for item in ready if item.parcel.bulk and item.parcel.recipient == authority][:MOST_BULK]
