"""What a repeated POST with the same Idempotency-Key is answered with. A key is claimed before the work begins.

Work that broke off leaves its key in doubt: the process may have died, or the connection to the database, just before its
commit or just after. Whoever repeats the request is told so, and looks first whether it was done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.store.tables import idempotency

IN_PROGRESS = 0
_BROKEN_OFF = -1
LEFT_OVER = timedelta(minutes=10)  # a claim of this age is from a process that died


class Claim(Enum):
    """A key that is ours now."""

    NEW = "new"
    IN_DOUBT = "in-doubt"  # an earlier request with it broke off: it may have been done or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The answer to the first request with a key; `status` is IN_PROGRESS while there is none yet."""

    request_hash: str
    status: int
    answer: dict[str, Any]


def claim(tx: Connection, authority: str, key: str, request_hash: str, now: datetime) -> Claim | Recorded:
    """Claim a key; return how it is ours now, or else what is recorded under it."""
    try:
        with tx.begin_nested():
            tx.execute(
                insert(idempotency).values(
                    authority=authority, key=key, request_hash=request_hash, status=IN_PROGRESS, answer={}, created_at=now
                )
            )
    except IntegrityError:
        mine = (idempotency.c.authority == authority, idempotency.c.key == key)
        left_over = and_(idempotency.c.status == IN_PROGRESS, idempotency.c.created_at < now - LEFT_OVER)
        broken_off = or_(idempotency.c.status == _BROKEN_OFF, left_over)
        again = {"request_hash": request_hash, "status": IN_PROGRESS, "created_at": now}
        if tx.execute(update(idempotency).where(*mine, broken_off).values(**again)).rowcount:
            return Claim.IN_DOUBT
        row = tx.execute(select(idempotency).where(*mine)).one()
        return Recorded(request_hash=row.request_hash, status=row.status, answer=row.answer)
    return Claim.NEW


def record(tx: Connection, authority: str, key: str, *, status: int, answer: dict[str, Any]) -> None:
    """Write the answer under a claimed key."""
    tx.execute(
        update(idempotency)
        .where(idempotency.c.authority == authority, idempotency.c.key == key)
        .values(status=status, answer=answer)
    )


def break_off(tx: Connection, authority: str, key: str) -> None:
    """Leave a key whose request failed by no fault of its own: it can be tried again at once."""
    tx.execute(
        update(idempotency).where(idempotency.c.authority == authority, idempotency.c.key == key).values(status=_BROKEN_OFF)
    )
