"""What comes at the same moment is worked on as one batch; what fails fails alone, and nobody waits for ever."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from gateway.errors import DatabaseUnavailable, NotPermitted
from gateway.web.gathering import Gathering

WAIT = 30  # seconds, a bound


class Desk:
    """Work that can be held up, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.gathering: Gathering[int, int] = Gathering(self.work, most=4)

    def work(self, batch):
        self.batches.append(list(batch))
        self.begun.set()
        assert self.go_on.wait(WAIT)
        if 99 in batch:
            raise DatabaseUnavailable("away")
        return [NotPermitted("no") if each == 13 else each * 2 for each in batch]

    def together(self, first: int, others: list[int]) -> list[Future[int]]:
        """Return the futures of `others`, which all came while `first` was worked on."""
        found = [self.gathering.take(first)]
        assert self.begun.wait(WAIT)
        found += [self.gathering.take(each) for each in others]
        self.go_on.set()
        return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_lone_item_is_worked_on_at_once(desk) -> None:
    desk.go_on.set()
    assert [desk.gathering.take(each).result(WAIT) for each in (1, 2)] == [2, 4]
    assert desk.batches == [[1], [2]]


def test_what_came_meanwhile_is_one_batch_of_at_most_so_many(desk) -> None:
    found = desk.together(1, [2, 3, 4, 5, 6, 7])
    assert [each.result(WAIT) for each in found] == [2, 4, 6, 8, 10, 12, 14]
    assert desk.batches == [[1], [2, 3, 4, 5], [6, 7]]


def test_error_of_one_item_is_raised_to_whoever_brought_it(desk) -> None:
    found = desk.together(1, [2, 13, 4])
    with pytest.raises(NotPermitted):
        found[2].result(WAIT)
    assert [found[place].result(WAIT) for place in (0, 1, 3)] == [2, 4, 8]


def test_what_the_work_raises_is_told_to_all_and_the_next_goes_on(desk) -> None:
    found = desk.together(1, [2, 99])
    for each in found[1:]:
        with pytest.raises(DatabaseUnavailable):
            each.result(WAIT)
    assert desk.gathering.take(5).result(WAIT) == 10


def test_who_waits_no_more_keeps_nobody_waiting(desk) -> None:
    gone = []

    def leave(future: Future[int]) -> None:
        gone.append(future.cancel())

    with ThreadPoolExecutor(1) as threads:
        first = desk.gathering.take(1)
        assert desk.begun.wait(WAIT)
        second, third = desk.gathering.take(2), desk.gathering.take(3)
        threads.submit(leave, second).result(WAIT)
        desk.go_on.set()
    assert (first.result(WAIT), third.result(WAIT), second.cancelled(), gone) == (2, 6, True, [True])


def test_many_threads_get_each_its_own_result(desk) -> None:
    desk.go_on.set()
    numbers = [each for each in range(500) if each not in {13, 99}]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda each: desk.gathering.take(each).result(WAIT), numbers))
    assert found == [each * 2 for each in numbers]
    assert sorted(each for batch in desk.batches for each in batch) == numbers
