"""Whether the machine's clock may be trusted: a clock that jumps must not run limits out."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.flow.ports import Clock, Runtime
from gateway.log import logger
from gateway.store import journal
from gateway.store.database import reading, transaction

log = logger("timekeeping")

TOLERANCE = timedelta(seconds=60)  # between two looks a clock may be corrected by this much


class ClockGuard:
    """Compares the clock of the day with the counter that never jumps, from one look to the next.

    A jump stays a jump until the clock is right again or the process is started anew by a person.
    """

    def __init__(self, clock: Clock, counter: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._counter = clock, counter
        self._wall, self._count = clock(), counter()

    def jump(self) -> timedelta | None:
        """Return by how much the clock jumped since the last look at which it was right; None if it did not."""
        wall, count = self._clock(), self._counter()
        jumped = (wall - self._wall) - timedelta(seconds=count - self._count)
        if abs(jumped) > TOLERANCE:
            return jumped
        self._wall, self._count = wall, count
        return None


def behind_the_record(rt: Runtime, at: datetime | None = None) -> timedelta | None:
    """Return by how much the clock is behind the newest entry of the journal, None if it is not: time went backward.

    `at` is what the clock said, where it must not be asked again.
    """
    with reading(rt.engine) as tx:
        newest: datetime | None = journal.newest(tx)
    behind = None if newest is None else newest - (at or rt.clock())
    return behind if behind is not None and behind > TOLERANCE else None


def alarm(rt: Runtime, jumped: timedelta) -> None:
    """Record that the clock cannot be trusted; nothing else is done while it lasts."""
    seconds = int(jumped.total_seconds())
    log.error("clock.jumped", seconds=seconds)
    entry = journal.Entry(at=rt.clock(), event="clock.jumped", actor="gateway", detail={"seconds": seconds})
    with transaction(rt.engine) as tx:
        journal.append(tx, [entry])
