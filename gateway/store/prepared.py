"""Statements of the hot path: built and compiled once, then handed to the driver as they are.

To build, look up and run a statement costs the library three to four times what the driver needs for it. A lone message meets
some forty statements on its way from one journal into the other, so at low rates that was most of what it cost. Measured in
docs/performance.md. The library still writes the statements and converts what goes in and what comes out.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Delete,
    Dialect,
    Insert,
    Select,
    Update,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.types import TypeEngine

from gateway.store import driver

POSTGRES = "postgresql"
_Convert = Callable[[Any], Any]
_Statement: TypeAlias = Select[Any] | CompoundSelect[Any] | Insert | Update | Delete


def among(dialect: str, column: Column[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that `column` is one of the values that are given under `name`, however many they are.

    PostgreSQL takes them as one array, SQLite as a JSON array: `Prepared` writes it.
    """
    if dialect == POSTGRES:
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    return column.in_(select(func.json_each(bindparam(name, type_=_Listed())).table_valued("value").c.value))


class _Listed(TypeEngine[Any]):
    """A sequence of texts or numbers as one value."""

    def bind_processor(self, dialect: Dialect) -> _Convert:
        del dialect
        return lambda values: json.dumps(list(values))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement for one kind of database."""

    text: str
    names: Sequence[str] | None  # in their order, for a driver that knows values by place
    fixed: Mapping[str, Any]  # values that the statement itself brings
    binds: Mapping[str, _Convert]
    row: Callable[..., Any] | None  # makes a row; None for a statement that returns none
    results: Sequence[tuple[int, _Convert]]


class Prepared:
    """One statement. Safe to share between threads."""

    def __init__(self, build: Callable[[str], _Statement]) -> None:
        """`build` returns the statement for a kind of database ("sqlite", "postgresql"), with a `bindparam` for each value.

        A list of values is an `among`: an `in_` would have to be completed by the library at each run.
        """
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, tx: Connection, /, **values: Any) -> list[Any]:
        """Run it; return its rows, whose fields are named like the columns."""
        compiled = self._for(tx.dialect)
        assert compiled.row is not None
        found = driver.execute(tx, compiled.text, self._values(compiled, values)).fetchall()
        if compiled.results:
            found = [_converted(row, compiled.results) for row in found]
        return [compiled.row(*row) for row in found]

    def run(self, tx: Connection, /, **values: Any) -> int:
        """Run it; return how many rows it changed."""
        compiled = self._for(tx.dialect)
        return int(driver.execute(tx, compiled.text, self._values(compiled, values)).rowcount)

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self._build(dialect.name), dialect)
        return found

    @staticmethod
    def _values(compiled: _Compiled, values: Mapping[str, Any]) -> Any:
        given = {**compiled.fixed, **values}
        for name, convert in compiled.binds.items():
            if given[name] is not None:
                given[name] = convert(given[name])
        return given if compiled.names is None else tuple(given[name] for name in compiled.names)


def _converted(row: Sequence[Any], results: Sequence[tuple[int, _Convert]]) -> list[Any]:
    values = list(row)
    for place, convert in results:
        if values[place] is not None:
            values[place] = convert(values[place])
    return values


def _compile(statement: _Statement, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    binds: Mapping[str, BindParameter[Any]] = compiled.binds
    columns = list(statement.exported_columns)
    processors = [each.type.dialect_impl(dialect).result_processor(dialect, None) for each in columns]
    return _Compiled(
        text=str(compiled),
        names=compiled.positiontup,
        fixed={name: bind.value for name, bind in binds.items() if not bind.required},
        binds={
            name: convert
            for name, bind in binds.items()
            if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        },
        row=namedtuple("Found", [str(each.key) for each in columns]) if columns else None,  # noqa: PYI024 - fields are known at run time only
        results=[(place, convert) for place, convert in enumerate(processors) if convert is not None],
    )
