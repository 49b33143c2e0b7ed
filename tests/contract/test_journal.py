"""The journal: nobody changes it, and whoever did is found."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError

from gateway.errors import StoreConflict
from gateway.store import journal
from gateway.store.database import open_engine, reading, transaction
from gateway.store.journal import GENESIS, Entry
from gateway.store.tables import journal as table
from tests.journal_rows import NOW, entry, findings, rows, write

WAIT = 30  # seconds


# --- the chain --------------------------------------------------------------------------------------------------------


def test_empty_chain_is_whole(engine) -> None:
    with reading(engine) as tx:
        assert journal.verify(tx) == (0, [])


def test_chain_of_several_transactions_is_whole(engine) -> None:
    write(engine, 3)
    write(engine, 2, first=4)
    with reading(engine) as tx:
        assert journal.verify(tx) == (5, [])
    found = rows(engine)
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5]
    assert [row["previous"] for row in found] == [GENESIS, *(row["hash"] for row in found[:-1])]


def test_appending_nothing_writes_nothing(engine) -> None:
    with transaction(engine) as tx:
        journal.append(tx, [])
    assert rows(engine) == []


def test_entry_of_a_transaction_that_was_rolled_back_leaves_no_gap(engine) -> None:
    write(engine, 1)
    with engine.connect() as tx:
        tx.begin()
        journal.append(tx, [entry(2)])
        tx.rollback()
    write(engine, 1, first=3)
    with reading(engine) as tx:
        assert journal.verify(tx) == (2, [])


def test_chain_does_not_depend_on_the_zone_an_instant_was_written_in(engine) -> None:
    with transaction(engine) as tx:
        journal.append(tx, [entry(at=NOW.astimezone(timezone(timedelta(hours=5))))])
    assert findings(engine) == []


def test_entries_of_a_case_come_back_oldest_first(engine) -> None:
    with transaction(engine) as tx:
        journal.append(tx, [entry(1), entry(2, case_id=8), entry(3)])
    with reading(engine) as tx:
        assert list(journal.of_case(tx, 7)) == [entry(1), entry(3)]


def test_entry_without_a_case_a_message_or_a_detail_is_complete(engine) -> None:
    bare = Entry(at=NOW, event="gateway.started", actor="gateway")
    with transaction(engine) as tx:
        journal.append(tx, [bare])
        assert journal.verify(tx) == (1, [])


def test_writers_at_once_keep_one_chain(engine) -> None:
    barrier = threading.Barrier(2, timeout=WAIT)

    def work(_: int) -> None:
        barrier.wait()
        for number in range(10):
            write(engine, 2, first=number)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2), timeout=WAIT))
    with reading(engine) as tx:
        assert journal.verify(tx) == (40, [])


# --- the database refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        update(table).where(table.c.id == 2).values(actor="nobody"),
        update(table).values(hash="0" * 64),
        delete(table).where(table.c.id == 3),
        delete(table),
    ],
    ids=["change one", "change all", "remove one", "remove all"],
)
def test_database_refuses_to_change_the_journal(engine, statement) -> None:
    write(engine, 3)
    with pytest.raises(DBAPIError, match="append-only"), transaction(engine) as tx:
        tx.execute(statement)
    with reading(engine) as tx:
        assert journal.verify(tx) == (3, [])


def test_replacing_an_entry_is_refused(engine) -> None:
    write(engine, 2)
    first = rows(engine)[0]
    with pytest.raises((DBAPIError, StoreConflict)), transaction(engine) as tx:
        tx.execute(insert(table).values(first | {"actor": "nobody"}))
    assert findings(engine) == []


def test_sqlites_own_replace_cannot_overwrite_an_entry(sqlite_url) -> None:
    engine = open_engine(sqlite_url)
    write(engine, 2)
    first = rows(engine)[0]
    with pytest.raises(DBAPIError), transaction(engine) as tx:
        tx.execute(insert(table).prefix_with("OR REPLACE").values(first | {"actor": "nobody", "hash": "f" * 64}))
    assert findings(engine) == []
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE OR REPLACE journal SET actor = 'nobody' WHERE id = 1",
        "UPDATE OR IGNORE journal SET id = 9 WHERE id = 1",
        "INSERT INTO journal SELECT * FROM journal WHERE id = 1 ON CONFLICT (id) DO UPDATE SET actor = 'nobody'",
        "REPLACE INTO journal SELECT * FROM journal",
    ],
)
def test_sqlites_other_ways_to_write_over_an_entry_are_refused(sqlite_url, statement) -> None:
    engine = open_engine(sqlite_url)
    write(engine, 2)
    with pytest.raises(DBAPIError, match="append-only"), transaction(engine) as tx:
        tx.exec_driver_sql(statement)
    assert findings(engine) == []
    engine.dispose()


@pytest.mark.postgres
def test_postgresql_refuses_to_empty_the_journal(migrated_postgres_url) -> None:
    engine = open_engine(migrated_postgres_url)
    write(engine, 2)
    with pytest.raises(DBAPIError, match="append-only"), transaction(engine) as tx:
        tx.exec_driver_sql("TRUNCATE journal")
    assert findings(engine) == []
    engine.dispose()
