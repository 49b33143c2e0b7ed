"""What several callers hand in at the same moment is taken as one batch, as what waits in a queue is.

There is no timer and no thread of its own: a lone caller does its own work at once. While it works, others wait; the first of
them then takes everything that waits, its own included. One transaction for thirty messages costs little more than one for one.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gateway.errors import DatabaseUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Result]):
    """One caller: what it brought, and what became of it."""

    item: Item
    turn: threading.Event = field(default_factory=threading.Event)  # its result is there, or it is to do the work
    results: list[Result] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return bool(self.results) or self.error is not None

    def outcome(self) -> Result:
        if self.error is not None:
            raise self.error
        return self.results[0]


class Gathering(Generic[Item, Result]):
    """Takes items one by one from any number of threads, and has them worked on in batches, one batch at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._busy = False

    def take(self, item: Item, work: Callable[[Sequence[Item]], Sequence[Result]], *, most: int) -> Result:
        """Return the result of one item. `work`, the same for all callers, gives one for each of up to `most` items.

        Raises what `work` raises; only `DatabaseUnavailable` is for all, anything else for the item that causes it.
        """
        mine: _Waiting[Item, Result] = _Waiting(item)
        with self._lock:
            self._waiting.append(mine)
            waits, self._busy = self._busy, True
        if waits:
            mine.turn.wait()
        if not mine.done:
            self._lead(work, most)
        return mine.outcome()

    def _lead(self, work: Callable[[Sequence[Item]], Sequence[Result]], most: int) -> None:
        """Work on what waits, then hand over to the first of those who came meanwhile."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        try:
            _settle(batch, work)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            for one in batch:
                one.turn.set()
            if following is not None:
                following.turn.set()


def _settle(batch: Sequence[_Waiting[Item, Result]], work: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
    try:
        for one, result in zip(batch, work([each.item for each in batch]), strict=True):
            one.results.append(result)
    except DatabaseUnavailable as error:  # nobody's fault, and the same for all
        for one in batch:
            one.error = error
    except BaseException as error:  # noqa: BLE001  # told to the caller whose item it is; the others are tried again without it
        if len(batch) == 1:
            batch[0].error = error
        for one in batch if len(batch) > 1 else ():
            _settle([one], work)
