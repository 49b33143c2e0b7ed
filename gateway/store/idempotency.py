"""What a repeated POST with the same Idempotency-Key is answered with. A key is claimed before the work begins."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.store.tables import idempotency

IN_PROGRESS = 0
LEFT_OVER = timedelta(minutes=10)  # a claim of this age is from a process that died


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
        left_over = (idempotency.c.status == IN_PROGRESS, idempotency.c.created_at < now - LEFT_OVER)
        if tx.execute(update(idempotency).where(*mine, *left_over).values(request_hash=request_hash, created_at=now)).rowcount:
            return None
        row = tx.execute(select(idempotency).where(*mine)).one()
        return Recorded(request_hash=row.request_hash, status=row.status, answer=row.answer)
    return None


def record(tx: Connection, authority: str, key: str, *, status: int, answer: dict[str, Any]) -> None:
    """Write the answer under a claimed key."""
    tx.execute(
        update(idempotency)
        .where(idempotency.c.authority == authority, idempotency.c.key == key)
        .values(status=status, answer=answer)
    )


def give_up(tx: Connection, authority: str, key: str) -> None:
    """Free a key whose request could not be worked on, so that it can be tried again."""
    tx.execute(delete(idempotency).where(idempotency.c.authority == authority, idempotency.c.key == key))
