"""The queues of a home authority, and what no transport carries."""

import pytest

from gateway.errors import TooLarge, Undeliverable
from gateway.transport import topology
from gateway.transport.broker import STEPS
from gateway.transport.port import MAX_PARCEL_BYTES, Parcel, refusal


def arguments() -> dict[str, dict[str, str | int]]:
    return {queue.name: queue.arguments for queue in topology.queues_of("BA-MS", STEPS)}


def test_an_authority_has_queues_for_messages_and_parts_four_delay_steps_and_a_parking_place():
    assert sorted(arguments()) == [
        "in.BA-MS",
        "parked.BA-MS",
        "parts.BA-MS",
        "retry.BA-MS.21600s",
        "retry.BA-MS.300s",
        "retry.BA-MS.30s",
        "retry.BA-MS.3600s",
    ]


def test_every_queue_is_a_quorum_queue():
    assert {given["x-queue-type"] for given in arguments().values()} == {"quorum"}


@pytest.mark.parametrize("step", STEPS)
def test_a_delay_step_leads_back_to_the_inbound_queue_after_its_time(step):
    given = arguments()[f"retry.BA-MS.{step}s"]

    assert given["x-message-ttl"] == step * 1000
    assert (given["x-dead-letter-exchange"], given["x-dead-letter-routing-key"]) == ("", "in.BA-MS")


def test_no_message_is_dropped_on_its_way_to_another_queue():
    leading = [given for given in arguments().values() if "x-dead-letter-exchange" in given]

    assert len(leading) == 6
    assert {(given["x-dead-letter-strategy"], given["x-overflow"]) for given in leading} == {
        ("at-least-once", "reject-publish")
    }


def test_the_parking_place_leads_nowhere():
    assert "x-dead-letter-exchange" not in arguments()["parked.BA-MS"]
    assert "x-message-ttl" not in arguments()["parked.BA-MS"]


@pytest.mark.parametrize(("seconds", "step"), [(0, 30), (30, 30), (31, 300), (3600, 3600), (21600, 21600), (90000, 21600)])
def test_a_wait_takes_the_first_step_that_is_not_shorter_or_else_the_longest(seconds, step):
    assert topology.step_for(seconds, STEPS) == step


def parcel(**changed) -> Parcel:
    return Parcel(**{"message_id": "m", "sender": "BA-MS", "recipient": "PK-MOI", "body": b"sealed"} | changed)


def test_an_ordinary_parcel_is_carried():
    assert refusal(parcel(message_id="0198c0de-0000-7000-8000-000000000001")) is None


def test_a_parcel_of_the_largest_size_is_carried():
    assert refusal(parcel(body=bytes(MAX_PARCEL_BYTES))) is None


def test_a_parcel_beyond_the_largest_size_is_not():
    assert isinstance(refusal(parcel(body=bytes(MAX_PARCEL_BYTES + 1))), TooLarge)


@pytest.mark.parametrize(
    "changed",
    [
        {"recipient": ""},
        {"recipient": "pk-moi"},
        {"recipient": "PK-MOI\n"},
        {"recipient": "PK-MOI.#"},
        {"recipient": "PK-" + "A" * 14},
        {"sender": "nobody"},
        {"message_id": ""},
        {"message_id": "m" * 37},
        {"message_id": "with space"},
        {"message_id": "ћ"},
        {"message_id": "\0"},
    ],
    ids=lambda changed: "{}-{!r:.12}".format(*next(iter(changed.items()))).replace("\x00", "0"),
)
def test_a_parcel_with_an_odd_name_is_not_carried(changed):
    assert isinstance(refusal(parcel(**changed)), Undeliverable)
