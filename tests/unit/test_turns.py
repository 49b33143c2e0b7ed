"""Threads of one process that write to SQLite take turns."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from gateway.errors import DatabaseUnavailable
from gateway.store import database
from gateway.store.database import open_engine, reading, transaction
from gateway.store.erasures import sweep

SECONDS = 20.0  # the bound of every wait


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database that makes nobody wait by itself: who finds it busy fails at once."""
    made = open_engine(f"sqlite:///{tmp_path}/turns.sqlite3")
    event.listen(made, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout=0"))
    with transaction(made) as tx:
        tx.exec_driver_sql("CREATE TABLE written (number INTEGER)")
    yield made
    made.dispose()


def write(engine: Engine, number: int) -> None:
    with transaction(engine) as tx:
        tx.exec_driver_sql("INSERT INTO written VALUES (?)", (number,))


def written(engine: Engine) -> list[int]:
    with reading(engine) as tx:
        return list(tx.exec_driver_sql("SELECT number FROM written ORDER BY number").scalars())


def test_a_writer_waits_for_the_one_before_it_where_sqlite_itself_would_refuse_it(engine):
    with ThreadPoolExecutor() as pool:
        with transaction(engine) as tx:
            tx.exec_driver_sql("INSERT INTO written VALUES (1)")
            second = pool.submit(write, engine, 2)
            assert written(engine) == []  # and whoever reads waits for nobody
        second.result(SECONDS)
    assert written(engine) == [1, 2]


def test_log_is_emptied_of_old_pages_unless_somebody_reads_them(engine):
    file = Path(f"{engine.url.database}-wal")
    with reading(engine) as tx:
        assert list(tx.exec_driver_sql("SELECT number FROM written")) == []
        write(engine, 1)
        assert not sweep(engine)
        assert file.stat().st_size > 0
    assert sweep(engine)
    assert file.stat().st_size == 0


def test_log_is_emptied_when_the_writer_before_has_ended(engine):
    with ThreadPoolExecutor() as pool:
        with transaction(engine) as tx:
            tx.exec_driver_sql("INSERT INTO written VALUES (1)")
            swept = pool.submit(sweep, engine)
        assert swept.result(SECONDS)


def test_many_threads_that_write_at_once_all_get_their_turn(engine):
    with ThreadPoolExecutor(max_workers=8) as pool:
        for done in [pool.submit(write, engine, number) for number in range(200)]:
            done.result(SECONDS)
    assert written(engine) == list(range(200))


def test_a_writer_whose_turn_does_not_come_is_told_that_the_database_is_away(engine, monkeypatch):
    monkeypatch.setattr(database, "_TURN_SECONDS", 0.01)
    with ThreadPoolExecutor() as pool, transaction(engine), pytest.raises(DatabaseUnavailable):
        pool.submit(write, engine, 1).result(SECONDS)
    assert written(engine) == []


def test_a_transaction_that_fails_gives_the_turn_to_the_next(engine):
    with pytest.raises(ZeroDivisionError), transaction(engine):
        _ = 1 // 0
    begun = threading.Thread(target=write, args=(engine, 1), daemon=True)
    begun.start()
    begun.join(SECONDS)
    assert written(engine) == [1]
