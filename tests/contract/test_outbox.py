"""The outbox: any number of processes deliver, and no row is held by two of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.stages import Sealed
from gateway.store import outbox
from gateway.store.database import reading, transaction
from gateway.store.tables import outbox as table
from tests.store_rows import NOW, fill_outbox, message_row

WAIT = 30  # seconds a test waits at the most for another thread


def claim(engine, *, by: str = "one", most: int = 10, at=NOW, lease: int = 60) -> list[outbox.OutboxRow]:
    with transaction(engine) as tx:
        return outbox.claim(tx, now=at, most=most, lease_seconds=lease, by=by)


def sealed_as(row: outbox.OutboxRow) -> Sealed:
    return Sealed(body=row.body, message_id=row.message_id, sender=row.sender, recipient=row.recipient, digest="0" * 64)


def test_claimed_row_is_what_was_sealed(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (row,) = claim(engine)
    assert (row.message_row, row.message_id, row.sender, row.recipient) == (
        message,
        message_row(1).message_id,
        "BA-MS",
        "PK-MOI",
    )
    assert (row.body, row.attempts) == (b"sealed 1", 0)


def test_rows_are_claimed_oldest_first_and_at_most_as_many_as_asked(engine) -> None:
    messages = fill_outbox(engine, 5)
    assert [row.message_row for row in claim(engine, most=3)] == messages[:3]
    assert [row.message_row for row in claim(engine, most=3)] == messages[3:]


def test_claimed_row_is_not_given_to_a_second_claimer(engine) -> None:
    fill_outbox(engine, 1)
    assert len(claim(engine, by="one")) == 1
    assert claim(engine, by="two") == []


def test_row_whose_holder_died_is_given_out_again_after_the_lease(engine) -> None:
    fill_outbox(engine, 1)
    claim(engine, by="one", lease=60)
    assert claim(engine, by="two", at=NOW + timedelta(seconds=60)) == []
    assert len(claim(engine, by="two", at=NOW + timedelta(seconds=61))) == 1


def test_row_that_is_not_due_yet_is_not_claimed(engine) -> None:
    fill_outbox(engine, 1, at=NOW + timedelta(seconds=1))
    assert claim(engine) == []


def test_message_waits_in_the_outbox_until_it_is_confirmed(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (row,) = claim(engine)
    with transaction(engine) as tx:
        assert outbox.waits(tx, message)
        outbox.done(tx, [row.id])
        assert not outbox.waits(tx, message)


def test_confirmed_row_is_gone(engine) -> None:
    fill_outbox(engine, 2)
    first, second = claim(engine)
    with transaction(engine) as tx:
        outbox.done(tx, [first.id])
        outbox.done(tx, [])
    with reading(engine) as tx:
        assert tx.execute(select(table.c.id)).scalars().all() == [second.id]


def test_failed_row_comes_back_at_its_time_with_the_same_bytes(engine) -> None:
    fill_outbox(engine, 1)
    (row,) = claim(engine)
    again = NOW + timedelta(seconds=30)
    with transaction(engine) as tx:
        outbox.retry(tx, row.id, next_at=again, code="broker-unavailable")
        assert outbox.next_due(tx) == again
    assert claim(engine, at=again - timedelta(seconds=1)) == []
    (second,) = claim(engine, at=again)
    assert (second.attempts, second.body) == (1, row.body)


def test_parked_row_is_never_claimed_and_never_lost(engine) -> None:
    fill_outbox(engine, 1)
    (row,) = claim(engine)
    with transaction(engine) as tx:
        outbox.park(tx, row.id, at=NOW, code="undeliverable")
        assert outbox.next_due(tx) is None
    assert claim(engine, at=NOW + timedelta(days=365)) == []
    with reading(engine) as tx:
        (state,) = outbox.states(tx)
    assert (state.waiting, state.parked, state.codes) == (0, 1, ("undeliverable",))


def test_board_counts_by_sender_and_recipient(engine) -> None:
    fill_outbox(engine, 2)
    fill_outbox(engine, 1, recipient="RS-MUP", first=10, at=NOW + timedelta(minutes=5))
    with reading(engine) as tx:
        found = [(state.recipient, state.waiting, state.parked, state.oldest) for state in outbox.states(tx)]
    assert found == [("PK-MOI", 2, 0, NOW), ("RS-MUP", 1, 0, NOW + timedelta(minutes=5))]


def test_row_written_under_a_lease_is_returned_as_it_would_be_claimed(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (claimed,) = claim(engine)
    lease = outbox.Lease(by="writer", until=NOW + timedelta(seconds=60))
    with transaction(engine) as tx:
        (handed,) = outbox.add(tx, [(message, sealed_as(claimed))], NOW, lease=lease)
    assert replace(handed, id=claimed.id) == claimed


def test_row_written_under_a_lease_is_nobody_elses_until_it_ends(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (other,) = claim(engine)
    lease = outbox.Lease(by="writer", until=NOW + timedelta(seconds=60))
    with transaction(engine) as tx:
        (handed,) = outbox.add(tx, [(message, sealed_as(other))], NOW, lease=lease)
        outbox.done(tx, [other.id])
    assert claim(engine, at=NOW + timedelta(seconds=60)) == []
    assert [row.id for row in claim(engine, at=NOW + timedelta(seconds=61))] == [handed.id]


def test_row_written_without_a_lease_is_not_handed_to_anybody(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (claimed,) = claim(engine)
    with transaction(engine) as tx:
        assert outbox.add(tx, [(message, sealed_as(claimed))], NOW) == []


def test_empty_outbox_has_nothing_due(engine) -> None:
    with transaction(engine) as tx:
        outbox.add(tx, [], NOW)
        assert outbox.next_due(tx) is None
        assert outbox.states(tx) == []
    assert claim(engine) == []


def test_many_claimers_at_once_never_get_the_same_row(engine) -> None:
    messages = fill_outbox(engine, 60)
    barrier = threading.Barrier(4, timeout=WAIT)

    def work(name: str) -> list[int]:
        barrier.wait()
        taken: list[int] = []
        while rows := claim(engine, by=name, most=4):
            taken += [row.message_row for row in rows]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [row for rows in pool.map(work, "abcd", timeout=WAIT) for row in rows]
    assert sorted(taken) == messages


@pytest.mark.postgres
def test_claimer_does_not_wait_for_another_one_on_postgresql(migrated_postgres_url) -> None:
    from gateway.store.database import open_engine

    engine = open_engine(migrated_postgres_url)
    messages = fill_outbox(engine, 4)
    with transaction(engine) as one, transaction(engine) as two:
        first = outbox.claim(one, now=NOW, most=2, lease_seconds=60, by="one")
        second = outbox.claim(two, now=NOW, most=10, lease_seconds=60, by="two")
    engine.dispose()
    assert [row.message_row for row in first] == messages[:2]
    assert [row.message_row for row in second] == messages[2:]
