"""One tree of migrations, up and down on both databases; older code refuses a newer database."""

import traceback

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from gateway.errors import DatabaseNewer, DatabaseNotReady, DatabaseUnavailable, GatewayError
from gateway.store import journal
from gateway.store.database import downgrade, open_engine, reading, require_current, transaction, upgrade, version
from gateway.store.tables import metadata
from tests.store_rows import NOW, add_case

HEAD = "0003"
SECRET = "correct-horse"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request, tmp_path):
    """An engine on a database without any table."""
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = open_engine(url)
    yield opened
    opened.dispose()


def tables(engine) -> set[str]:
    with reading(engine) as tx:
        return set(inspect(tx).get_table_names())


def stamp(engine, revision: str) -> None:
    with transaction(engine) as tx:
        tx.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def test_empty_database_gets_all_tables(empty) -> None:
    assert version(empty) is None
    upgrade(empty)
    assert version(empty) == HEAD
    assert tables(empty) == set(metadata.tables) | {"alembic_version"}
    require_current(empty)


def test_upgrade_of_a_current_database_changes_nothing(empty) -> None:
    upgrade(empty)
    case_id = add_case(empty)
    upgrade(empty)
    assert version(empty) == HEAD
    assert case_id == 1


def test_migrations_go_down_and_up_again(empty) -> None:
    upgrade(empty)
    downgrade(empty)
    assert version(empty) is None
    assert tables(empty) <= {"alembic_version"}
    upgrade(empty)
    assert version(empty) == HEAD
    with transaction(empty) as tx:
        journal.append(tx, [journal.Entry(at=NOW, event="gateway.started", actor="gateway")])
        assert journal.verify(tx) == (1, [])


@pytest.mark.parametrize("to", ["0001", "0002"])
def test_migrations_go_down_one_step_and_keep_what_is_stored(empty, to) -> None:
    upgrade(empty)
    case_id = add_case(empty)
    downgrade(empty, to=to)
    assert version(empty) == to
    upgrade(empty)
    with reading(empty) as tx:
        assert tx.exec_driver_sql("SELECT id FROM cases").scalars().all() == [case_id]


def test_migrated_database_is_what_the_code_describes(engine) -> None:
    with reading(engine) as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_difference_between_database_and_code_would_be_seen(engine) -> None:
    with transaction(engine) as tx:
        tx.exec_driver_sql("ALTER TABLE cases ADD COLUMN forgotten INTEGER")
    with reading(engine) as tx:
        (found,) = compare_metadata(MigrationContext.configure(tx), metadata)
    assert found[0] == "remove_column"


def test_index_for_what_is_asked_most_is_there(engine) -> None:
    with reading(engine) as tx:
        for table, index in (
            ("outbox", "ix_outbox_due"),
            ("inbox", "ix_inbox_waiting"),
            ("deadlines", "ix_deadlines_open"),
            ("deadlines", "ix_deadlines_look"),
            ("early", "ix_early_case"),
        ):
            assert index in {found["name"] for found in inspect(tx).get_indexes(table)}


def test_code_older_than_the_database_refuses_to_start(engine) -> None:
    stamp(engine, "9999")
    with pytest.raises(DatabaseNewer, match="9999"):
        require_current(engine)


def test_code_older_than_the_database_refuses_to_migrate_it(engine) -> None:
    stamp(engine, "9999")
    with pytest.raises(DatabaseNewer):
        upgrade(engine)
    assert version(engine) == "9999"


def test_code_older_than_the_database_refuses_to_take_migrations_back(engine) -> None:
    stamp(engine, "9999")
    with pytest.raises(DatabaseNewer):
        downgrade(engine)
    assert version(engine) == "9999"


@pytest.mark.parametrize("to", [None, "0001", "0002"], ids=["empty", "two behind", "one behind"])
def test_database_without_all_migrations_is_not_ready(empty, to) -> None:
    if to is not None:
        upgrade(empty, to=to)
    with pytest.raises(DatabaseNotReady, match="doctor"):
        require_current(empty)


UNREACHABLE = f"postgresql://officer:{SECRET}@127.0.0.1:1/gateway"


def require(engine) -> None:
    require_current(engine)


def write(engine) -> None:
    with transaction(engine):
        pass


def read(engine) -> None:
    with reading(engine):
        pass


@pytest.mark.parametrize("act", [require, upgrade, write, read])
def test_postgresql_that_does_not_answer_is_unavailable_and_tells_no_secret(act) -> None:
    engine = open_engine(UNREACHABLE)
    with pytest.raises(DatabaseUnavailable) as refused:
        act(engine)
    engine.dispose()
    told = "".join(traceback.format_exception(refused.value))
    assert SECRET not in told
    assert refused.value.message == "the database does not answer"


def test_database_that_went_away_is_unavailable(migrated_postgres_url, postgres) -> None:
    engine = open_engine(migrated_postgres_url)

    def lose_the_connection() -> None:
        with transaction(engine) as tx:
            own = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with reading(engine) as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({own})")
            tx.exec_driver_sql("SELECT 1")

    with pytest.raises(DatabaseUnavailable):
        lose_the_connection()
    engine.dispose()


@pytest.mark.parametrize("url", [f"postgresql://officer:{SECRET}@host:notaport/x", f"nonsense {SECRET}"])
def test_address_that_is_no_url_is_refused_without_repeating_it(url) -> None:
    with pytest.raises(GatewayError) as refused:
        open_engine(url)
    assert refused.value.code == "settings-invalid"
    assert SECRET not in "".join(traceback.format_exception(refused.value))
