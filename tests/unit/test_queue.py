"""The durable queue in the database, on SQLite and PostgreSQL: leases decide, and every parcel is somewhere."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.errors import DatabaseUnavailable, Undeliverable
from gateway.store.database import open_engine
from gateway.store.queue import DatabaseQueue, Standing
from gateway.transport.port import Parcel

LEASE = 60  # seconds


@pytest.fixture
def queue(engine) -> DatabaseQueue:
    return DatabaseQueue(engine)


def parcels(*numbers: int, to: str = "XA-ONE") -> list[Parcel]:
    return [Parcel(message_id=f"m{number}", sender="XB-TWO", recipient=to, body=bytes([number])) for number in numbers]


def ids(rows) -> list[str]:
    return [row.message_id for row in rows]


def test_rows_are_leased_in_the_order_in_which_they_were_put(queue, clock):
    queue.put(parcels(1, 2, 3), clock())
    queue.put(parcels(4), clock())

    assert ids(queue.claim(["XA-ONE"], 3, clock(), LEASE)) == ["m1", "m2", "m3"]
    assert ids(queue.claim(["XA-ONE"], 3, clock(), LEASE)) == ["m4"]
    assert queue.claim(["XA-ONE"], 3, clock(), LEASE) == []


def test_a_leased_row_tells_all_about_its_parcel(queue, clock):
    queue.put(parcels(7), clock())

    (row,) = queue.claim(["XA-ONE"], 3, clock(), LEASE)

    assert (row.queue, row.message_id, row.sender, row.body, row.attempts) == ("XA-ONE", "m7", "XB-TWO", b"\x07", 0)


def test_only_the_queues_asked_for_are_leased(queue, clock):
    queue.put(parcels(1, to="XA-ONE") + parcels(2, to="XA-TWO") + parcels(3, to="XA-THREE"), clock())

    assert ids(queue.claim(["XA-ONE", "XA-THREE"], 9, clock(), LEASE)) == ["m1", "m3"]


def test_a_lease_that_ended_counts_as_free(queue, clock):
    queue.put(parcels(1), clock())
    queue.claim(["XA-ONE"], 9, clock(), LEASE)

    clock.move(seconds=LEASE - 1)
    assert queue.claim(["XA-ONE"], 9, clock(), LEASE) == []
    clock.move(seconds=1)
    assert ids(queue.claim(["XA-ONE"], 9, clock(), LEASE)) == ["m1"]


@pytest.mark.parametrize("late", ["settle", "postpone", "park", "release"])
def test_who_lost_the_lease_changes_nothing(queue, clock, late):
    queue.put(parcels(1), clock())
    (lost,) = queue.claim(["XA-ONE"], 9, clock(), LEASE)
    clock.move(seconds=LEASE)
    (held,) = queue.claim(["XA-ONE"], 9, clock(), LEASE)

    if late == "settle":
        queue.settle([(lost.id, lost.lease)])
    elif late == "postpone":
        queue.postpone(lost.id, lost.lease, clock(), "late")
    elif late == "park":
        queue.park(lost.id, lost.lease, clock(), "late")
    else:
        queue.release([(lost.id, lost.lease)], clock())

    assert queue.claim(["XA-ONE"], 9, clock(), LEASE) == []  # still held by the second taker
    queue.settle([(held.id, held.lease)])
    assert queue.standings(["XA-ONE"]) == [Standing(queue="XA-ONE", waiting=0, parked=0, oldest=None)]


def test_a_postponed_row_is_free_at_its_time_with_one_attempt_more(queue, clock):
    queue.put(parcels(1), clock())
    (row,) = queue.claim(["XA-ONE"], 9, clock(), LEASE)
    queue.postpone(row.id, row.lease, clock() + timedelta(seconds=300), "broker-unavailable")

    assert queue.next_free(["XA-ONE"]) == clock() + timedelta(seconds=300)
    clock.move(seconds=299)
    assert queue.claim(["XA-ONE"], 9, clock(), LEASE) == []
    clock.move(seconds=1)
    assert [again.attempts for again in queue.claim(["XA-ONE"], 9, clock(), LEASE)] == [1]


def test_a_released_row_is_free_at_once_without_an_attempt_more(queue, clock):
    queue.put(parcels(1), clock())
    (row,) = queue.claim(["XA-ONE"], 9, clock(), LEASE)
    queue.release([(row.id, row.lease)], clock())

    assert [again.attempts for again in queue.claim(["XA-ONE"], 9, clock(), LEASE)] == [0]


def test_a_parked_row_is_never_leased_again_and_keeps_its_reason(queue, clock, engine):
    queue.put(parcels(1), clock())
    (row,) = queue.claim(["XA-ONE"], 9, clock(), LEASE)
    queue.park(row.id, row.lease, clock(), "cannot-open")

    clock.move(days=365)
    assert queue.next_free(["XA-ONE"]) is None
    assert queue.claim(["XA-ONE"], 9, clock(), LEASE) == []
    with engine.connect() as connection:
        assert connection.execute(text("SELECT reason FROM queue")).scalars().all() == ["cannot-open"]


def test_the_standing_of_each_queue_asked_for_is_told_by_name(queue, clock):
    began = clock()
    queue.put(parcels(1, 2, 3), began)
    (row, *_) = queue.claim(["XA-ONE"], 1, clock(), LEASE)
    queue.park(row.id, row.lease, clock(), "cannot-open")
    clock.move(seconds=10)
    queue.put(parcels(4), clock())

    assert queue.standings(["XA-TWO", "XA-ONE"]) == [
        Standing(queue="XA-ONE", waiting=3, parked=1, oldest=began),
        Standing(queue="XA-TWO", waiting=0, parked=0, oldest=None),
    ]


@pytest.mark.parametrize("others", [1, 9])  # few rows and many go to the database in different ways
def test_a_batch_the_database_cannot_hold_leaves_nothing_behind(migrated_postgres_url, clock, others):
    engine = open_engine(migrated_postgres_url)  # SQLite has no limit on the length of text
    queue = DatabaseQueue(engine)
    long = Parcel(message_id="m" * 99, sender="XB-TWO", recipient="XA-ONE", body=b"")

    with pytest.raises(Undeliverable):
        queue.put([*parcels(*range(others)), long], clock())

    assert queue.next_free(["XA-ONE"]) is None
    engine.dispose()


def test_a_database_that_is_away_is_told(tmp_path, clock):
    engine = open_engine(f"sqlite:///{tmp_path}/empty.sqlite3")  # without any table

    with pytest.raises(DatabaseUnavailable):
        DatabaseQueue(engine).put(parcels(1), clock())
    engine.dispose()
