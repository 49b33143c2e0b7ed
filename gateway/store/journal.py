"""The append-only, hash-chained record of what happened.

Each entry's hash covers its own fields and the hash before it, so that a removed, changed, inserted or reordered
entry breaks the chain at a place that can be named. `detail` holds codes and counts, never the person.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, text

from gateway.store.portions import add_rows
from gateway.store.tables import journal

GENESIS = "0" * 64
_LOCK = 0x7265_6164  # advisory lock on PostgreSQL: one writer at the end of the chain


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Where the chain is broken."""

    id: int
    what: str


def _detail(detail: Mapping[str, Any]) -> str:
    return json.dumps(dict(detail), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _hash(number: int, values: Sequence[Any], previous: str) -> str:
    """Return the hash of an entry: SHA-256 over a JSON list of all its fields and the hash before it."""
    return hashlib.sha256(
        json.dumps([number, *values, previous], ensure_ascii=False, separators=(",", ":")).encode()
    ).hexdigest()


_FIELDS = ("at", "event", "actor", "authority", "case_id", "message_id", "digest", "detail")  # in the order they are hashed
_COLUMNS = ("id", *_FIELDS, "previous", "hash")


def _values(entry: Any, detail: str) -> list[Any]:
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    return [at, entry.event, entry.actor, entry.authority, entry.case_id, entry.message_id, entry.digest, detail]


def append(tx: Connection, entries: Sequence[Entry]) -> None:
    """Append entries to the chain. Call it last in a transaction: on PostgreSQL it waits for the writer before."""
    if not entries:
        return
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = tx.execute(select(journal.c.id, journal.c.hash).order_by(journal.c.id.desc()).limit(1)).one_or_none()
    number, previous = (last.id, last.hash) if last else (0, GENESIS)
    rows = []
    for entry in entries:
        number += 1
        values = _values(entry, _detail(entry.detail))
        hash_ = _hash(number, values, previous)
        rows.append((number, entry.at, *values[1:], previous, hash_))
        previous = hash_
    add_rows(tx, journal, _COLUMNS, rows)


def verify(tx: Connection) -> tuple[int, list[Finding]]:
    """Walk the whole chain; return the number of entries read and every place where it is broken."""
    findings: list[Finding] = []
    previous, expected, count = GENESIS, 1, 0
    for row in tx.execution_options(yield_per=2000).execute(select(journal).order_by(journal.c.id)):
        count += 1
        if row.id != expected:
            findings.append(
                Finding(id=expected, what=f"entry {expected} is missing" if row.id > expected else "numbers repeat")
            )
        if row.previous != previous and row.id == expected:
            findings.append(Finding(id=row.id, what=f"entry {row.id} does not follow the entry before it"))
        if _hash(row.id, _values(row, row.detail), row.previous) != row.hash:
            findings.append(Finding(id=row.id, what=f"entry {row.id} was changed"))
        previous, expected = row.hash, row.id + 1
    return count, findings


def of_case(tx: Connection, case_id: int) -> Iterator[Entry]:
    """Return the entries of a case, oldest first."""
    for row in tx.execute(select(journal).where(journal.c.case_id == case_id).order_by(journal.c.id)):
        yield Entry(
            at=row.at,
            event=row.event,
            actor=row.actor,
            authority=row.authority,
            case_id=row.case_id,
            message_id=row.message_id,
            digest=row.digest,
            detail=json.loads(row.detail),
        )


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
