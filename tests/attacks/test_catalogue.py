"""Every class of the attack catalogue has tests, and the tests are there."""

from collections import Counter

import pytest

from tests.attacks.catalogue import CATALOGUE, Attack
from tests.attacks.forged import forged
from tests.named_tests import exists


def test_all_forty_classes_are_there_once() -> None:
    assert [attack.number for attack in CATALOGUE] == list(range(1, 41))


@pytest.mark.parametrize("attack", CATALOGUE, ids=lambda attack: str(attack.number))
def test_class_has_tests_that_exist(attack: Attack) -> None:
    assert attack.tests
    assert [name for name in attack.tests if not exists(name)] == []


def test_a_class_has_forgeries_exactly_if_it_says_so() -> None:
    counted = Counter(each.row for each in forged().values())
    assert set(counted) == {attack.number for attack in CATALOGUE if attack.forged}


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert not exists("tests/attacks/test_catalogue.py::test_of_no_such_name")
    assert not exists("tests/attacks/test_of_no_such_file.py::test_x")
