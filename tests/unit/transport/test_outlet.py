"""One broker that is published to: its trouble stays its own."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway.errors import BrokerUnavailable
from gateway.transport.outlet import Outlet
from gateway.transport.publisher import Outgoing

pytestmark = pytest.mark.anyio
MESSAGE = Outgoing(exchange="inbound", queue="in.XA-ONE", body=b"sealed", message_id="m1", sender="XB-TWO")


class Dialler:
    """A broker that does not answer until it is let; counts who asks."""

    user = "ba"

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()
        self.works = False

    async def dial(self, direction: str) -> SimpleNamespace:
        self.asked += 1
        await self.answers.wait()
        if not self.works:
            raise BrokerUnavailable("the broker cannot be reached")
        connection = SimpleNamespace(connection_tune=SimpleNamespace(frame_max=4096))
        return SimpleNamespace(wire=SimpleNamespace(connection=connection, is_closed=False), connection=None)

    async def hang_up(self, connection: object) -> None:
        """Nothing is open."""


@pytest.fixture
def dialler() -> Dialler:
    return Dialler()


@pytest.fixture
async def outlet(dialler):
    made = Outlet(dialler, timeout_seconds=5)
    yield made
    await made.close()


async def codes(outlet: Outlet, *, patient: bool = False) -> list[str | None]:
    return [error and error.code for error in await outlet.publish([MESSAGE], patient=patient)]


async def test_after_a_failure_nobody_waits_for_the_next_connection(outlet, dialler) -> None:
    dialler.answers.set()
    assert await codes(outlet) == ["broker-unavailable"]
    dialler.answers.clear()

    async with asyncio.timeout(1):
        assert await codes(outlet) == ["broker-unavailable"]
        assert await codes(outlet) == ["broker-unavailable"]

    await asyncio.sleep(0)
    assert dialler.asked == 2  # the attempt beside is one, however often somebody wants to publish


async def test_connection_that_was_made_beside_is_used(outlet, dialler) -> None:
    dialler.answers.set()
    await codes(outlet)
    dialler.works = True
    await codes(outlet)
    await outlet._mending

    assert outlet.made is not None
    assert not outlet._troubled


async def test_patient_publisher_waits_for_the_connection(outlet, dialler) -> None:
    dialler.answers.set()
    await codes(outlet, patient=True)
    await codes(outlet, patient=True)

    assert dialler.asked == 2
    assert outlet._mending is None


async def test_closing_ends_the_attempt_beside(dialler) -> None:
    outlet = Outlet(dialler, timeout_seconds=5)
    dialler.answers.set()
    await codes(outlet)
    dialler.answers.clear()
    await codes(outlet)

    await outlet.close()

    assert outlet._mending.cancelled()
