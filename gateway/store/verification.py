"""Verifying the journal: its rows as the database holds them, past every conversion that could hide a change or fail on it."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from gateway.store.breaks import Finding, Mark, explain
from gateway.store.chain import walk
from gateway.store.tables import journal

_PORTION = 5000  # rows fetched at once
_FIELDS = "event, actor, authority, case_id, message_id, digest, detail, previous, hash FROM journal ORDER BY id"
# Text, since a driver fails on an instant that no calendar of Python's has; the era, since a year before Christ looks the same.
_POSTGRESQL = f"""SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00 "BC'), {_FIELDS}"""
_SQLITE = f"SELECT id, at, {_FIELDS}"  # both are made of names that stand here


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a walk through the whole journal found."""

    entries: int  # rows read
    last: tuple[int, str]  # number and hash of the last row
    findings: Sequence[Finding]  # by number; empty when the chain is whole


def verify(tx: Connection) -> tuple[int, list[Finding]]:
    """Walk the whole journal; return the number of entries read and every place where its chain is broken."""
    found = examine(tx)
    return found.entries, list(found.findings)


def examine(tx: Connection, marks: Sequence[Mark] = ()) -> Verification:
    """Walk the whole journal, and hold it against what others remember of it."""
    with _text_as_it_is(tx):
        noticed = walk(_rows(tx), {mark.entry for mark in marks})
    return Verification(entries=noticed.entries, last=noticed.last, findings=explain(noticed, _Table(tx), marks))


@dataclass(frozen=True, slots=True)
class _Table:
    tx: Connection

    def hash_at(self, number: int) -> str | None:
        return self.tx.execute(select(journal.c.hash).where(journal.c.id == number).limit(1)).scalar()

    def number_of(self, hash_: str) -> int | None:
        return self.tx.execute(select(journal.c.id).where(journal.c.hash == hash_).limit(1)).scalar()


def _rows(tx: Connection) -> Iterator[tuple[Any, ...]]:
    """Yield the entries as `walk` takes them, by number; they pass through memory a portion at a time."""
    query, instant = (_POSTGRESQL, _of_postgresql) if tx.dialect.name == "postgresql" else (_SQLITE, _of_sqlite)
    result = tx.exec_driver_sql(query, execution_options={"yield_per": _PORTION})
    for portion in result.partitions():
        for number, at, *rest in portion:
            yield number, instant(at), *rest


def _of_postgresql(at: Any) -> Any:
    return at.removesuffix(" AD") if isinstance(at, str) else at


def _of_sqlite(at: Any) -> Any:
    return f"{at[:10]}T{at[11:]}+00:00" if isinstance(at, str) and at[10:11] == " " else at


@contextmanager
def _text_as_it_is(tx: Connection) -> Iterator[None]:
    """On SQLite let text that is no UTF-8 come as it is: it cannot be what was written, and reading must not end at it."""
    driver: Any = tx.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    before: Callable[[bytes], Any] = driver.text_factory
    driver.text_factory = _decoded
    try:
        yield
    finally:
        driver.text_factory = before


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
