"""A journal for tests, and the hands of somebody who may do anything to its table."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from gateway.store import journal
from gateway.store.database import reading, transaction
from gateway.store.journal import Entry, Finding
from gateway.store.tables import journal as table

NOW = datetime(2026, 6, 1, 8, 15, 0, 123_456, tzinfo=UTC)


def entry(number: int = 1, **changes: Any) -> Entry:
    """Return an entry in which every field is filled."""
    values: dict[str, Any] = {
        "at": NOW + timedelta(seconds=number),
        "event": "message.received",
        "actor": "gateway",
        "authority": "BA-MS",
        "case_id": 7,
        "message_id": f"019ab4d2-7c40-7a11-8f02-{number:012d}",
        "digest": f"{number:064d}",
        "detail": {"code": "bad-value", "path": "/Datum/Rođenja/Ž", "count": number},
    }
    return Entry(**values | changes)


def write(engine: Engine, count: int, first: int = 1) -> None:
    """Append so many entries in one transaction."""
    with transaction(engine) as tx:
        journal.append(tx, [entry(number) for number in range(first, first + count)])


def rows(engine: Engine) -> list[dict[str, Any]]:
    """Return the rows as they stand, by number."""
    with reading(engine) as tx:
        return [dict(row) for row in tx.execute(select(table).order_by(table.c.id)).mappings()]


def findings(engine: Engine) -> list[tuple[int, str]]:
    """Return what the walk through the journal finds."""
    with reading(engine) as tx:
        return pairs(journal.verify(tx)[1])


def pairs(found: Sequence[Finding]) -> list[tuple[int, str]]:
    """Return findings as numbers with their sentences."""
    return [(one.id, one.what) for one in found]


def tamper(engine: Engine, *statements: Any) -> None:
    """Change the journal as someone with all rights on the database would: the triggers go first."""
    with transaction(engine) as tx:
        if tx.dialect.name == "postgresql":
            tx.exec_driver_sql("DROP TRIGGER IF EXISTS journal_append_only ON journal")
        else:
            for name in ("journal_no_update", "journal_no_delete", "journal_no_replace"):
                tx.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        for statement in statements:
            if isinstance(statement, str):
                tx.exec_driver_sql(statement)
            else:
                tx.execute(statement)
