"""A case at rest between two gateways, under rules that have every limit."""

import pytest

from tests.steps import Thread, asked, ruled


@pytest.fixture
async def case(two_gateways, clock) -> Thread:
    """An application received on Monday 1 June 2026, under rules by which silence is agreement."""
    return await asked(*ruled(two_gateways), clock)


@pytest.fixture
async def agreed(case: Thread) -> Thread:
    """The same, agreed to on the same day."""
    await case.answered()
    return case
