"""Rounds of deliveries, of which a slow one does not hold up the next.

A broker that does not confirm for one recipient answers only at the end of the transport's time limit. Such a round goes on
by itself; its rows are leased for longer than that limit, so nobody sends them a second time meanwhile.
"""

import asyncio
from collections.abc import Coroutine

MOST_AT_ONCE = 8  # rounds: what lies in memory stays bounded while a broker confirms nothing at all


class Rounds:
    """The rounds under way of one delivery loop."""

    def __init__(self, slow_seconds: float) -> None:
        """`slow_seconds`: a round that takes longer is left to go on by itself."""
        self._slow_seconds = slow_seconds
        self._going: set[asyncio.Task[None]] = set()

    async def run(self, work: Coroutine[None, None, None]) -> None:
        """Begin a round and return when it has ended or is slow. Raises what it, or an earlier one that ended, raised."""
        task = asyncio.ensure_future(work)
        self._going.add(task)
        await asyncio.wait({task}, timeout=self._slow_seconds)
        if len(self._going) >= MOST_AT_ONCE:
            await asyncio.wait(self._going, return_when=asyncio.FIRST_COMPLETED)
        self._collect()

    async def end(self) -> None:
        """Wait for all rounds. Raises what they raised."""
        while self._going:
            await asyncio.wait(self._going)
            self._collect()

    def cancel(self) -> None:
        """Stop what still goes on: the loop failed, and leases bring the rows back."""
        for task in self._going:
            task.cancel()

    def _collect(self) -> None:
        ended = [task for task in self._going if task.done()]
        self._going.difference_update(ended)
        errors = [error for task in ended if (error := task.exception()) is not None]
        if errors:
            raise errors[0]
