"""What several requests bring at the same moment is taken as one batch, as what waits in a queue is.

There is no timer: a lone item is worked on at once. While the one thread works, others wait, and what waits then is the next
batch. One transaction for thirty messages costs little more than one for one; and thirty threads that wait for each other cost
more than the work of one.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gathering(Generic[Item, Result]):
    """Takes items one by one, from any thread or event loop, and has them worked on in batches, one batch at a time."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result | BaseException]], *, most: int) -> None:
        """`work` returns, for each of up to `most` items, its result or the error that is its own."""
        self._work, self._most = work, most
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._busy = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gathering")

    def take(self, item: Item) -> Future[Result]:
        """Return the result to come of one item: what `work` returned for it; its error, or what `work` raised, is raised."""
        future: Future[Result] = Future()
        with self._lock:
            self._waiting.append((item, future))
            begins, self._busy = not self._busy, True
        if begins:
            self._thread.submit(self._work_off)
        return future

    def _work_off(self) -> None:
        while batch := self._next():
            try:
                results = self._work([item for item, _ in batch])
            except BaseException as error:  # noqa: BLE001  # told to everybody who waits; the thread lives on for the next
                results = [error] * len(batch)
            for (_, future), result in zip(batch, results, strict=True):
                if not future.set_running_or_notify_cancel():
                    continue  # nobody waits for it any more
                if isinstance(result, BaseException):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _next(self) -> list[tuple[Item, Future[Result]]]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            self._busy = bool(batch)
        return batch
