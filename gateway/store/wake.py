"""A bell between processes, on PostgreSQL: whoever writes into the outbox wakes the delivery loops of other processes.

It is a wake-up and nothing else: the notice travels with the commit, may be lost with a connection, and the loops look every
two seconds anyway, every half second while nobody listens. SQLite has no such thing; there a glance takes its place.
"""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

_CHANNEL = "gateway_outbox"
_LOOK_SECONDS = 1.0  # how long it may take to notice that the process ends
_PAUSE_SECONDS = 2.0  # before the next attempt to listen


def wake(tx: Connection) -> None:
    """Wake the loops of all processes when this transaction is committed."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"NOTIFY {_CHANNEL}")


class Ear:
    """Listens on a connection of its own, in a thread of its own, until it is closed."""

    def __init__(self, engine: Engine, ring: Callable[[], None]) -> None:
        """`ring` is called for each notice, and once when listening begins: something may have been missed before."""
        self._engine, self._ring = engine, ring
        self._ended = threading.Event()
        self.listening = False  # whether notices come, as far as it is known
        self._thread = threading.Thread(target=self._listen, name="ear", daemon=True)
        if engine.dialect.name == "postgresql":
            self._thread.start()

    def close(self) -> None:
        """End it; returns when the connection is closed."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _listen(self) -> None:
        import psycopg  # noqa: PLC0415  # here it is PostgreSQL; SQLite does without its driver

        while not self._ended.is_set():
            with contextlib.suppress(psycopg.Error, DBAPIError), self._engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                connection.detach()  # it is none of the pool's any more, and closed at the end
                driver.rollback()
                driver.autocommit = True
                driver.execute(f"LISTEN {_CHANNEL}")
                self._ring()
                self.listening = True
                while not self._ended.is_set():
                    for _ in driver.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                        self._ring()
                return
            self.listening = False
            self._ended.wait(_PAUSE_SECONDS)
