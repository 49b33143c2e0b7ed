"""Two gateways of a simulation, played once for many questions."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Settings
from gateway.simulation.report import Report
from gateway.simulation.run import perform
from gateway.simulation.script import Script
from gateway.wiring.simulated import keys_of_attacker, simulated


@asynccontextmanager
async def rig_of(folder: Path, partner: str = "pk", **how: Any):
    """Yield both sides and the cast."""
    chosen = {"counterpart": None, "over": "memory", "broker": None} | how
    async with simulated(Settings(), partner, folder, **chosen) as both:
        yield both


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Report]]:
    """Play a script in gateways of its own; `before` may change the rig."""

    def playing(script: Script, partner: str = "pk", *, before: Callable[[Any], None] = lambda _: None, **how: Any) -> Report:
        async def run() -> Report:
            async with rig_of(tmp_path, partner, **how) as (rig, cast):
                before(rig)
                return await perform(script, rig, cast, keys_of_attacker(tmp_path), partner=partner)

        return asyncio.run(run())

    return playing
