"""A sender beyond its limit waits; the others of the same queue do not."""

from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from gateway.domain.pace import Pace
from gateway.flow.floods import Floodgate
from gateway.partners import Partners, load
from gateway.settings import data_folder
from gateway.transport.port import Delivery

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def partners() -> Partners:
    """The partners as shipped, with a limit of three a minute for Serbia."""
    known = load(data_folder("partners"))
    serbia = replace(known.partners["rs"], pace=Pace(taken_per_minute=3))
    return replace(known, partners=MappingProxyType({**known.partners, "rs": serbia}))


def sent(*senders: str) -> list[Delivery]:
    return [
        Delivery(queue="AT-BMI", body=b"", message_id=str(number), sender=sender, attempts=0, token=number)
        for number, sender in enumerate(senders)
    ]


def tokens(deliveries) -> list[int]:
    return [delivery.token for delivery in deliveries]


def test_what_is_over_the_limit_waits_and_the_others_do_not(partners) -> None:
    taken, later = Floodgate().divide(sent(*["RS-MUP"] * 5, "BA-MS", "RS-MUP", "AL-PSH"), partners, NOW)
    assert (tokens(taken), tokens(later)) == ([0, 1, 2, 5, 7], [3, 4, 6])


def test_limit_holds_over_batches_and_begins_anew_each_minute(partners) -> None:
    gate = Floodgate()
    assert len(gate.divide(sent("RS-MUP", "RS-MUP"), partners, NOW)[0]) == 2
    assert len(gate.divide(sent("RS-MUP", "RS-MUP"), partners, NOW + timedelta(seconds=59))[0]) == 1
    assert len(gate.divide(sent("RS-MUP", "RS-MUP"), partners, NOW + timedelta(seconds=60))[0]) == 2


def test_clock_that_went_back_begins_a_new_minute(partners) -> None:
    gate = Floodgate()
    gate.divide(sent(*["RS-MUP"] * 3), partners, NOW)
    assert len(gate.divide(sent("RS-MUP"), partners, NOW - timedelta(hours=1))[0]) == 1


def test_without_any_limit_everything_is_taken_as_it_came(partners) -> None:
    unlimited = copy(load(data_folder("partners")))
    deliveries = sent(*["RS-MUP"] * 500)
    assert Floodgate().divide(deliveries, unlimited, NOW) == (deliveries, ())


def test_sender_that_nobody_knows_has_no_limit_of_its_own(partners) -> None:
    taken, later = Floodgate().divide(sent(*["XX-NOBODY"] * 9, ""), partners, NOW)
    assert (len(taken), len(later)) == (10, 0)
