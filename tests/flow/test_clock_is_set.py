"""A clock that is set while a batch is worked on: nothing is signed that contradicts itself, so nothing is refused for it.

The clock is within what two machines may differ by, before and after; the step between is longer than that.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.flow.draft import Sent
from tests.forging import hand_in_entry, row_of, take
from tests.gateways import Gateway, exchange

pytestmark = pytest.mark.anyio

OFF = timedelta(minutes=4)
NONE = timedelta(0)
LOOKS = range(1, 9)  # after how many looks at the clock it is set


class SetOnce:
    """A clock that is off by one amount for the first looks, and by another after them."""

    def __init__(self, now: datetime, looks: int, *, first: timedelta = OFF, then: timedelta = -OFF) -> None:
        self._now, self._looks, self._first, self._then = now, looks, first, then

    def __call__(self) -> datetime:
        self._looks -= 1
        return self._now + (self._first if self._looks >= 0 else self._then)


def with_clock(side: Gateway, clock: SetOnce) -> Gateway:
    return replace(side, rt=replace(side.rt, clock=clock))


@pytest.mark.parametrize("looks", LOOKS)
async def test_message_is_taken_whenever_its_sender_s_clock_was_set_back(two_gateways, clock, looks) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(with_clock(west, SetOnce(clock.now, looks)), Created=None)
    assert isinstance(sent, Sent)
    clock.move(minutes=6)  # so that a lease by the clock that was ahead is over
    await exchange(west, east)
    assert row_of(west, "out", "AT-BMI", sent.message_id).outcome == "received"
    assert row_of(east, "in", "AT-BMI", sent.message_id).outcome == "accepted"


@pytest.mark.parametrize("signed", [-OFF, NONE, OFF], ids=["signed behind", "signed in time", "signed ahead"])
@pytest.mark.parametrize("first", [-OFF, NONE, OFF], ids=["taken behind", "taken in time", "taken ahead"])
@pytest.mark.parametrize("then", [-OFF, NONE, OFF], ids=["saved behind", "saved in time", "saved ahead"])
@pytest.mark.parametrize("looks", range(1, 4))
async def test_receipt_is_taken_whenever_the_clock_of_who_issues_it_was_set(
    two_gateways, clock, signed, first, then, looks
) -> None:
    """What cannot be said while the clock is behind is said when it is right again; no message and no receipt is lost."""
    west, east = two_gateways
    await _something_came(west, east)  # the record by which a clock is known to be behind
    sent, _ = hand_in_entry(with_clock(west, SetOnce(clock.now, 0, then=signed)), Created=None)
    assert isinstance(sent, Sent)
    clock.move(minutes=6)  # a lease by the clock that was ahead is over
    await west.deliver()
    (delivery,) = await east.rt.transport.take(1, 0.0)
    clock.move(minutes=-6)

    (answer,) = take(with_clock(east, SetOnce(clock.now, looks, first=first, then=then)).rt, delivery.body)
    if answer.outcome == "postponed":
        (answer,) = take(east.rt, delivery.body)
    assert answer.outcome == "accepted"

    clock.move(minutes=6)
    await exchange(west, east)
    row = row_of(west, "out", "AT-BMI", sent.message_id)
    assert row.outcome == "received"
    assert row.received_at == row_of(east, "in", "AT-BMI", sent.message_id).received_at


async def _something_came(west: Gateway, east: Gateway) -> None:
    hand_in_entry(west)
    await exchange(west, east)
