"""On PostgreSQL the role that runs a gateway does everything a gateway does, and cannot change the journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gateway.errors import SettingsInvalid
from gateway.store import journal, rights
from gateway.store.database import open_engine, reading, transaction, upgrade, version
from gateway.transport.memory import MemoryHub
from tests.gateways import AUTHORITIES, example, exchange, make_gateway
from tests.journal_rows import findings, rows, write
from tests.running import run, write_settings
from tests.servers import Databases

pytestmark = pytest.mark.postgres

ROLES = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "roles.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One database with its two logins."""

    superuser: str  # URL
    admin: str  # URL as the owner's login
    service: str  # URL as the login that runs the gateway


def as_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:@{parts.netloc.rpartition('@')[2]}").geturl()


def prepare(url: str, name: str) -> Installed:
    """Set a database up as deploy/postgres/roles.sql says."""
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute(ROLES.read_bytes())
        superuser.execute(ROLES.read_bytes())  # a second time changes nothing
        superuser.execute(f"CREATE ROLE admin_{name} LOGIN IN ROLE gateway_owner")
        superuser.execute(f"ALTER ROLE admin_{name} SET role = 'gateway_owner'")
        superuser.execute(f"CREATE ROLE run_{name} LOGIN IN ROLE gateway_service")
    return Installed(superuser=url, admin=as_user(url, f"admin_{name}"), service=as_user(url, f"run_{name}"))


def migrate(installed: Installed) -> None:
    owner = open_engine(installed.admin)
    upgrade(owner)
    with transaction(owner) as tx:
        rights.grant(tx, "gateway_service")
    owner.dispose()


@pytest.fixture(scope="module")
def installed(postgres: Databases) -> Iterator[Installed]:
    """A database with its two roles, after the owner's migrations; the tests of this module share it."""
    name = postgres.create()
    made = prepare(postgres.url(name), name)
    migrate(made)
    yield made
    postgres.drop(name)


@pytest.fixture
def service(installed) -> Iterator[Engine]:
    """An engine as the role that runs the gateway."""
    opened = open_engine(installed.service)
    yield opened
    opened.dispose()


def test_entries_are_added_and_read_by_the_service(service) -> None:
    before = len(rows(service))
    write(service, 3)
    assert len(rows(service)) == before + 3
    assert findings(service) == []


@pytest.mark.anyio
async def test_whole_main_path_runs_as_the_service(service, installed, keys, clock) -> None:
    gateway = await make_gateway(installed.service, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock)).open()
    sent = gateway.hand_in(example("ReadmissionApplication-own-national"), authority="BA-MS")
    gateway.release(sent.case_id)
    await exchange(gateway)
    events = [row["event"] for row in rows(service)]
    assert {
        "message.held",
        "statement.made",
        "statement.released",
        "message.sent",
        "message.received",
        "receipt.issued",
    } <= set(events)
    assert findings(service) == []
    gateway.rt.engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor = 'nobody'",
        "DELETE FROM journal WHERE id = 2",
        "TRUNCATE journal",
        "INSERT INTO journal SELECT * FROM journal WHERE id = 2 ON CONFLICT (id) DO UPDATE SET actor = 'nobody'",
        "ALTER TABLE journal DISABLE TRIGGER ALL",
        "ALTER TABLE journal ADD COLUMN more text",
        "ALTER TABLE journal RENAME TO another",
        "DROP TRIGGER journal_append_only ON journal",
        "CREATE TRIGGER another BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()",
        "CREATE RULE another AS ON INSERT TO journal DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP FUNCTION journal_is_append_only() CASCADE",
        "DROP TABLE journal",
        "CREATE TABLE another (id int)",
        "DROP SCHEMA public CASCADE",
        "SET role = 'gateway_owner'",
        "SET session_replication_role = 'replica'",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_service_is_refused_whatever_would_change_the_journal(service, statement) -> None:
    write(service, 3)
    before = rows(service)
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction(service) as tx:
        tx.exec_driver_sql(statement)
    assert rows(service) == before
    assert findings(service) == []


def test_service_cannot_give_itself_a_right(service) -> None:
    with transaction(service) as tx:
        tx.exec_driver_sql("GRANT UPDATE ON journal TO gateway_service")  # PostgreSQL only warns
    with reading(service) as tx:
        assert not rights.may_change_journal(tx)


def test_owner_is_refused_by_the_triggers_even_as_a_replica(service, installed) -> None:
    write(service, 3)
    with psycopg.connect(installed.superuser) as superuser:
        superuser.execute("SET session_replication_role = 'replica'")
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            superuser.execute("DELETE FROM journal WHERE id = 2")
    assert findings(service) == []


def test_rights_that_were_given_by_hand_end_with_the_next_grant(service, installed) -> None:
    owner = open_engine(installed.admin)
    with transaction(owner) as tx:
        tx.exec_driver_sql("GRANT UPDATE, DELETE ON journal TO gateway_service")
    with reading(service) as tx:
        assert rights.may_change_journal(tx)
    with transaction(owner) as tx:
        rights.grant(tx, "gateway_service")
    with reading(service) as tx:
        assert not rights.may_change_journal(tx)
    owner.dispose()


def test_owner_and_superuser_are_told_from_the_service(installed) -> None:
    said = {}
    for name, url in (("service", installed.service), ("owner", installed.admin), ("superuser", installed.superuser)):
        engine = open_engine(url)
        with reading(engine) as tx:
            said[name] = rights.may_change_journal(tx), rights.missing_triggers(tx)
        engine.dispose()
    assert said == {"service": (False, []), "owner": (True, []), "superuser": (True, [])}


@pytest.mark.parametrize("role", ["nobody_of_this_name", "gateway_service; DROP TABLE journal", ""])
def test_rights_go_only_to_a_role_that_is_there(installed, role) -> None:
    owner = open_engine(installed.admin)
    with pytest.raises(SettingsInvalid, match=r"roles\.sql"), transaction(owner) as tx:
        rights.grant(tx, role)
    owner.dispose()


def test_service_may_not_run_migrations(postgres_url) -> None:
    engine = open_engine(prepare(postgres_url, urlsplit(postgres_url).path.removeprefix("/")).service)
    with pytest.raises(ProgrammingError, match="permission denied"):
        upgrade(engine)
    assert version(engine) is None
    engine.dispose()


def test_doctor_migrates_as_the_owner_and_warns_whoever_could_change_the_journal(postgres_url, keys, tmp_path) -> None:
    made = prepare(postgres_url, urlsplit(postgres_url).path.removeprefix("/"))
    said = []
    for words, url in ((("--upgrade",), made.admin), ((), made.service)):
        config = write_settings(tmp_path, keys, database=url, service_role="gateway_service")
        done = run("doctor", *words, "--json", "--config", config, cwd=tmp_path)
        said += [(done.code, part["what"]) for part in done.json["parts"] if part["part"] == "journal"]
    assert [code for code, _ in said] == [0, 0]
    assert "WARNING: this role could remove them" in said[0][1]
    assert said[1][1] == "append-only; this role can add entries and change none"


def test_trigger_that_was_removed_is_missed(engine) -> None:
    name = "journal_append_only" if engine.dialect.name == "postgresql" else "journal_no_delete"
    on = " ON journal" if engine.dialect.name == "postgresql" else ""
    with transaction(engine) as tx:
        assert rights.missing_triggers(tx) == []
        tx.execute(text(f"DROP TRIGGER {name}{on}"))
    with reading(engine) as tx:
        assert rights.missing_triggers(tx) == [name]
        assert journal.verify(tx) == (0, [])
