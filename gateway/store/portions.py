"""Statements about many rows at once, each short whatever the number of rows.

On PostgreSQL a column of values travels as one array: the driver reads the statement once and the server plans it once.
One statement for each row, or one long statement with hundreds of values, cost more than the rows themselves.
SQLite takes rows one by one without a network between, so it gets the plain form. Measured in docs/performance.md.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Connection,
    Table,
    any_,
    func,
    insert,
    literal,
    select,
    text,
)

COPY_FROM = 4  # rows; below that a plain statement is as good


def among(tx: Connection, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `values`."""
    if tx.dialect.name == "postgresql":
        return column == any_(literal(list(values), ARRAY(column.type)))
    return column.in_(values)


def next_ids(tx: Connection, table: Table, count: int) -> list[int]:
    """Return `count` new row ids, so that rows can be written without asking for their ids one by one.

    On SQLite the transaction holds the write lock; on PostgreSQL the sequence gives each number once.
    """
    if tx.dialect.name == "postgresql":
        numbers = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
        return list(tx.execute(numbers, {"table": table.name, "count": count}).scalars())
    last = tx.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    return list(range(last + 1, last + 1 + count))


def add_rows(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns; on PostgreSQL by COPY, which takes a row in a few microseconds."""
    if not rows:
        return
    if tx.dialect.name != "postgresql" or len(rows) < COPY_FROM:
        tx.execute(insert(table), list(rows))
        return
    names = tuple(rows[0])
    dumped = {name for name in names if isinstance(table.c[name].type, JSON)}
    driver: Any = tx.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_copy(table, names)) as copy:
        for row in rows:
            copy.write_row([json.dumps(row[name]) if name in dumped else row[name] for name in names])


@lru_cache(maxsize=64)
def _copy(table: Table, names: tuple[str, ...]) -> str:
    """Return the COPY statement. Names come from the table's definition, never from outside."""
    return f"COPY {table.name} ({', '.join(names)}) FROM STDIN"
