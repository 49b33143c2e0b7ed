"""A line stops after failures in a row; its pauses double up to a cap, and chance only shortens them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.backoff import Backoff

RULES = Backoff(failures=5, first_seconds=2, most_seconds=60)


@pytest.mark.parametrize("failures", [0, 1, 4])
def test_line_is_open_below_the_number_of_failures(failures) -> None:
    assert RULES.pause(failures, 0.0) is None


def test_pauses_double_up_to_the_cap() -> None:
    assert [RULES.pause(failures, 0.0) for failures in range(5, 12)] == [2, 4, 8, 16, 32, 60, 60]


def test_chance_takes_off_up_to_half() -> None:
    assert RULES.pause(8, 0.5) == 12
    assert RULES.pause(8, 1.0) == 8


def test_many_failures_of_one_batch_stop_a_line_at_its_first_pause() -> None:
    assert RULES.pause(RULES.count(0, 100), 0.0) == 2


def test_each_probe_that_fails_is_one_more() -> None:
    assert (RULES.count(5, 1), RULES.count(6, 1)) == (6, 7)


@given(st.integers(min_value=5, max_value=10**9), st.floats(min_value=0, max_value=1))
def test_pause_is_never_longer_than_the_cap_nor_nothing(failures, chance) -> None:
    pause = RULES.pause(failures, chance)
    assert pause is not None
    assert 1 <= pause <= 60
