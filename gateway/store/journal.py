"""The append-only, hash-chained record of what happened.

Each entry's hash covers its own fields and the hash before it, so that a removed, changed, inserted or reordered
entry breaks the chain at a place that can be named. `detail` holds codes and counts, never the person.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.store import driver
from gateway.store.breaks import Finding, Mark
from gateway.store.chain import FIELDS, GENESIS, entry_hash
from gateway.store.portions import add_rows
from gateway.store.tables import journal
from gateway.store.verification import Verification, examine, verify

__all__ = [
    "GENESIS",
    "Entry",
    "Finding",
    "Mark",
    "Verification",
    "append",
    "examine",
    "hold",
    "latest",
    "newest",
    "of_case",
    "verify",
]

_LOCK = 0x7265_6164  # advisory lock on PostgreSQL: one writer at the end of the chain
_HOLD = f"SELECT pg_advisory_xact_lock({_LOCK})"
_END = "SELECT id, hash FROM journal ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened."""

    at: datetime  # UTC
    event: str  # noun.past, e.g. "message.received"
    actor: str  # account, API key, authority or "gateway"
    authority: str | None = None
    case_id: int | None = None
    message_id: str | None = None
    digest: str | None = None  # SHA-256 of the document the entry is about
    detail: Mapping[str, Any] = field(default_factory=dict)


_COLUMNS = ("id", *FIELDS, "previous", "hash")
_detail = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode


def hold(tx: Connection) -> None:
    """Keep the end of the chain to this transaction: what it reads of the journal stays so until it has appended.

    On SQLite a writing transaction is alone anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(_HOLD)


def _end(tx: Connection) -> tuple[int, str]:
    """Hold the end of the chain; return number and hash of the last entry."""
    if tx.dialect.name == "postgresql":
        # One step to the server, but two statements: the second sees what the writer before it has committed.
        cursor = driver.of(tx).execute(f"{_HOLD}; {_END}", prepare=False)
        cursor.nextset()
    else:
        cursor = driver.execute(tx, _END)
    last = cursor.fetchone()
    return (last[0], last[1]) if last else (0, GENESIS)


def append(tx: Connection, entries: Sequence[Entry]) -> None:
    """Append entries to the chain. Call it last in a transaction: on PostgreSQL it waits for the writer before."""
    if not entries:
        return
    last, previous = _end(tx)
    rows, instant, at = [], None, ""
    for number, entry in enumerate(entries, last + 1):
        if entry.at is not instant:  # a batch happens at one instant
            instant, at = entry.at, entry.at.astimezone(UTC).isoformat(timespec="microseconds")
        said = entry.event, entry.actor, entry.authority, entry.case_id, entry.message_id, entry.digest, _detail(entry.detail)
        hash_ = entry_hash(number, (at, *said), previous)
        rows.append((number, entry.at, *said, previous, hash_))
        previous = hash_
    add_rows(tx, journal, _COLUMNS, rows)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        at=row.at,
        event=row.event,
        actor=row.actor,
        authority=row.authority,
        case_id=row.case_id,
        message_id=row.message_id,
        digest=row.digest,
        detail=json.loads(row.detail),
    )


def of_case(tx: Connection, case_id: int) -> Iterator[Entry]:
    """Return the entries of a case, oldest first."""
    for row in tx.execute(select(journal).where(journal.c.case_id == case_id).order_by(journal.c.id)):
        yield _entry(row)


def latest(tx: Connection, event: str, *, actor: str) -> Entry | None:
    """Return the newest entry of an event by one actor, None if there is none."""
    found = select(journal).where(journal.c.event == event, journal.c.actor == actor)
    row = tx.execute(found.order_by(journal.c.at.desc(), journal.c.id.desc()).limit(1)).one_or_none()
    return _entry(row) if row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chained:
    """An entry as it stands in the chain: what its hash is made of, and the hash."""

    id: int
    at: datetime
    event: str
    actor: str
    authority: str | None
    case_id: int | None
    message_id: str | None
    digest: str | None
    detail: str  # canonical JSON, as it was hashed
    previous: str
    hash: str


def chained_of_case(tx: Connection, case_id: int) -> list[Chained]:
    """Return the entries of a case with their places in the chain, oldest first."""
    rows = tx.execute(select(journal).where(journal.c.case_id == case_id).order_by(journal.c.id)).mappings()
    return [Chained(**row) for row in rows]


LATELY = 1000  # entries; the newest instant stands among these


def newest(tx: Connection) -> datetime | None:
    """Return the latest instant of the newest entries, None for an empty journal."""
    last = select(journal.c.at).order_by(journal.c.id.desc()).limit(LATELY)
    return max(tx.execute(last).scalars(), default=None)
