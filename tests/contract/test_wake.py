"""The bell between processes: what another process commits wakes a listener on PostgreSQL; a lost connection is made anew."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from gateway.store.database import open_engine, transaction
from gateway.store.wake import Ear, wake

WAIT = 30  # seconds, a bound


class Rung:
    """Counts, and lets wait for, rings."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def reached(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, WAIT)


@pytest.fixture
def rung() -> Rung:
    return Rung()


@pytest.fixture
def ear(postgres_url, rung) -> Iterator[Ear]:
    engine = open_engine(postgres_url)
    listening = Ear(engine, rung)
    assert rung.reached(1)  # it listens
    yield listening
    listening.close()
    engine.dispose()


def test_what_another_process_commits_is_heard(ear, rung, postgres_url) -> None:
    other = open_engine(postgres_url)
    with transaction(other) as tx:
        wake(tx)
        assert rung.count == 1  # not before the commit
    assert rung.reached(2)
    other.dispose()


def test_what_is_rolled_back_wakes_nobody(ear, rung, postgres_url) -> None:
    other = open_engine(postgres_url)

    def fail() -> None:
        with transaction(other) as tx:
            wake(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with transaction(other) as tx:
        wake(tx)
    assert rung.reached(2)
    assert rung.count == 2
    other.dispose()


def test_connection_that_was_cut_is_made_anew_and_rings_since_something_may_have_been_missed(ear, rung, postgres_url) -> None:
    other = open_engine(postgres_url)
    with transaction(other) as tx:
        listens = "datname = current_database() AND query LIKE 'LISTEN%'"  # ears of other tests may not be gone yet
        cut = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {listens}"
        assert tx.execute(text(cut)).scalar_one() == 1
    assert rung.reached(2)
    other.dispose()


def test_sqlite_has_no_bell_and_needs_none(tmp_path, rung) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/one.sqlite3")
    with transaction(engine) as tx:
        wake(tx)
    Ear(engine, rung).close()
    assert rung.count == 0
    engine.dispose()
