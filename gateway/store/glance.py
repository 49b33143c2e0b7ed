"""A glance at a database of SQLite: whether anybody wrote into it since the glance before. It costs a hundredth of a look.

An idle gateway looks into its queues twice a second, since other processes may fill them and nothing rings there. SQLite keeps
a number that changes with each commit of another connection, in any process (its documentation: PRAGMA data_version).
"""

import sqlite3
from typing import Any

from sqlalchemy import Engine

from gateway.errors import GatewayError
from gateway.store.database import our_errors


class Glance:
    """Keeps a connection of its own, by which nothing is written. To be used by one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tells = engine.dialect.name == "sqlite" and engine.url.database not in {None, "", ":memory:"}
        self._connection: Any = None
        self._seen: int | None = None

    def changed(self) -> bool:
        """Say whether something was written since this was asked before; yes where that is not known, as on PostgreSQL.

        Ask first and look then: what is written in between is told the next time. A database that does not answer is yes too,
        for the look will say what is wrong with it.
        """
        if not self._tells:
            return True
        before = self._seen
        try:
            self._seen = self._version()
        except (sqlite3.Error, GatewayError):
            self.close()
            return True
        return self._seen != before

    def _version(self) -> int:
        if self._connection is None:
            with our_errors(self._engine):
                pooled = self._engine.raw_connection()
            self._connection = pooled.driver_connection
            pooled.detach()  # it is none of the pool's any more: of what it wrote itself it would not be told
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def close(self) -> None:
        """Close the connection; the next glance opens another and says yes."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._seen = None
