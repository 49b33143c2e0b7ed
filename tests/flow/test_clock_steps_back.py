"""A clock that is set back while a batch is worked on: nothing is signed that contradicts itself, so nothing is refused for it.

The clock is within what two machines may differ by, before and after; the step between is longer than that.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.flow.draft import Sent
from tests.forging import hand_in_entry, row_of
from tests.gateways import Gateway, exchange

pytestmark = pytest.mark.anyio

OFF = timedelta(minutes=4)
STEPS = range(1, 9)  # after how many looks at the clock it is set back


class SetBack:
    """A clock that is four minutes ahead for the first looks, and four minutes behind after them."""

    def __init__(self, now: datetime, looks: int) -> None:
        self._now, self._looks = now, looks

    def __call__(self) -> datetime:
        self._looks -= 1
        return self._now + (OFF if self._looks >= 0 else -OFF)


def with_clock(side: Gateway, clock: SetBack) -> Gateway:
    return replace(side, rt=replace(side.rt, clock=clock))


@pytest.mark.parametrize("looks", STEPS)
async def test_message_is_taken_whenever_its_sender_s_clock_was_set_back(two_gateways, clock, looks) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(with_clock(west, SetBack(clock.now, looks)), Created=None)
    assert isinstance(sent, Sent)
    clock.move(minutes=5)  # so that a lease by the clock that was ahead is over
    await exchange(west, east)
    assert row_of(west, "out", "AT-BMI", sent.message_id).outcome == "received"
    assert row_of(east, "in", "AT-BMI", sent.message_id).outcome == "accepted"


@pytest.mark.parametrize("looks", STEPS)
async def test_receipt_is_taken_whenever_the_clock_of_who_issues_it_was_set_back(two_gateways, clock, looks) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    assert isinstance(sent, Sent)
    await west.deliver()
    (answer,) = await with_clock(east, SetBack(clock.now, looks)).take_in()
    assert answer.outcome == "accepted"
    clock.move(minutes=5)
    await exchange(west, east)
    row = row_of(west, "out", "AT-BMI", sent.message_id)
    assert row.outcome == "received"
    assert row.received_at == row_of(east, "in", "AT-BMI", sent.message_id).received_at
