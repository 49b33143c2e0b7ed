"""Nobody waits for another's trouble: a recipient that never answers, one that is away, a sender that floods."""

import asyncio
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from types import MappingProxyType

import pytest

from gateway.domain.pace import Pace
from gateway.errors import BrokerUnavailable, GatewayError
from gateway.flow import loops
from gateway.flow.draft import Sent
from gateway.transport.memory import MemoryHub, MemoryTransport
from gateway.transport.port import Parcel
from gateway.wire.documents import serialize
from tests.flow.test_loops import running, until
from tests.forging import TO_ORIGIN, application, count, hand_in_entry, row_of
from tests.gateways import Gateway

pytestmark = pytest.mark.anyio


class Silent(MemoryTransport):
    """A transport that answers nothing for one recipient, until it is told to say no."""

    def __init__(self, hub: MemoryHub, silent: str) -> None:
        super().__init__(hub)
        self.silent = silent
        self.asked = 0
        self.gives_up = asyncio.Event()

    async def send(self, parcels: Sequence[Parcel]) -> list[GatewayError | None]:
        if all(parcel.recipient != self.silent for parcel in parcels):
            return await super().send(parcels)
        self.asked += 1
        await self.gives_up.wait()
        return [await self._answer(parcel) for parcel in parcels]

    async def _answer(self, parcel: Parcel) -> GatewayError | None:
        if parcel.recipient == self.silent:
            return BrokerUnavailable("no confirm")
        return (await super().send([parcel]))[0]


def send_to_pakistan(side: Gateway) -> Sent:
    held = side.hand_in(serialize(application(side.rt.clock(), TO_ORIGIN)), authority="BA-MS")
    sent = side.release(held.case_id)
    assert isinstance(sent, Sent)
    return sent


def limited(side: Gateway, partner: str, **limits: float) -> Gateway:
    """Return the side with limits for a partner."""
    known = side.rt.directory.known
    changed = replace(known.partners.partners[partner], pace=Pace(**limits))
    directory = copy(side.rt.directory)
    partners = MappingProxyType({**known.partners.partners, partner: changed})
    directory.known = replace(known, partners=replace(known.partners, partners=partners))
    return replace(side, rt=replace(side.rt, directory=directory))


async def test_recipient_that_never_answers_keeps_no_other_waiting(two_gateways, monkeypatch) -> None:
    monkeypatch.setattr(loops, "SLOW_SECONDS", 0.01)
    west, _ = two_gateways
    silent = Silent(west.hub, "RS-MUP")
    side = replace(west, rt=replace(west.rt, transport=silent))
    async with running(side.rt, names=["deliver"]):
        stuck = (await asyncio.to_thread(hand_in_entry, side))[0]
        await until(lambda: silent.asked == 1)
        other = await asyncio.to_thread(send_to_pakistan, side)
        await until(lambda: row_of(side, "out", "BA-MS", other.message_id).outcome == "sent")
        assert row_of(side, "out", "AT-BMI", stuck.message_id).outcome == "waiting"
        silent.gives_up.set()
    assert count(side.rt.engine, "outbox") == {"outbox": 1}  # settled before the loop ended, and it waits for its next attempt


async def test_loop_sends_to_a_stopped_line_again_when_its_pause_is_over(two_gateways, clock, monkeypatch) -> None:
    monkeypatch.setattr(loops, "POLL_SECONDS", 0.01)
    west, _ = two_gateways
    silent = Silent(west.hub, "RS-MUP")
    silent.gives_up.set()
    side = replace(west, rt=replace(west.rt, transport=silent))
    async with running(side.rt, names=["deliver"]):
        sent = [(await asyncio.to_thread(hand_in_entry, side))[0] for _ in range(5)]
        await until(lambda: side.rt.lines.known.get("RS-MUP") is not None and side.rt.lines.known["RS-MUP"].failures == 5)
        silent.silent = "nobody"
        clock.move(seconds=2)
        await until(lambda: count(side.rt.engine, "outbox") == {"outbox": 0})
    assert {row_of(side, "out", "AT-BMI", one.message_id).outcome for one in sent} == {"sent"}


async def test_flood_of_one_sender_waits_and_nothing_of_it_is_lost(two_gateways, clock, monkeypatch) -> None:
    monkeypatch.setattr(loops, "POLL_SECONDS", 0.01)
    west, east = two_gateways
    for _ in range(4):
        hand_in_entry(west)
    await west.deliver()
    east = limited(east, "at", taken_per_minute=2)
    async with running(east.rt, names=["consume"]):
        await until(lambda: count(east.rt.engine, "cases") == {"cases": 2})
        await until(lambda: [item.attempts for item in east.hub.queues["RS-MUP"]] == [1, 1])
        clock.move(seconds=60)
        await until(lambda: count(east.rt.engine, "cases") == {"cases": 4})
        await until(lambda: east.hub.queues["RS-MUP"] == [])
