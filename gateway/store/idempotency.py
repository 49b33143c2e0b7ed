"""What a repeated POST with the same Idempotency-Key is answered with. A key is claimed before the work begins.

The answer is written in the transaction that saves the message. So a process may die, or lose the database in the middle of
its commit, at any moment: either both stand there or neither, and whoever takes the claim over does nothing twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, delete, or_, select, update
from sqlalchemy.dialects import sqlite

from gateway.errors import StoreConflict
from gateway.store.prepared import POSTGRES, Prepared
from gateway.store.tables import idempotency

IN_PROGRESS = 0
LEFT_OVER = timedelta(minutes=1)  # a claim of this age is from a process that died; one that only hangs loses it


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The answer to the first request with a key; `status` is IN_PROGRESS while there is none yet."""

    request_hash: str
    status: int
    answer: dict[str, Any]


def claim(tx: Connection, authority: str, key: str, request_hash: str, now: datetime) -> Recorded | None:
    """Claim a key: None when it is ours now, otherwise what is recorded under it."""
    while True:
        if _CLAIM.run(tx, who=authority, name=key, hash=request_hash, state=IN_PROGRESS, empty={}, at=now):
            return None
        mine = (idempotency.c.authority == authority, idempotency.c.key == key)
        # What was claimed long after now is left over too: from a clock that was ahead, and came back.
        stale = or_(idempotency.c.created_at < now - LEFT_OVER, idempotency.c.created_at > now + LEFT_OVER)
        left_over = (idempotency.c.status == IN_PROGRESS, stale)
        if tx.execute(update(idempotency).where(*mine, *left_over).values(request_hash=request_hash, created_at=now)).rowcount:
            return None
        row = tx.execute(select(idempotency).where(*mine)).one_or_none()
        if row is not None:  # else it was given up in this moment
            return Recorded(request_hash=row.request_hash, status=row.status, answer=row.answer)


def _claiming(dialect: str) -> Insert:
    values: dict[str, Any] = {
        "authority": bindparam("who"),
        "key": bindparam("name"),
        "request_hash": bindparam("hash"),
        "status": bindparam("state"),
        "answer": bindparam("empty"),
        "created_at": bindparam("at"),
    }
    if dialect == POSTGRES:
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # made once, and SQLite does without

        return postgresql.insert(idempotency).values(**values).on_conflict_do_nothing()
    return sqlite.insert(idempotency).values(**values).on_conflict_do_nothing()


_CLAIM = Prepared(_claiming)


def record(tx: Connection, authority: str, key: str, *, claimed_at: datetime, status: int, answer: dict[str, Any]) -> None:
    """Write the answer under the key that was claimed at `claimed_at`.

    Raises `StoreConflict` when somebody else has taken the claim over: what this transaction did must not stand.
    """
    if _RECORD.run(tx, who=authority, name=key, at=claimed_at, state=status, told=answer) == 0:
        raise StoreConflict("another request has taken this Idempotency-Key over")


_RECORD = Prepared(
    lambda _dialect: (
        update(idempotency)
        .where(
            idempotency.c.authority == bindparam("who"),
            idempotency.c.key == bindparam("name"),
            idempotency.c.status == IN_PROGRESS,
            idempotency.c.created_at == bindparam("at"),
        )
        .values(status=bindparam("state"), answer=bindparam("told"))
    )
)


def give_up(tx: Connection, authority: str, key: str, *, claimed_at: datetime) -> None:
    """Free a key whose request could not be worked on, so that it can be tried again. A recorded answer stays.

    Where the commit of the answer is still under way, this waits for how it ends.
    """
    mine = (idempotency.c.authority == authority, idempotency.c.key == key, idempotency.c.created_at == claimed_at)
    tx.execute(delete(idempotency).where(*mine, idempotency.c.status == IN_PROGRESS))
