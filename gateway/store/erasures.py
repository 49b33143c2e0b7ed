"""What an erasure takes out of the rows, and the record of it that stays.

Documents, statements and held messages stay as they are: without the case's key they are noise, and their digests still prove
what was exchanged. What would still be carried or handed out is removed, and so are attachments: they are large, and their
digests stand in the messages and in the journal.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from gateway.store import attachments, resemblances
from gateway.store.database import Tx, turn
from gateway.store.erasure_tables import erasures
from gateway.store.tables import cases, deadlines, documents, early, holds, inbox, journal, messages, outbox, statements


def waits_to_leave(tx: Tx, case_id: int) -> bool:
    """Return whether a message of the case is still on its way out."""
    mine = select(messages.c.id).where(messages.c.case_id == case_id)
    return tx.execute(select(outbox.c.id).where(outbox.c.message_row.in_(mine)).limit(1)).first() is not None


def erase(tx: Connection, case_id: int, at: datetime) -> dict[str, int]:
    """Take the key of a case, and all that is still to be carried of it, out of the rows; return what was touched, by table."""
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("PRAGMA secure_delete=ON")  # what is removed is overwritten, not only forgotten
    case = tx.execute(select(cases.c.home, cases.c.reference).where(cases.c.id == case_id)).one()
    mine = select(messages.c.id).where(messages.c.case_id == case_id)
    unreadable = {
        "documents": select(func.count()).select_from(documents).where(documents.c.message_row.in_(mine)),
        "statements": select(func.count()).select_from(statements).where(statements.c.case_id == case_id),
        "holds": select(func.count()).select_from(holds).where(holds.c.case_id == case_id),
    }
    removed = {
        "outbox": delete(outbox).where(outbox.c.message_row.in_(mine)),
        "inbox": delete(inbox).where(inbox.c.case_id == case_id, inbox.c.fetched_at.is_(None)),
        "early": delete(early).where(early.c.home == case.home, early.c.reference == case.reference),
    }
    touched = {name: tx.execute(count).scalar_one() for name, count in unreadable.items()}
    touched |= attachments.erase(tx, case_id, home=case.home, reference=case.reference)  # before `early`, which says what waits
    touched |= {name: tx.execute(statement).rowcount for name, statement in removed.items()}
    touched |= resemblances.erase(tx, case_id)
    tx.execute(
        update(holds).where(holds.c.case_id == case_id, holds.c.ended_at.is_(None)).values(ended_at=at, ended_by="erasure")
    )
    tx.execute(
        update(deadlines)
        .where(deadlines.c.case_id == case_id, deadlines.c.state == "open")
        .values(state="moot", look_at=None, changed_at=at)
    )
    cleared = {"wrapped_key": None, "national_reference": None, "linked": None}
    tx.execute(update(cases).where(cases.c.id == case_id).values(**cleared, changed_at=at, revision=cases.c.revision + 1))
    return touched


def add(tx: Tx, case_id: int, case_digest: str, at: datetime, record: bytes) -> None:
    """Keep the signed record of an erasure."""
    tx.execute(insert(erasures), [{"case_id": case_id, "case_digest": case_digest, "erased_at": at, "record": record}])


def known(tx: Tx) -> set[str]:
    """Return the digests of the cases whose records are here."""
    return set(tx.execute(select(erasures.c.case_digest)).scalars())


def of_case(tx: Tx, case_id: int) -> list[bytes]:
    """Return the signed records of a case, oldest first."""
    return list(tx.execute(select(erasures.c.record).where(erasures.c.case_id == case_id).order_by(erasures.c.id)).scalars())


def with_key(tx: Tx) -> Iterator[tuple[int, str, str, bytes]]:
    """Yield (row id, home, reference, wrapped key) of every case whose row has a key."""
    columns = (cases.c.id, cases.c.home, cases.c.reference, cases.c.wrapped_key)
    for row in tx.execute(select(*columns).where(cases.c.wrapped_key.is_not(None)).order_by(cases.c.id)):
        yield row.id, row.home, row.reference, row.wrapped_key


def handed_out(tx: Tx, case_id: int) -> list[str]:
    """Return the digests of the case files that were exported."""
    found = select(journal.c.digest).where(journal.c.case_id == case_id, journal.c.event == "case.exported")
    return [digest for digest in tx.execute(found.order_by(journal.c.id)).scalars() if digest]


def last_entry(tx: Tx) -> tuple[int, str]:
    """Return number and hash of the newest journal entry, (0, "") for an empty journal."""
    row = tx.execute(select(journal.c.id, journal.c.hash).order_by(journal.c.id.desc()).limit(1)).one_or_none()
    return (row.id, row.hash) if row else (0, "")


def sweep(engine: Engine) -> bool:
    """Write what was removed out of SQLite's log, where its old pages lie. On PostgreSQL the next VACUUM does as much.

    False when somebody read or wrote all the time that SQLite waits: the old pages stay there until a later checkpoint.
    """
    if engine.dialect.name != "sqlite":
        return True
    with turn(engine):
        connection = engine.raw_connection()
        try:
            driver: Any = connection.driver_connection
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
    return not busy
