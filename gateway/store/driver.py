"""The short way to the database's driver, past the library: for statements of the hot path (docs/decisions/0044).

The library is asked for the connection and keeps the transaction; what a statement costs beside that is the driver's own.
"""

import sqlite3
import sys
from typing import Any

from sqlalchemy import Connection


def of(tx: Connection) -> Any:
    """Return the driver's connection of a transaction; one that only reads begins here, as with the library's statements."""
    if not tx.in_transaction():
        tx.begin()
    return tx.connection.driver_connection


def execute(tx: Connection, statement: str, values: Any = ()) -> Any:
    """Run a statement as it is; return its cursor. Raises the driver's errors: `database.our_errors` sorts them."""
    return of(tx).execute(statement, values)


def errors(*names: str) -> tuple[type[Exception], ...]:
    """Return the drivers' errors of these names (not given: all); psycopg's only where it is loaded."""
    drivers = (sqlite3, sys.modules.get("psycopg"))
    return tuple(getattr(driver, name) for driver in drivers if driver is not None for name in names or ("Error",))
