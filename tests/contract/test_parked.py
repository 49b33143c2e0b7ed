"""What was set aside, on both databases: one row for one parcel, whatever happens to it, and one decision about each."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.store import messages, outbox, outbox_claims, outbox_parked, parked
from gateway.store.database import reading, transaction
from gateway.store.parked import ParkedParcel
from tests.store_rows import NOW, fill_outbox

LATER = NOW + timedelta(hours=1)
PARCEL = ParkedParcel(
    home="PK-MOI",
    sender="BA-MS",
    verified=True,
    message_id="0193aaaa-0000-7000-8000-000000000001",
    type="ReadmissionApplication",
    reference="a" * 32,
    sequence=1,
    digest="0" * 64,
    body=b"sealed",
    transport="rabbitmq",
    received_at=NOW,
    parked_at=NOW,
    attempts=1,
    code="internal-error",
    rule="ValueError",
)


def keep(engine, parcel: ParkedParcel) -> None:
    with transaction(engine) as tx:
        parked.keep(tx, parcel)


def every(engine) -> list[ParkedParcel]:
    with reading(engine) as tx:
        return parked.every(tx, ["PK-MOI"])


def test_kept_parcel_is_what_came(engine) -> None:
    keep(engine, PARCEL)
    (listed,) = every(engine)
    assert listed == replace(PARCEL, id=listed.id, body=None)
    with reading(engine) as tx:
        assert parked.get(tx, listed.id) == replace(PARCEL, id=listed.id)


def test_same_parcel_again_keeps_its_row_and_when_it_first_came(engine) -> None:
    keep(engine, PARCEL)
    (before,) = every(engine)
    keep(engine, replace(PARCEL, body=b"sealed anew", received_at=LATER, parked_at=LATER, code="mapping-invalid", rule=None))
    (after,) = every(engine)
    assert (after.id, after.received_at, after.parked_at) == (before.id, NOW, LATER)
    assert (after.attempts, after.code, after.rule) == (2, "mapping-invalid", None)


def test_same_bytes_for_another_authority_are_another_parcel(engine) -> None:
    keep(engine, PARCEL)
    keep(engine, replace(PARCEL, home="RS-MUP"))
    assert len(every(engine)) == 1
    with reading(engine) as tx:
        assert len(parked.every(tx, ["PK-MOI", "RS-MUP"])) == 2


def test_settled_parcel_loses_its_bytes_and_keeps_who_decided(engine) -> None:
    keep(engine, PARCEL)
    (row,) = every(engine)
    with transaction(engine) as tx:
        assert parked.settle(tx, row.id, "dropped", by="A. Specimen", at=LATER)
        assert not parked.settle(tx, row.id, "replayed", by="B. Specimen", at=LATER)
    assert every(engine) == []
    with reading(engine) as tx:
        found = parked.get(tx, row.id)
        assert not parked.waits(tx, row.id)
    assert (found.body, found.settled, found.settled_by, found.settled_at) == (None, "dropped", "A. Specimen", LATER)


def test_id_of_a_settled_parcel_is_never_given_to_another(engine) -> None:
    keep(engine, PARCEL)
    (row,) = every(engine)
    with transaction(engine) as tx:
        parked.settle(tx, row.id, "dropped", by="A. Specimen", at=LATER)
    keep(engine, replace(PARCEL, digest="1" * 64))
    assert every(engine)[0].id != row.id


def test_settled_parcel_that_comes_once_more_waits_again_under_its_id(engine) -> None:
    keep(engine, PARCEL)
    (row,) = every(engine)
    with transaction(engine) as tx:
        parked.settle(tx, row.id, "dropped", by="A. Specimen", at=LATER)
    keep(engine, PARCEL)
    (again,) = every(engine)
    assert (again.id, again.settled, again.settled_by) == (row.id, None, None)


@pytest.mark.parametrize("number", [0, -1, 999, 1 << 63, 10**30])
def test_row_that_never_was_is_not_there(engine, number) -> None:
    with reading(engine) as tx:
        assert parked.get(tx, number) is None
        assert not parked.waits(tx, number)


def test_who_looks_after_a_thing_may_change(engine) -> None:
    with transaction(engine) as tx:
        parked.own(tx, ["in-1", "out-1"], "A. Specimen", NOW)
        parked.own(tx, ["in-1"], "B. Specimen", LATER)
        assert parked.owners(tx) == {"in-1": "B. Specimen", "out-1": "A. Specimen"}


def test_released_message_has_all_its_attempts_again_with_the_identical_bytes(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    with transaction(engine) as tx:
        (row,) = outbox_claims.claim(tx, now=NOW, most=1, lease_seconds=60, by="one")
        outbox.park(tx, row.id, at=NOW, code="broker-unavailable")
        messages.mark_parked(tx, [message], "broker-unavailable")
        (listed,) = outbox_parked.parked(tx, ["BA-MS"])
        assert (listed.message_row, listed.code, listed.attempts, listed.since) == (message, "broker-unavailable", 1, NOW)
        assert outbox_parked.parked(tx, ["PK-MOI"]) == []
        outbox_parked.release_parked(tx, [message], LATER)
        messages.mark_waiting(tx, [message])
        assert not outbox_parked.is_parked(tx, message)
        assert messages.outcome_of(tx, message) == "waiting"
    with transaction(engine) as tx:
        (again,) = outbox_claims.claim(tx, now=LATER, most=1, lease_seconds=60, by="one")
    assert (again.id, again.body, again.attempts) == (row.id, row.body, 0)


def test_message_that_had_left_before_its_file_was_parked_is_sent_again_when_released(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    with transaction(engine) as tx:
        messages.mark_sent(tx, [message], NOW)
        messages.mark_parked(tx, [message], "broker-unavailable")
        messages.mark_waiting(tx, [message])
        assert messages.outcome_of(tx, message) == "sent"


def test_only_what_nobody_has_answered_is_marked_as_dropped(engine) -> None:
    first, second = fill_outbox(engine, 2)
    note = messages.ReceiptNote(row_id=second, outcome="received", code=None, received_at=NOW, receipt_message_id="r" * 36)
    with transaction(engine) as tx:
        messages.mark_receipts(tx, [note])
        assert messages.mark_dropped(tx, first)
        assert not messages.mark_dropped(tx, second)
        assert (messages.outcome_of(tx, first), messages.outcome_of(tx, second)) == ("dropped", "received")
