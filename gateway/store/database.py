"""Opening the database, bringing it to this code's version, and refusing to run on a newer one.

SQLite is the embedded default (WAL, synchronous=FULL: a committed message survives a power cut); PostgreSQL is for
production. Both run the same statements.
"""

import contextlib
import logging
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.errors import DatabaseNewer, DatabaseNotReady, DatabaseUnavailable, SettingsInvalid, StoreConflict
from gateway.store import driver

if TYPE_CHECKING:
    from alembic.config import Config

Tx: TypeAlias = Connection  # an open transaction; the layers above name it without knowing the library
Database: TypeAlias = Engine

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_VERSIONS = _MIGRATIONS / "versions"

# The library tells each lost connection with a traceback, past our log. Our own events tell it once, without content.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


# How long we wait for PostgreSQL, and it for us. Without these a network that swallows packets, or a host that lost its power,
# would hold a process or the rows that it locked for hours. In seconds, tcp_user_timeout in milliseconds.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
    " -c idle_in_transaction_session_timeout=60s",
}


# SQLite lets one transaction write, and who finds it busy sleeps and looks again, for up to 100 ms at a time. Threads of one
# process wait at a lock instead, which wakes one of them at once.
_TURN = "gateway_turn"
_TURN_SECONDS = 15.0  # as long as SQLite itself then waits for other processes


@contextmanager
def turn(engine: Engine) -> Iterator[None]:
    """Hold the turn of this process to write to SQLite; every `transaction` does. On PostgreSQL nobody waits.

    Raises `DatabaseUnavailable` when it does not come.
    """
    lock = engine.get_execution_options().get(_TURN)
    if lock is None:
        yield
        return
    if not lock.acquire(timeout=_TURN_SECONDS):
        raise DatabaseUnavailable("another part of this process writes to the database without end")
    try:
        yield
    finally:
        lock.release()


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # transactions are opened by _begin_immediate, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")


def _make_private(file: Path) -> None:
    """Make the database file, and its folder, for this user alone; SQLite gives its side files the same rights.

    What is there already keeps the rights that somebody gave it.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(OSError):  # what cannot be made is told when it is opened
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later would fail half-way."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if not connection.get_execution_options().get("read_only") else "BEGIN")


def open_engine(url: str) -> Engine:
    """Return an engine for `url` (sqlite:/// or postgresql://). Statement parameters never reach a log or an error text.

    Raises `SettingsInvalid` for what is no such address.
    """
    try:
        place = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsInvalid("the setting database is no address that can be read") from None  # the cause may quote a password
    if place.drivername == "postgresql":
        place = place.set(drivername="postgresql+psycopg")
    if place.get_backend_name() == "sqlite":
        if place.database and place.database != ":memory:":
            _make_private(Path(place.database))
        engine = create_engine(place, hide_parameters=True, execution_options={_TURN: threading.Lock()})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    settings = {name: value for name, value in _PATIENCE.items() if name not in place.query}  # what the address says counts
    engine = create_engine(place, hide_parameters=True, pool_size=8, max_overflow=8, connect_args=settings)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ask_again)
    return engine


_IDLE_SECONDS = 2.0  # a connection that lay unused for longer is asked whether it still stands; a busy one would say so itself


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _ask_again(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Ask a connection that lay idle; the pool replaces one that does not answer. To ask each time would cost each batch."""
    if time.monotonic() - record.info.get("used", time.monotonic()) < _IDLE_SECONDS:
        return
    try:
        connection.execute(";")
        connection.rollback()
    except driver.errors() as error:
        raise DisconnectionError from error


# SQLSTATE classes of what passes by itself: connection, rolled back (deadlock), resources, lock, operator intervention.
_PASSING = {"08", "40", "53", "55", "57"}
_CUT = {"08", "57"}  # the server is gone, or going
_LEFT = "25P03"  # it has ended a transaction in which nothing happened for too long


def _stands_already(error: BaseException | None) -> bool:
    found = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return found in {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"}


def _passes(error: BaseException | None) -> bool:
    state = getattr(error, "sqlstate", None)
    return state is not None and (state[:2] in _PASSING or state == _LEFT)


@contextmanager
def our_errors(engine: Engine) -> Iterator[None]:
    """Sort the library's errors: outside at fault, somebody was faster, or a defect of ours (left as it is).

    `transaction` and `reading` do it; for whoever catches defects inside of one, and must not take a lost connection for one.
    """
    try:
        yield
    except IntegrityError as error:
        if not _stands_already(error.orig):
            raise  # a missing reference or value: looking again would find the same
        raise StoreConflict("somebody else wrote the same row first") from error
    except PoolTimeout as error:
        raise DatabaseUnavailable("no connection to the database is free") from error
    except DBAPIError as error:
        nameless = getattr(error.orig, "sqlstate", None) is None and isinstance(error, OperationalError)
        if error.connection_invalidated or _passes(error.orig) or nameless:
            raise DatabaseUnavailable("the database does not answer") from error
        raise
    except driver.errors() as error:  # statements of the hot path speak to the driver itself
        if _stands_already(error):
            raise StoreConflict("somebody else wrote the same row first") from error
        if _passes(error) or isinstance(error, driver.errors("OperationalError")):
            state = getattr(error, "sqlstate", None)
            if not isinstance(error, sqlite3.Error) and (state is None or state[:2] in _CUT or state == _LEFT):
                engine.dispose()  # the library was not told: connections that lie in the pool are as broken as this one
            raise DatabaseUnavailable("the database does not answer") from error
        raise


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Open a write transaction; commit at the end, roll back on any error.

    Raises `DatabaseUnavailable` when the database cannot be reached, `StoreConflict` when a unique row exists already.
    """
    with our_errors(engine), turn(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection for reading; never waits for writers. Raises `DatabaseUnavailable`."""
    with our_errors(engine), engine.connect().execution_options(read_only=True) as connection:
        yield connection


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415  # Alembic is for upgrades: a gateway that runs needs none of it

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, *, to: str = "head") -> None:
    """Run the migrations this code brings, up to `to`. Raises `DatabaseNewer` if the database is ahead of this code."""
    if is_current(engine) and to == "head":
        return
    from alembic import command  # noqa: PLC0415  # see _config

    with transaction(engine) as connection:
        command.upgrade(_config(connection), to)


def downgrade(engine: Engine, *, to: str = "base") -> None:
    """Take migrations back, down to `to`. Raises `DatabaseNewer` if the database is ahead of this code."""
    _refuse_newer(engine)
    from alembic import command  # noqa: PLC0415  # see _config

    with transaction(engine) as connection:
        command.downgrade(_config(connection), to)


def version(engine: Engine) -> str | None:
    """Return the migration the database stands at, None if it has none."""
    with reading(engine) as connection:
        if not inspect(connection).has_table(_VERSION_TABLE):
            return None
        return connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION_TABLE}").scalar()  # noqa: S608 - our own name


_VERSION_TABLE = "alembic_version"
_REVISION = re.compile(r'^(revision|down_revision) = (?:"(\w+)"|None)$', re.MULTILINE)


def _revisions() -> dict[str, str]:
    """Return each migration of this code with the one before it, "" before the first."""
    told = (dict(_REVISION.findall(path.read_text(encoding="utf-8"))) for path in _VERSIONS.glob("[0-9]*.py"))
    return {each["revision"]: each["down_revision"] for each in told}


def _head() -> str:
    known = _revisions()
    (last,) = known.keys() - set(known.values())
    return last


def _refuse_newer(engine: Engine) -> None:
    standing = version(engine)
    if standing is not None and standing not in _revisions():
        raise DatabaseNewer(f"the database is at version {standing}, which this code does not know; start newer code")


def is_current(engine: Engine) -> bool:
    """Tell whether the database has every migration of this code. Raises `DatabaseNewer` if it has others too."""
    _refuse_newer(engine)
    return version(engine) == _head()


def require_current(engine: Engine) -> None:
    """Refuse to start on a database that is newer than the code, or that lacks its migrations."""
    if not is_current(engine):
        raise DatabaseNotReady("the database lacks migrations of this code; run: gateway doctor --upgrade")
