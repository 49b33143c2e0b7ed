"""One tree of migrations, up and down on both databases; older code refuses a newer database."""

import traceback
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from gateway.domain.moves import Role
from gateway.errors import DatabaseNewer, DatabaseNotReady, DatabaseUnavailable, GatewayError
from gateway.store import cases, database, deadlines, journal, messages, upgrading
from gateway.store.database import downgrade, open_engine, reading, require_current, transaction, upgrade, version
from gateway.store.schema import metadata
from gateway.store.upgrading import upgrade_apart
from tests.store_rows import NOW, add_case, deadline_row, message_row, new_case

HEAD = "0017"
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


DEADLINE = """
INSERT INTO deadlines (case_id, limit_id, must_act, started_at, known, due_on, due_until, rolled_on, rolled_until, lapses_at,
    on_lapse, source, confidence, treaty_version, state, detail, changed_at)
VALUES ({case}, 'reply', 'requested', '2026-06-03 08:00:00+00:00', {known}, '2026-06-13', {until}, '2026-06-15', {rolled},
    {rolled}, '{on_lapse}', 'Art. 10', 'verified', '1', '{state}', '{{}}', '2026-06-03 08:00:00+00:00')
"""
UNTIL, ROLLED = "'2026-06-13 22:00:00+00:00'", "'2026-06-15 22:00:00+00:00'"
OF_OLDER_CODE = [  # case, on lapse, state, whether the end is known -> marks of the watch
    (1, "agreed", "open", True, [["overdue", "2026-06-13T22:00:00+00:00"], ["lapse", "2026-06-15T22:00:00+00:00"]]),
    (2, "nothing", "open", True, [["overdue", "2026-06-13T22:00:00+00:00"]]),
    (3, "agreed", "open", False, []),
    (4, "agreed", "met", True, None),
]


def test_deadlines_of_older_code_are_told_of_after_the_upgrade(empty) -> None:
    upgrade(empty)
    with transaction(empty) as tx:
        for number, *_ in OF_OLDER_CODE:
            (case,) = cases.add(tx, [new_case(reference=f"{number:026d}")])
            assert case.id == number
            messages.add(tx, [message_row(number, case_id=number, outcome="received")])
    downgrade(empty, to="0002")
    with transaction(empty) as tx:
        for number, on_lapse, state, known, _ in OF_OLDER_CODE:
            until, rolled = (UNTIL, ROLLED) if known else ("NULL", "NULL")
            values = {"case": number, "on_lapse": on_lapse, "state": state, "until": until, "rolled": rolled}
            tx.exec_driver_sql(DEADLINE.format(**values, known="TRUE" if known else "FALSE"))
    upgrade(empty)
    with reading(empty) as tx:
        rows = {row.case_id: row for row in deadlines.of_cases(tx, [1, 2, 3, 4])}
        told = [row.case_id for row in deadlines.due(tx, datetime(2026, 6, 13, 22, 0, tzinfo=UTC), most=9)]
    assert told == [1, 2]
    for number, *_, marks in OF_OLDER_CODE:
        assert rows[number].inputs.get("marks") == marks
        assert rows[number].inputs.get("message") == (None if marks is None else message_row(number).message_id)
    assert rows[1].inputs["start"] == "2026-06-03T08:00:00+00:00"


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


def test_deadlines_written_before_learn_whose_they_are(empty) -> None:
    upgrade(empty)
    asked, asking = (
        add_case(empty, role=Role.REQUESTED),
        add_case(empty, role=Role.REQUESTING, reference="ANOTHERCASEABCDEFGHIJKLMNO"),
    )
    with transaction(empty) as tx:
        deadlines.add(tx, [deadline_row(asked), deadline_row(asking)])
    downgrade(empty, to="0016")
    upgrade(empty)
    with reading(empty) as tx:
        assert [(row.home, row.ours) for row in deadlines.of_cases(tx, [asked, asking])] == [("BA-MS", True), ("BA-MS", False)]


def test_index_for_what_is_asked_most_is_there(engine) -> None:
    with reading(engine) as tx:
        for table, index in (
            ("outbox", "ix_outbox_turn"),
            ("outbox", "ix_outbox_case"),
            ("outbox", "ix_outbox_parts"),
            ("inbox", "ix_inbox_waiting"),
            ("deadlines", "ix_deadlines_due"),
            ("deadlines", "ix_deadlines_look"),
            ("early", "ix_early_case"),
            ("cases", "ix_cases_standing"),
            ("journal", "ix_journal_case"),
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


# --- without Alembic --------------------------------------------------------------------------------------------------


def test_head_is_read_from_the_files_as_alembic_reads_it() -> None:
    script = ScriptDirectory(str(database._MIGRATIONS))
    assert database._head() == script.get_current_head() == HEAD
    assert database._revisions() == {each.revision: each.down_revision or "" for each in script.walk_revisions()}


def test_database_is_upgraded_by_a_process_of_its_own(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    upgrade_apart(url)
    assert version(open_engine(url)) == HEAD


def test_current_database_starts_no_process(sqlite_url, monkeypatch) -> None:
    monkeypatch.setattr(upgrading.subprocess, "run", lambda *_args, **_named: pytest.fail("a process was started"))
    upgrade_apart(sqlite_url)


def test_upgrade_apart_refuses_a_newer_database(sqlite_url) -> None:
    stamp(open_engine(sqlite_url), "9999")
    with pytest.raises(DatabaseNewer):
        upgrade_apart(sqlite_url)


def test_what_stops_the_other_process_is_told_by_this_one(sqlite_url, monkeypatch, capfd) -> None:
    engine = open_engine(sqlite_url)
    stamp(engine, "9999")
    monkeypatch.setattr(upgrading, "is_current", lambda _engine: False)
    with pytest.raises(DatabaseNewer, match="9999"):
        upgrade_apart(sqlite_url)
    assert capfd.readouterr().out == ""


def test_process_that_ends_without_a_word_is_told_as_a_failed_migration(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(upgrading.sys, "executable", "/bin/false")
    with pytest.raises(DatabaseNotReady):
        upgrade_apart(f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
