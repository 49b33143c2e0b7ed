"""Statements that are compiled once say the same as the library would, on both databases."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, select, update

from gateway.errors import DatabaseUnavailable
from gateway.store import messages
from gateway.store.database import open_engine, reading, transaction
from gateway.store.prepared import Prepared, among
from gateway.store.tables import messages as table
from tests.store_rows import message_row

AT = datetime(2026, 6, 1, 10, 15, tzinfo=UTC)


@pytest.fixture
def ids(engine) -> list[int]:
    rows = [message_row(message_id=f"m{number}", facts={"limit": number}) for number in range(3)]
    with transaction(engine) as tx:
        return messages.add(tx, rows)


def test_rows_have_names_and_values_as_the_library_gives_them(engine, ids) -> None:
    found = Prepared(lambda dialect: select(table).where(among(dialect, table.c.id, "ids")).order_by(table.c.id))
    with reading(engine) as tx:
        ours = found.rows(tx, ids=ids)
        theirs = list(tx.execute(select(table).order_by(table.c.id)))
    assert [tuple(row) for row in ours] == [tuple(row) for row in theirs]
    assert [row.facts for row in ours] == [{"limit": 0}, {"limit": 1}, {"limit": 2}]
    assert ours[0].created_at.tzinfo is UTC


def test_number_of_values_is_free_and_none_finds_nothing(engine, ids) -> None:
    found = Prepared(lambda dialect: select(table.c.id).where(among(dialect, table.c.id, "ids")))
    with reading(engine) as tx:
        assert [len(found.rows(tx, ids=some)) for some in ((), ids[:1], ids, [*ids, 999_999])] == [0, 1, 3, 3]


def test_texts_are_values_and_never_statements(engine, ids) -> None:
    found = Prepared(lambda dialect: select(table.c.id).where(among(dialect, table.c.message_id, "ids")))
    with reading(engine) as tx:
        assert len(found.rows(tx, ids=["m1", "x') OR 1=1 --", '"]', "%s", "?"])) == 1


def test_change_tells_how_many_rows_it_met_and_keeps_instants_in_utc(engine, ids) -> None:
    change = Prepared(lambda dialect: update(table).where(among(dialect, table.c.id, "ids")).values(sent_at=bindparam("at")))
    with transaction(engine) as tx:
        assert change.run(tx, ids=[*ids[:2], 999_999], at=AT) == 2
    with reading(engine) as tx:
        assert [messages.get(tx, each).sent_at for each in ids] == [AT, AT, None]
    with pytest.raises(ValueError, match="zone"), transaction(engine) as tx:
        change.run(tx, ids=ids, at=(AT + timedelta(days=1)).replace(tzinfo=None))


def test_connection_that_was_closed_meanwhile_is_a_database_that_is_away(migrated_postgres_url) -> None:
    engine = open_engine(migrated_postgres_url)
    for ends in ("close", "fileno"):
        with pytest.raises(DatabaseUnavailable), transaction(engine) as tx:  # noqa: PT012  # what ends it is part of it
            driver = tx.connection.driver_connection
            driver.close() if ends == "close" else os.close(driver.fileno())
            messages.known(tx, "in", [("AT-BMI", "m1")])
    with transaction(engine) as tx:
        assert messages.known(tx, "in", [("AT-BMI", "m1")]) == {}
    engine.dispose()


def test_value_that_was_not_given_is_a_slip_of_ours(engine, ids) -> None:
    change = Prepared(lambda dialect: update(table).where(among(dialect, table.c.id, "ids")).values(sent_at=bindparam("at")))
    with pytest.raises(KeyError), transaction(engine) as tx:
        change.run(tx, ids=ids)
