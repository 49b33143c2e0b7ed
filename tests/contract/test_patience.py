"""How long we wait for PostgreSQL, and it for us: a network that swallows everything holds neither for hours."""

import socket
import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import bindparam, make_url, select, text
from sqlalchemy.engine import Connection

from gateway.errors import DatabaseUnavailable
from gateway.store import tables as t
from gateway.store.database import open_engine, reading, transaction
from gateway.store.prepared import Prepared

pytestmark = pytest.mark.postgres

BOUND = 30.0  # seconds
SOON_LEFT = "-c idle_in_transaction_session_timeout=50ms"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def _until_gone(url: str, pid: int) -> None:
    end = time.monotonic() + BOUND
    with psycopg.connect(url, autocommit=True) as look:
        while look.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            assert time.monotonic() < end
            time.sleep(0.02)


def _by_library(tx: Connection) -> None:
    tx.execute(text("SELECT 1"))


def _by_driver(tx: Connection) -> None:
    Prepared(lambda _: select(t.cases.c.id).where(t.cases.c.id == bindparam("row"))).rows(tx, row=1)


def test_server_that_says_nothing_is_away_after_a_while(silent_port) -> None:
    began = time.monotonic()
    engine = open_engine(f"postgresql://nobody@127.0.0.1:{silent_port}/none?connect_timeout=2")
    with pytest.raises(DatabaseUnavailable), reading(engine):
        pass
    assert time.monotonic() - began < BOUND


def test_both_ends_look_whether_the_other_is_there(postgres_url) -> None:
    engine = open_engine(postgres_url)
    with reading(engine) as tx:
        held = tx.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
        options = tx.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    engine.dispose()
    assert held == "1min"
    assert "tcp_keepalives_idle=10" in options["options"]
    assert (options["connect_timeout"], options["keepalives_idle"], options["tcp_user_timeout"]) == ("10", "10", "20000")


def test_what_the_address_says_counts(postgres_url) -> None:
    engine = open_engine(
        make_url(postgres_url).update_query_dict({"connect_timeout": "7"}).render_as_string(hide_password=False)
    )
    with reading(engine) as tx:
        said = tx.connection.driver_connection.info.get_parameters()["connect_timeout"]  # type: ignore[union-attr]
    engine.dispose()
    assert said == "7"


@pytest.mark.parametrize("use", [_by_library, _by_driver])
def test_transaction_in_which_nothing_happens_is_ended_and_its_rows_are_free(migrated_postgres_url, use) -> None:
    """As by a host that lost its power in the middle: nobody waits for its locks. Who comes back is told, and tries again."""
    address = make_url(migrated_postgres_url).update_query_dict({"options": SOON_LEFT})
    engine = open_engine(address.render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnavailable), transaction(engine) as tx:  # noqa: PT012  # what comes before is part of it
        pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        _until_gone(migrated_postgres_url, pid)
        use(tx)
    with reading(engine) as tx:  # the next finds a connection that stands
        _by_library(tx)
    engine.dispose()
