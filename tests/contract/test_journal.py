"""The journal: nobody changes it, and whoever did is found."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from gateway.errors import StoreConflict
from gateway.store import journal
from gateway.store.database import open_engine, reading, transaction
from gateway.store.journal import GENESIS, Entry
from gateway.store.tables import journal as table

NOW = datetime(2026, 6, 1, 8, 15, 0, 123_456, tzinfo=UTC)
WAIT = 30  # seconds


def entry(number: int = 1, **changes) -> Entry:
    values = {
        "at": NOW + timedelta(seconds=number),
        "event": "message.received",
        "actor": "gateway",
        "authority": "BA-MS",
        "case_id": 7,
        "message_id": f"019ab4d2-7c40-7a11-8f02-{number:012d}",
        "digest": f"{number:064d}",
        "detail": {"code": "bad-value", "path": "/Datum/Rođenja/Ž", "count": number},
    }
    return Entry(**values | changes)


def write(engine, count: int, first: int = 1) -> None:
    with transaction(engine) as tx:
        journal.append(tx, [entry(number) for number in range(first, first + count)])


def rows(tx) -> list[dict]:
    return [dict(row) for row in tx.execute(select(table).order_by(table.c.id)).mappings()]


def findings(engine) -> list[tuple[int, str]]:
    with reading(engine) as tx:
        return [(found.id, found.what) for found in journal.verify(tx)[1]]


def tamper(engine, *statements) -> None:
    """Change the journal as someone with all rights on the database would: the triggers go first."""
    with transaction(engine) as tx:
        if tx.dialect.name == "postgresql":
            tx.exec_driver_sql("DROP TRIGGER journal_append_only ON journal")
        else:
            tx.exec_driver_sql("DROP TRIGGER journal_no_update")
            tx.exec_driver_sql("DROP TRIGGER journal_no_delete")
        for statement in statements:
            tx.execute(statement)


# --- the chain --------------------------------------------------------------------------------------------------------


def test_empty_chain_is_whole(engine) -> None:
    with reading(engine) as tx:
        assert journal.verify(tx) == (0, [])


def test_chain_of_several_transactions_is_whole(engine) -> None:
    write(engine, 3)
    write(engine, 2, first=4)
    with reading(engine) as tx:
        assert journal.verify(tx) == (5, [])
        found = rows(tx)
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5]
    assert [row["previous"] for row in found] == [GENESIS, *(row["hash"] for row in found[:-1])]


def test_appending_nothing_writes_nothing(engine) -> None:
    with transaction(engine) as tx:
        journal.append(tx, [])
    with reading(engine) as tx:
        assert rows(tx) == []


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
    with reading(engine) as tx:
        first = rows(tx)[0]
    with pytest.raises((DBAPIError, StoreConflict)), transaction(engine) as tx:
        tx.execute(insert(table).values(first | {"actor": "nobody"}))
    assert findings(engine) == []


def test_sqlites_own_replace_cannot_overwrite_an_entry(sqlite_url) -> None:
    engine = open_engine(sqlite_url)
    write(engine, 2)
    with reading(engine) as tx:
        first = rows(tx)[0]
    with pytest.raises(DBAPIError), transaction(engine) as tx:
        tx.execute(insert(table).prefix_with("OR REPLACE").values(first | {"actor": "nobody", "hash": "f" * 64}))
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


# --- whoever has the rights to do it all the same ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOW},
        {"event": "message.sent"},
        {"actor": "nobody"},
        {"authority": "PK-MOI"},
        {"authority": None},
        {"case_id": 8},
        {"message_id": None},
        {"digest": "f" * 64},
        {"detail": "{}"},
    ],
    ids=str,
)
def test_changed_entry_is_named_whichever_field_was_changed(engine, change) -> None:
    write(engine, 3)
    tamper(engine, update(table).where(table.c.id == 2).values(change))
    assert findings(engine) == [(2, "entry 2 was changed")]


def test_removed_entry_is_named(engine) -> None:
    write(engine, 5)
    tamper(engine, delete(table).where(table.c.id == 3))
    assert findings(engine) == [(3, "entry 3 is missing")]


def test_removed_first_entry_is_named(engine) -> None:
    write(engine, 3)
    tamper(engine, delete(table).where(table.c.id == 1))
    assert findings(engine) == [(1, "entry 1 is missing")]


def test_removed_entry_is_named_even_when_the_numbers_are_closed_up(engine) -> None:
    write(engine, 4)
    tamper(engine, delete(table).where(table.c.id == 2), update(table).where(table.c.id == 3).values(id=2))
    named = [number for number, _ in findings(engine)]
    assert 2 in named


def test_changed_entry_with_a_hash_of_its_own_breaks_the_chain_at_the_next_one(engine) -> None:
    write(engine, 3)
    with reading(engine) as tx:
        second = tx.execute(select(table).where(table.c.id == 2)).one()
    values = [second.at.isoformat(timespec="microseconds"), second.event, "nobody", second.authority, second.case_id]
    values += [second.message_id, second.digest, second.detail]
    forged = journal._hash(2, values, second.previous)
    tamper(engine, update(table).where(table.c.id == 2).values(actor="nobody", hash=forged))
    assert findings(engine) == [(3, "entry 3 does not follow the entry before it")]


def test_entry_put_in_between_is_named(engine) -> None:
    write(engine, 3)
    with reading(engine) as tx:
        second = rows(tx)[1]
    tamper(
        engine,
        update(table).where(table.c.id == 3).values(id=4),
        insert(table).values(second | {"id": 3, "actor": "nobody", "hash": "f" * 64}),
    )
    named = {number for number, _ in findings(engine)}
    assert named == {3, 4}


def test_entry_put_at_the_end_by_hand_is_named(engine) -> None:
    write(engine, 2)
    with reading(engine) as tx:
        last = rows(tx)[-1]
    tamper(engine, insert(table).values(last | {"id": 3, "previous": last["hash"], "hash": "f" * 64}))
    assert findings(engine) == [(3, "entry 3 was changed")]


def test_entry_put_before_the_first_is_named(engine) -> None:
    write(engine, 2)
    with reading(engine) as tx:
        first = rows(tx)[0]
    tamper(engine, insert(table).values(first | {"id": 0, "hash": "f" * 64}))
    assert findings(engine)


def test_entries_that_changed_places_are_both_named(engine) -> None:
    write(engine, 4)
    tamper(
        engine,
        update(table).where(table.c.id == 2).values(id=99),
        update(table).where(table.c.id == 3).values(id=2),
        update(table).where(table.c.id == 99).values(id=3),
    )
    assert {2, 3} <= {number for number, _ in findings(engine)}


def test_every_broken_place_is_named_not_only_the_first(engine) -> None:
    write(engine, 9)
    tamper(
        engine,
        update(table).where(table.c.id == 2).values(actor="nobody"),
        delete(table).where(table.c.id == 5),
        update(table).where(table.c.id == 8).values(actor="nobody"),
    )
    assert findings(engine) == [(2, "entry 2 was changed"), (5, "entry 5 is missing"), (8, "entry 8 was changed")]
