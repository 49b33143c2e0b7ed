"""What a repeated POST with the same Idempotency-Key is answered with. A key is claimed before the work begins.

The answer is written in the transaction that saves the message. So a process may die, or lose the database in the middle of
its commit, at any moment: either both stand there or neither, and whoever takes the claim over does nothing twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import StoreConflict
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
    try:
        with tx.begin_nested():
            tx.execute(
                insert(idempotency).values(
                    authority=authority, key=key, request_hash=request_hash, status=IN_PROGRESS, answer={}, created_at=now
                )
            )
    except IntegrityError:
        mine = (idempotency.c.authority == authority, idempotency.c.key == key)
        # What was claimed long after now is left over too: from a clock that was ahead, and came back.
        stale = or_(idempotency.c.created_at < now - LEFT_OVER, idempotency.c.created_at > now + LEFT_OVER)
        left_over = (idempotency.c.status == IN_PROGRESS, stale)
        if tx.execute(update(idempotency).where(*mine, *left_over).values(request_hash=request_hash, created_at=now)).rowcount:
            return None
        row = tx.execute(select(idempotency).where(*mine)).one()
        return Recorded(request_hash=row.request_hash, status=row.status, answer=row.answer)
    return None


def record(tx: Connection, authority: str, key: str, *, claimed_at: datetime, status: int, answer: dict[str, Any]) -> None:
    """Write the answer under the key that was claimed at `claimed_at`.

    Raises `StoreConflict` when somebody else has taken the claim over: what this transaction did must not stand.
    """
    mine = update(idempotency).where(*_claim_of(authority, key, claimed_at))
    if tx.execute(mine.values(status=status, answer=answer)).rowcount == 0:
        raise StoreConflict("another request has taken this Idempotency-Key over")


def give_up(tx: Connection, authority: str, key: str, *, claimed_at: datetime) -> None:
    """Free a key whose request could not be worked on, so that it can be tried again. A recorded answer stays.

    Where the commit of the answer is still under way, this waits for how it ends.
    """
    tx.execute(delete(idempotency).where(*_claim_of(authority, key, claimed_at)))


def _claim_of(authority: str, key: str, claimed_at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        idempotency.c.authority == authority,
        idempotency.c.key == key,
        idempotency.c.status == IN_PROGRESS,
        idempotency.c.created_at == claimed_at,
    )
