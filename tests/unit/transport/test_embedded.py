"""The embedded transport when its database is in trouble. What it does otherwise stands in the contract suite."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from gateway.errors import DatabaseUnavailable, Undeliverable
from gateway.transport.embedded import EmbeddedTransport
from gateway.transport.port import Delivery, Parcel

pytestmark = pytest.mark.anyio


@dataclass
class BrokenQueue:
    """A durable queue of which chosen parts fail; keeps what it took."""

    broken: set[str] = field(default_factory=set)
    poison: str = ""  # message id that cannot be held
    held: list[str] = field(default_factory=list)
    looks: int = 0
    written: bool = True  # since it was asked before
    free: datetime | None = None

    def _try(self, what):
        if what in self.broken:
            raise DatabaseUnavailable("the database does not answer")

    def put(self, parcels, now):
        self._try("put")
        if self.poison in [parcel.message_id for parcel in parcels]:
            raise Undeliverable("the queue cannot hold this parcel")
        self.held += [parcel.message_id for parcel in parcels]

    def changed(self):
        return self.written

    def next_free(self, queues):
        self.looks += 1
        self._try("anything")
        return self.free

    def close(self):
        self._try("close")

    def claim(self, queues, most, now, lease_seconds):
        self._try("claim")
        return ()

    def settle(self, held):
        self._try("settle")

    def postpone(self, row, lease, until, code):
        self._try("postpone")

    def park(self, row, lease, now, code):
        self._try("park")

    def release(self, held, now):
        self._try("release")

    def standings(self, queues):
        self._try("standings")
        return ()


@pytest.fixture
def queue() -> BrokenQueue:
    return BrokenQueue()


@pytest.fixture
async def transport(queue, clock):
    made = EmbeddedTransport(queue, clock=clock, look_seconds=0.05)
    await made.open(["XA-ONE"])
    yield made
    await made.close()


def parcel(number: int, to: str = "XA-ONE") -> Parcel:
    return Parcel(message_id=f"m{number}", sender="XA-ONE", recipient=to, body=b"sealed")


DELIVERY = Delivery(queue="XA-ONE", body=b"", message_id="m", sender="XA-ONE", attempts=0, token=(1, "lease"))


async def test_a_database_that_is_away_is_told_at_the_start(queue, clock):
    queue.broken.add("standings")

    with pytest.raises(DatabaseUnavailable):
        await EmbeddedTransport(queue, clock=clock).open(["XA-ONE"])


async def test_every_good_parcel_is_answered_when_the_database_is_away(queue, transport):
    queue.broken.add("put")

    answers = await transport.send([parcel(1), parcel(2, "XA-TWO"), parcel(3)])

    assert [type(answer) for answer in answers] == [DatabaseUnavailable, Undeliverable, DatabaseUnavailable]


async def test_a_parcel_the_database_cannot_hold_does_not_take_the_others_with_it(queue, transport):
    queue.poison = "m2"

    answers = await transport.send([parcel(1), parcel(2), parcel(3)])

    assert [type(answer) for answer in answers] == [type(None), Undeliverable, type(None)]
    assert queue.held == ["m1", "m3"]


async def test_taking_without_a_database_pauses_before_it_says_so(queue, transport):
    queue.broken |= {"claim", "anything"}

    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await transport.take(50, 5)

    assert 0.05 <= time.monotonic() - began < 5


async def test_settling_without_a_database_is_left_to_the_lease(queue, transport):
    queue.broken.add("settle")

    with capture_logs() as events:
        await transport.settle([DELIVERY])

    assert [(event["event"], event["code"], event["count"]) for event in events] == [
        ("delivery.unsettled", "database-unavailable", 1)
    ]


@pytest.mark.parametrize("what", ["postpone", "park"])
async def test_what_cannot_be_set_back_or_aside_is_told(queue, transport, what):
    queue.broken.add(what)

    with pytest.raises(DatabaseUnavailable):
        await (transport.postpone(DELIVERY, 30, "code") if what == "postpone" else transport.park(DELIVERY, "code"))


async def test_closing_without_a_database_ends_all_the_same(queue, transport):
    queue.broken.add("release")
    transport._held[1] = "lease"

    with capture_logs() as events:
        await transport.close()

    assert transport._thread is None
    assert [event["event"] for event in events] == ["delivery.unsettled"]


async def test_an_idle_taker_looks_again_after_each_pause(queue, transport):
    taking = asyncio.create_task(transport.take(50, 0.3))

    assert await taking == []
    assert 2 <= queue.looks <= 7


# --- an idle taker ----------------------------------------------------------------------------------------------------


async def test_database_in_which_nobody_wrote_is_not_looked_into_again(queue, transport):
    assert await transport.take(50, 0.0) == []  # the first taking claims, the second looks
    assert await transport.take(50, 0.0) == []
    queue.written, before = False, queue.looks

    assert await transport.take(50, 0.2) == []
    assert queue.looks == before


async def test_database_in_which_somebody_wrote_is_looked_into(queue, transport):
    await transport.take(50, 0.0)
    await transport.take(50, 0.0)
    queue.written, before = True, queue.looks

    assert await transport.take(50, 0.0) == []
    assert queue.looks == before + 1


async def test_what_becomes_free_by_time_alone_is_claimed_though_nobody_wrote(queue, transport, clock):
    await transport.take(50, 0.0)
    queue.free = clock() + timedelta(seconds=30)
    await transport.take(50, 0.0)
    queue.written = False
    claims = []
    queue.claim = lambda *words: claims.append(words) or ()

    await transport.take(50, 0.0)
    assert claims == []
    clock.move(seconds=30)
    await transport.take(50, 0.0)
    assert len(claims) >= 1


async def test_look_that_failed_is_made_again_though_nobody_wrote(queue, transport):
    await transport.take(50, 0.0)
    queue.broken.add("anything")
    with pytest.raises(DatabaseUnavailable):
        await transport.take(50, 0.0)
    queue.broken.clear()
    queue.written, before = False, queue.looks

    await transport.take(50, 0.0)
    assert queue.looks == before + 1
