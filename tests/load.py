"""Load between two gateways with their loops, on brokers that a test breaks meanwhile; and what must be so at the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import select

from gateway.flow.loops import run
from gateway.store import journal
from gateway.store import tables as t
from gateway.store.database import reading
from gateway.transport.memory import MemoryHub
from gateway.transport.port import Transport
from tests.brokers import until
from tests.forging import count, hand_in_entry, journalled
from tests.gateways import Gateway, make_gateway

SOON = 60.0  # seconds; the bound of every wait
PACE = 0.1  # seconds between two messages
MORE = 10  # messages that must arrive before the next thing happens


class RunningClock:
    """A clock that begins on the day of the tests and runs: what is tried again must become due."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        return datetime(2026, 6, 1, 8, 15, tzinfo=UTC) + timedelta(seconds=time.monotonic() - self._began)


@dataclass(kw_only=True)
class Load:
    """What was handed in at the west, one message after the other, and what arrived in the east."""

    west: Gateway
    east: Gateway
    sent: dict[str, datetime]  # message id -> when it was handed in

    async def flow(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            result, _ = await asyncio.to_thread(hand_in_entry, self.west)
            self.sent[result.message_id] = self.west.rt.clock()
            await asyncio.sleep(PACE)

    def arrived(self) -> dict[str, datetime]:
        """Return when each message arrived; one that did twice has two rows, and fails here."""
        wanted = (t.messages.c.message_id, t.messages.c.received_at)
        with reading(self.east.rt.engine) as tx:
            rows = tx.execute(select(*wanted).where(t.messages.c.direction == "in")).all()
        assert len({one for one, _ in rows}) == len(rows)
        return dict(rows)

    async def until_more(self) -> None:
        """Wait until some of what was handed in from now on has arrived."""
        wanted = len(self.sent) + MORE

        async def there() -> bool:
            return len(self.sent) >= wanted and set(list(self.sent)[wanted - MORE : wanted]) <= self.arrived().keys()

        await until(there, SOON)

    def pause_after(self, at: datetime) -> float:
        """Return the longest time in seconds in which nothing arrived, from `at` on."""
        instants = [at, *sorted(one for one in self.arrived().values() if one > at)]
        return max((later - earlier).total_seconds() for earlier, later in pairwise(instants))

    def slowest(self) -> float:
        """Return the longest time in seconds from handing in to arrival."""
        arrived = self.arrived()
        return max((arrived[one] - at).total_seconds() for one, at in self.sent.items())


@asynccontextmanager
async def loaded(folder: Path, keys: Path, *, west: Transport, east: Transport) -> AsyncIterator[Load]:
    """Two gateways with a database each in `folder`, their loops, and load from west to east until the block is left."""
    clock = RunningClock()
    hub = MemoryHub(clock)
    sides = []
    for name, home, carrier in (("west", ("BA-MS", "AT-BMI"), west), ("east", ("PK-MOI", "RS-MUP"), east)):
        url = f"sqlite:///{folder / name}.sqlite3"
        made = make_gateway(url, keys, clock, home=home, hub=hub, retry_seconds=(1,) * 60)
        sides.append(replace(made, rt=replace(made.rt, transport=carrier)))
    load = Load(west=sides[0], east=sides[1], sent={})
    stop, ended = asyncio.Event(), asyncio.Event()
    async with AsyncExitStack() as stack:
        for side in sides:
            stack.callback(side.rt.engine.dispose)
        for side in sides:
            # Before anything is sent: what a shovel relays to a queue not yet declared lies in `unrouted`, for operations.
            await side.rt.transport.open(side.rt.settings.home)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for side in sides:
            group.create_task(run(("consume", "deliver"), side.rt, stop))
        flowing = group.create_task(load.flow(ended))
        try:
            yield load
            ended.set()
            await flowing
            await until_at_rest(load)
        finally:
            ended.set()
            stop.set()


async def until_at_rest(load: Load) -> None:
    async def rest() -> bool:
        with reading(load.west.rt.engine) as tx:
            open_rows = tx.execute(
                select(t.messages.c.id).where(
                    t.messages.c.direction == "out", t.messages.c.outcome.is_distinct_from("received")
                )
            ).all()
        return not open_rows and all(count(side.rt.engine, "outbox")["outbox"] == 0 for side in (load.west, load.east))

    await until(rest, SOON)


def assert_exactly_once(load: Load) -> None:
    """Everything that was handed in arrived once, has its receipt, and nothing was refused or set aside; journals are whole."""
    assert load.arrived().keys() == load.sent.keys()
    assert count(load.east.rt.engine, "cases", "inbox") == dict.fromkeys(("cases", "inbox"), len(load.sent))
    for side in (load.west, load.east):
        assert journalled(side.rt.engine, "message.refused") == []
        assert journalled(side.rt.engine, "message.parked") == []
        with reading(side.rt.engine) as tx:
            assert journal.verify(tx)[1] == []
