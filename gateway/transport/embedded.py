"""The embedded default: durable queues in the gateway's own database. No broker to install, nothing to configure.

All statements run on one worker thread, so that the event loop never waits for the disk. A parcel sent in this process
wakes the taker at once; one sent by another process is found by the next look, which stays the truth.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import ParamSpec, Protocol, TypeVar

from gateway.errors import DatabaseUnavailable, GatewayError, Undeliverable
from gateway.log import logger
from gateway.transport.port import MOST_BULK, Delivery, Parcel, QueueState, refusal

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class LeasedRow(Protocol):
    """A row of a durable queue that is ours until its lease ends."""

    @property
    def id(self) -> int: ...
    @property
    def lease(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def attempts(self) -> int: ...
    @property
    def code(self) -> str | None: ...


class QueueStanding(Protocol):
    """How a durable queue stands."""

    @property
    def queue(self) -> str: ...
    @property
    def waiting(self) -> int: ...
    @property
    def parked(self) -> int: ...
    @property
    def oldest(self) -> datetime | None: ...


class DurableQueue(Protocol):
    """What this transport needs of a database; `gateway.store.queue.DatabaseQueue` is it. Synchronous."""

    def put(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """Add all or none, durably. Raises `Undeliverable` or `DatabaseUnavailable`."""
        ...

    def claim(self, queues: Sequence[str], most: int, now: datetime, lease_seconds: int) -> Sequence[LeasedRow]:
        """Lease up to `most` free rows, oldest first."""
        ...

    def claim_parked(self, queues: Sequence[str], most: int) -> Sequence[LeasedRow]:
        """Lease up to `most` rows that were set aside, oldest first; they stay set aside."""
        ...

    def next_free(self, queues: Sequence[str]) -> datetime | None:
        """Return from when on a row is free (it may be past), None when none will be. Takes no write lock."""
        ...

    def changed(self) -> bool:
        """Say whether anybody wrote into the database since this was asked before; yes where that is not known."""
        ...

    def close(self) -> None:
        """Close what `changed` keeps open."""
        ...

    def settle(self, held: Sequence[tuple[int, str]]) -> None:
        """Remove rows by id and lease."""
        ...

    def postpone(self, row: int, lease: str, until: datetime, code: str) -> None:
        """Set a row back until `until`, with one attempt more."""
        ...

    def park(self, row: int, lease: str, now: datetime, code: str) -> None:
        """Set a row aside."""
        ...

    def release(self, held: Sequence[tuple[int, str]], now: datetime) -> None:
        """Give leases back."""
        ...

    def standings(self, queues: Sequence[str]) -> Sequence[QueueStanding]:
        """Return how each of these queues stands."""
        ...


_PARTS = ".parts"  # no authority code has a dot


def _parts(authority: str) -> str:
    """Return the name of the queue for parts of attachments."""
    return authority + _PARTS


def _addressed(parcel: Parcel) -> Parcel:
    """Return a parcel with the name of its queue."""
    return replace(parcel, recipient=_parts(parcel.recipient)) if parcel.bulk else parcel


class EmbeddedTransport:
    """The port on a durable queue. It carries between authorities that are home on this same gateway."""

    name = "embedded"
    cut_off = False  # the database is asked anew each time

    def __init__(
        self,
        queue: DurableQueue,
        *,
        clock: Callable[[], datetime],
        lease_seconds: int = 120,
        look_seconds: float = 0.5,
    ) -> None:
        """`lease_seconds`: after a crash a taken parcel comes back this late. `look_seconds`: pause between two looks."""
        self._queue = queue
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._look_seconds = look_seconds
        self._home: tuple[str, ...] = ()
        self._held: dict[int, str] = {}  # row -> lease, of what was taken here and not settled
        self._busy = True  # the last claim found something, so the next look goes straight to a claim
        self._bulky = True  # the same for parts of attachments
        self._next_look = 0.0  # monotonic seconds; until then nobody looks for parts unless some were seen
        self._look_at = 0.0  # seconds of the event loop; until then nobody looks again, unless something is sent here
        self._next_free: datetime | None = None  # by the last look; it holds until somebody writes
        self._looked = False  # whether there was a look since somebody wrote
        self._sent = asyncio.Event()
        self._thread: ThreadPoolExecutor | None = None
        self._log = logger("transport").bind(transport=self.name)

    async def _run(self, work: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="queue")
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))

    async def open(self, home: Sequence[str]) -> None:
        self._home = tuple(home)
        await self._run(self._queue.standings, self._queues)  # a database that is away is told at the start

    @property
    def _queues(self) -> tuple[str, ...]:
        return (*self._home, *map(_parts, self._home))

    async def send(self, parcels: Sequence[Parcel]) -> list[GatewayError | None]:
        answers = [self._refusal(parcel) for parcel in parcels]
        good = [number for number, answer in enumerate(answers) if answer is None]
        if not good:
            return answers
        try:
            await self._run(self._queue.put, [_addressed(parcels[number]) for number in good], self._clock())
        except DatabaseUnavailable as error:
            for number in good:
                answers[number] = error
        except GatewayError:
            # One of them cannot be held: each alone, so that it does not take the others with it.
            for number in good:
                answers[number] = await self._put_alone(parcels[number])
        self._bulky = self._bulky or any(parcel.bulk for parcel in parcels)
        self._sent.set()
        return answers

    def _refusal(self, parcel: Parcel) -> GatewayError | None:
        if (error := refusal(parcel)) is not None:
            return error
        if parcel.recipient not in self._home:
            return Undeliverable(f"{parcel.recipient} is not home on this gateway; the embedded queue leads nowhere else")
        return None

    async def _put_alone(self, parcel: Parcel) -> GatewayError | None:
        try:
            await self._run(self._queue.put, [_addressed(parcel)], self._clock())
        except GatewayError as error:
            return error
        return None

    async def take(self, most: int, wait_seconds: float) -> list[Delivery]:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_seconds
        while True:
            if self._sent.is_set() or not loop.time() < self._look_at <= until:  # else a taking before this one has just looked
                self._sent.clear()  # before the look: what is sent during it wakes us again
                try:
                    if found := await self._claim(most):
                        return found
                except DatabaseUnavailable:
                    await asyncio.sleep(min(self._look_seconds, max(0.0, until - loop.time())))
                    raise
                self._look_at = loop.time() + self._look_seconds
            remaining = until - loop.time()
            if remaining <= 0:
                return []
            try:
                async with asyncio.timeout(min(self._look_at - loop.time(), remaining)):
                    await self._sent.wait()
            except TimeoutError:
                continue  # time for another look

    async def _claim(self, most: int) -> list[Delivery]:
        return list(map(_delivery, await self._run(self._claim_rows, most, self._clock())))

    def _claim_rows(self, most: int, now: datetime) -> Sequence[LeasedRow]:
        """Lease rows, on the worker thread: what a cancelled `take` leased is known here and given back by `close`."""
        if not (self._busy or self._bulky or self._anything(now)):
            return ()
        rows = self._queue.claim(self._home, most, now, self._lease_seconds)
        self._held.update((row.id, row.lease) for row in rows)
        self._busy = bool(rows)
        self._bulky = self._bulky or not rows  # then it was parts that were seen
        return [*rows, *self._claim_parts(now)]

    def _anything(self, now: datetime) -> bool:
        """Say whether a row is free; the database is only asked when somebody has written to it."""
        if self._queue.changed():
            self._looked = False
        if not self._looked:
            self._next_free = self._queue.next_free(self._queues)
            self._looked = True
        return self._next_free is not None and self._next_free <= now

    def _claim_parts(self, now: datetime) -> Sequence[LeasedRow]:
        """Lease a few parts of attachments, on the worker thread.

        Where there were none, the next look is not before its time: messages that follow each other closely do not wait for it.
        """
        if not self._bulky and monotonic() < self._next_look:
            return ()
        names = tuple(map(_parts, self._home))
        self._next_look = monotonic() + self._look_seconds
        free = self._queue.next_free(names)
        self._bulky = free is not None and free <= now
        rows = self._queue.claim(names, MOST_BULK, now, self._lease_seconds) if self._bulky else ()
        self._held.update((row.id, row.lease) for row in rows)
        return rows

    def _let_go(self, delivery: Delivery) -> tuple[int, str]:
        row, lease = delivery.token
        if self._held.get(row) == lease:
            del self._held[row]
        return row, lease

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        held = [self._let_go(delivery) for delivery in deliveries]
        if not held:
            return
        try:
            await self._run(self._queue.settle, held)
        except DatabaseUnavailable as error:
            self._log.warning("delivery.unsettled", count=len(held), code=error.code)

    async def postpone(self, delivery: Delivery, seconds: int, code: str) -> None:
        row, lease = self._let_go(delivery)
        await self._run(self._queue.postpone, row, lease, self._clock() + timedelta(seconds=seconds), code)

    async def park(self, delivery: Delivery, code: str) -> None:
        row, lease = self._let_go(delivery)
        await self._run(self._queue.park, row, lease, self._clock(), code)

    async def take_parked(self, most: int) -> list[Delivery]:
        return list(map(_delivery, await self._run(self._queue.claim_parked, self._queues, most)))

    async def states(self) -> list[QueueState]:
        standings = {one.queue: one for one in await self._run(self._queue.standings, self._queues)}
        return [_state(home, standings[home], standings[_parts(home)]) for home in sorted(self._home)]

    async def close(self) -> None:
        if self._thread is None:
            return
        try:
            await self._run(self._release_all)
        except DatabaseUnavailable as error:
            self._log.warning("delivery.unsettled", count=len(self._held), code=error.code)  # the leases run out
        self._thread.shutdown(wait=False)
        self._thread = None

    def _release_all(self) -> None:
        self._queue.close()
        if self._held:
            self._queue.release(list(self._held.items()), self._clock())
            self._held.clear()


def _delivery(row: LeasedRow) -> Delivery:
    return Delivery(
        queue=row.queue.removesuffix(_PARTS),
        body=row.body,
        message_id=row.message_id,
        sender=row.sender,
        attempts=row.attempts,
        token=(row.id, row.lease),
        code=row.code,
    )


def _state(home: str, messages: QueueStanding, parts: QueueStanding) -> QueueState:
    oldest = min((one.oldest for one in (messages, parts) if one.oldest is not None), default=None)
    waiting, parked = messages.waiting + parts.waiting, messages.parked + parts.parked
    return QueueState(name=home, waiting=waiting, parked=parked, oldest=oldest, consumers=None)
