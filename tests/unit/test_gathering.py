"""What comes at the same moment is worked on as one batch; what fails fails alone, and nobody waits for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import DatabaseUnavailable
from gateway.flow.gathering import Gathering

WAIT = 30  # seconds, a bound


class Desk:
    """Work that can be held up, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.gathering: Gathering[int, int] = Gathering()

    def work(self, batch):
        self.batches.append(list(batch))
        self.begun.set()
        assert self.go_on.wait(WAIT)
        if 13 in batch:
            raise ZeroDivisionError
        if 99 in batch:
            raise DatabaseUnavailable("away")
        return [each * 2 for each in batch]

    def take(self, item: int) -> int:
        return self.gathering.take(item, self.work, most=4)

    def together(self, first: int, others: list[int]):
        """Return the futures of `others`, which all came while `first` was worked on."""
        with ThreadPoolExecutor(1 + len(others)) as threads:
            found = [threads.submit(self.take, first)]
            assert self.begun.wait(WAIT)
            for number, each in enumerate(others, 1):
                found.append(threads.submit(self.take, each))
                while len(self.gathering._waiting) < number:  # in this order
                    threading.Event().wait(0.001)
            self.go_on.set()
        return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_lone_item_is_worked_on_at_once(desk) -> None:
    desk.go_on.set()
    assert [desk.take(1), desk.take(2)] == [2, 4]
    assert desk.batches == [[1], [2]]


def test_what_came_meanwhile_is_one_batch_of_at_most_so_many(desk) -> None:
    found = desk.together(1, [2, 3, 4, 5, 6, 7])
    assert [each.result(WAIT) for each in found] == [2, 4, 6, 8, 10, 12, 14]
    assert desk.batches == [[1], [2, 3, 4, 5], [6, 7]]


def test_defect_is_raised_for_the_item_that_causes_it_alone(desk) -> None:
    found = desk.together(1, [2, 13, 4])
    with pytest.raises(ZeroDivisionError):
        found[2].result(WAIT)
    assert [found[place].result(WAIT) for place in (0, 1, 3)] == [2, 4, 8]
    assert desk.batches == [[1], [2, 13, 4], [2], [13], [4]]


def test_what_is_nobody_s_fault_is_told_to_all_and_the_next_goes_on(desk) -> None:
    found = desk.together(1, [2, 99])
    for each in found[1:]:
        with pytest.raises(DatabaseUnavailable):
            each.result(WAIT)
    assert desk.take(5) == 10


def test_many_threads_get_each_its_own_result(desk) -> None:
    desk.go_on.set()
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(desk.take, [each for each in range(500) if each not in {13, 99}]))
    assert found == [each * 2 for each in range(500) if each not in {13, 99}]
    assert sorted(each for batch in desk.batches for each in batch) == [each for each in range(500) if each not in {13, 99}]
