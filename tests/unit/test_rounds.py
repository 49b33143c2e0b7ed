"""A slow round of deliveries goes on by itself: the next begins, and what went wrong in it is told later."""

import asyncio

import pytest

from gateway.errors import DatabaseUnavailable
from gateway.flow import rounds
from gateway.flow.rounds import Rounds

pytestmark = pytest.mark.anyio

NOT_SLOW = 30.0  # seconds; nothing here takes that long
SLOW_AT_ONCE = 0.0


async def test_quick_round_is_over_when_the_call_returns() -> None:
    done = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(1)

    await Rounds(NOT_SLOW).run(work())
    assert done == [1]


async def test_slow_round_holds_up_no_other() -> None:
    answered = asyncio.Event()
    done = []

    async def silent() -> None:
        await answered.wait()
        done.append("silent")

    async def quick() -> None:
        done.append("quick")

    going = Rounds(SLOW_AT_ONCE)
    await going.run(silent())
    await going.run(quick())
    await asyncio.sleep(0)
    assert done == ["quick"]
    answered.set()
    await going.end()
    assert done == ["quick", "silent"]


async def test_trouble_of_a_round_is_told_by_the_call_that_finds_it_ended() -> None:
    async def failing() -> None:
        raise DatabaseUnavailable("the database does not answer")

    with pytest.raises(DatabaseUnavailable):
        await Rounds(NOT_SLOW).run(failing())


async def test_every_round_is_asked_how_it_ended(recwarn) -> None:
    answered = asyncio.Event()

    async def failing() -> None:
        await answered.wait()
        raise DatabaseUnavailable("the database does not answer")

    going = Rounds(SLOW_AT_ONCE)
    await going.run(failing())
    await going.run(failing())
    answered.set()
    with pytest.raises(DatabaseUnavailable):
        await going.end()
    await going.end()
    assert not recwarn.list


async def test_rounds_at_once_are_bounded(monkeypatch) -> None:
    monkeypatch.setattr(rounds, "MOST_AT_ONCE", 2)
    answered = asyncio.Event()

    async def silent() -> None:
        await answered.wait()

    going = Rounds(SLOW_AT_ONCE)
    await going.run(silent())
    second = asyncio.ensure_future(going.run(silent()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not second.done()
    answered.set()
    await second
    await going.end()


async def test_cancelled_rounds_end() -> None:
    forever = asyncio.Event()
    ended = []

    async def silent() -> None:
        try:
            await forever.wait()
        finally:
            ended.append(1)

    going = Rounds(SLOW_AT_ONCE)
    await going.run(silent())
    await asyncio.sleep(0)
    going.cancel()
    await asyncio.sleep(0)
    assert ended == [1]
