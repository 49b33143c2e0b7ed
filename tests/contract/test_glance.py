"""A glance at the database says whether anybody wrote, so that nobody has to look where nothing can be."""

import subprocess
import sys

import pytest

from gateway.store.database import open_engine, reading, transaction
from gateway.store.glance import Glance
from tests.store_rows import add_case

WRITE = """
import sys
from gateway.store.database import open_engine, transaction
with transaction(open_engine(sys.argv[1])) as tx:
    tx.exec_driver_sql("CREATE TABLE other (id INTEGER)")
"""


@pytest.fixture
def sqlite(sqlite_url):
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def glance(sqlite):
    made = Glance(sqlite)
    yield made
    made.close()


def test_first_glance_says_yes(glance) -> None:
    assert glance.changed()


def test_nothing_written_is_told(glance, sqlite) -> None:
    glance.changed()
    with reading(sqlite) as tx:
        tx.exec_driver_sql("SELECT count(*) FROM cases")
    assert not glance.changed()


def test_what_this_process_wrote_is_told_once(glance, sqlite) -> None:
    glance.changed()
    add_case(sqlite)
    assert glance.changed()
    assert not glance.changed()


def test_what_another_process_wrote_is_told(glance, sqlite_url) -> None:
    glance.changed()
    subprocess.run([sys.executable, "-c", WRITE, sqlite_url], check=True, timeout=60)
    assert glance.changed()


def test_what_is_not_committed_is_not_told(glance, sqlite) -> None:
    glance.changed()
    with transaction(sqlite) as tx:
        tx.exec_driver_sql("CREATE TABLE other (id INTEGER)")
        assert not glance.changed()
    assert glance.changed()


def test_database_that_does_not_answer_is_worth_a_look(glance) -> None:
    glance.changed()
    glance._connection.close()
    assert glance.changed()
    assert glance.changed()  # the first of another connection
    assert not glance.changed()


def test_database_in_memory_is_always_worth_a_look() -> None:
    made = Glance(open_engine("sqlite:///:memory:"))
    assert made.changed()
    assert made.changed()


@pytest.mark.postgres
def test_postgresql_is_always_worth_a_look(postgres_url) -> None:
    made = Glance(open_engine(postgres_url))
    assert made.changed()
    assert made.changed()
