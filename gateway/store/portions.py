"""Statements about many rows at once, each short whatever the number of rows.

On PostgreSQL a column of values travels as one array: the driver reads the statement once and the server plans it once.
One statement for each row, or one long statement with hundreds of values, cost more than the rows themselves.
SQLite takes rows one by one without a network between, so it gets the plain form. Measured in docs/performance.md.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    TypeDecorator,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.types import TypeEngine

from gateway.store import driver
from gateway.store.prepared import Prepared

COPY_FROM = 16  # rows; below that a plain statement is as good
MOST_AT_ONCE = 64  # rows in one INSERT on SQLite; a power of two, and far below what its statements hold
T = TypeVar("T")


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
        numbers = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
        return [number for (number,) in driver.execute(tx, numbers, (table.name, count)).fetchall()]
    (row,) = _last_id(table).rows(tx)
    return list(range(row.last + 1, row.last + 1 + count))


@lru_cache(maxsize=64)
def _last_id(table: Table) -> Prepared:
    return Prepared(lambda _: select(func.coalesce(func.max(table.c.id), 0).label("last")))


def add_rows(tx: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of values for the columns `names`; on PostgreSQL by COPY, which takes a row in a few microseconds.

    The values go to the driver in one step: no statement is compiled, and what many rows share is converted once.
    """
    if not rows:
        return
    values = list(_converted(rows, _conversions(table, names, tx.dialect)))
    if tx.dialect.name != "postgresql":
        for portion in _portions(values):
            driver.execute(tx, _insert(table, names, len(portion), "?"), _flat(portion))
    elif len(rows) < COPY_FROM:
        driver.execute(tx, _insert(table, names, len(rows), "%s"), _flat(values))
    else:
        with driver.of(tx).cursor() as cursor, cursor.copy(_copy(table, names)) as copy:
            copy.set_types(_wire_types(table, names))
            for row in values:
                copy.write_row(row)


def _flat(rows: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    return tuple(value for row in rows for value in row)


Conversion: TypeAlias = Callable[[Any], Any]


def _converted(rows: Sequence[Sequence[Any]], conversions: Mapping[int, Conversion]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows as the driver takes them. The rows of a batch share most instants and texts, so a converted value is kept.

    Values are told apart by identity, which is theirs for as long as `rows` holds them.
    """
    kept: dict[tuple[int, int], Any] = {}
    for row in rows:
        values = list(row)
        for place, convert in conversions.items():
            value = values[place]
            if value is not None:
                key = place, id(value)
                if key not in kept:
                    kept[key] = convert(value)
                values[place] = kept[key]
        yield tuple(values)


@lru_cache(maxsize=64)
def _conversions(table: Table, names: tuple[str, ...], dialect: Dialect) -> Mapping[int, Conversion]:
    """Return how values are converted for the driver, by place: by the same functions the library uses for a statement."""
    found: dict[int, Conversion] = {}
    for place, name in enumerate(names):
        column_type = table.c[name].type
        convert = json.dumps if isinstance(column_type, JSON) else column_type.dialect_impl(dialect).bind_processor(dialect)
        if convert is not None:
            found[place] = convert
    return found


def _portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut rows into few portions of few different sizes, so that their statements are known again.

    The driver lets other threads run at every step of a statement: a transaction that takes many steps holds the one write
    lock of SQLite while it waits for its turn after each of them.
    """
    start, size = 0, MOST_AT_ONCE
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size


@lru_cache(maxsize=256)
def _insert(table: Table, names: tuple[str, ...], count: int, place: str) -> str:
    """Return the INSERT of so many rows, `place` standing for a value.

    Names come from the table's definition, never from outside.
    """
    row = f"({', '.join([place] * len(names))})"
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([row] * count)}"  # noqa: S608


@lru_cache(maxsize=64)
def _copy(table: Table, names: tuple[str, ...]) -> str:
    """Return the COPY statement; binary, since as text each byte of a document would travel as two digits."""
    return f"COPY {table.name} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"


# In binary form the server believes what it is told, so each column's type is named.
_WIRE: Mapping[type[TypeEngine[Any]], str] = {
    BigInteger: "int8",
    Integer: "int4",
    String: "varchar",
    Text: "varchar",
    JSON: "varchar",  # the same bytes, written here
    DateTime: "timestamptz",
    Date: "date",
    Boolean: "bool",
    LargeBinary: "bytea",
}


@lru_cache(maxsize=64)
def _wire_types(table: Table, names: tuple[str, ...]) -> list[str]:
    """Return the name of each column's type on PostgreSQL."""
    types = [table.c[name].type for name in names]
    plain = [one.impl_instance if isinstance(one, TypeDecorator) else one for one in types]
    return [_WIRE[type(one)] for one in plain]
