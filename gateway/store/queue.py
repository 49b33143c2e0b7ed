"""Durable queues in the database: what the embedded transport stands on.

A row is taken by a lease: `available_at` moves to the end of the lease and `leased_by` names the taking. Whoever holds
no valid lease changes nothing, so a taker that comes back from the dead cannot undo the work of the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import Engine, Integer, Row, Update, bindparam, case, delete, func, null, select, update

from gateway.errors import Undeliverable
from gateway.store import driver
from gateway.store.database import reading, transaction
from gateway.store.glance import Glance
from gateway.store.portions import add_rows
from gateway.store.prepared import Prepared, among
from gateway.store.tables import queue


class Posted(Protocol):
    """What can be put into a queue."""

    @property
    def message_id(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """One row, ours until the lease ends."""

    id: int
    lease: str  # names this taking
    queue: str
    message_id: str
    sender: str
    body: bytes
    attempts: int
    code: str | None = None  # of a row that was set aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one queue stands."""

    queue: str
    waiting: int  # leased and postponed rows included
    parked: int
    oldest: datetime | None  # of the waiting rows


_SEEN = (queue.c.id, queue.c.name, queue.c.message_id, queue.c.sender, queue.c.body, queue.c.attempts)


def _leased(rows: Sequence[Row[Any]], lease: str) -> list[Leased]:
    return [
        Leased(
            id=row.id,
            lease=lease,
            queue=row.name,
            message_id=row.message_id,
            sender=row.sender,
            body=row.body,
            attempts=row.attempts,
            code=row.code,
        )
        for row in sorted(rows, key=lambda row: row.id)  # RETURNING promises no order
    ]


def _claiming(dialect: str) -> Update:
    """Return the statement that leases rows, oldest first."""
    free = (
        select(queue.c.id)
        .where(among(dialect, queue.c.name, "queues"), queue.c.parked_at.is_(None), queue.c.available_at <= bindparam("now"))
        .order_by(queue.c.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)  # left out on SQLite, which has one writer anyway
    )
    taken = update(queue).where(queue.c.id.in_(free.scalar_subquery()))
    leased = taken.values(leased_by=bindparam("lease"), available_at=bindparam("until"))
    return leased.returning(*_SEEN, null().label("code"))


_CLAIM = Prepared(_claiming)
_SETTLE = Prepared(
    lambda dialect: delete(queue).where(among(dialect, queue.c.id, "ids"), queue.c.leased_by == bindparam("lease"))
)


class DatabaseQueue:
    """The queues of one database, on SQLite and PostgreSQL alike. Every method raises `DatabaseUnavailable`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._glance = Glance(engine)

    def put(self, parcels: Sequence[Posted], now: datetime) -> None:
        """Add parcels in this order, all or none. Raises `Undeliverable` when the database cannot hold one of them."""
        names = ("name", "message_id", "sender", "body", "attempts", "available_at", "enqueued_at")
        rows = [(parcel.recipient, parcel.message_id, parcel.sender, parcel.body, 0, now, now) for parcel in parcels]
        try:
            with transaction(self._engine) as tx:
                add_rows(tx, queue, names, rows)
        except driver.errors("DataError", "IntegrityError") as error:
            raise Undeliverable("the queue cannot hold this parcel") from error

    def claim(self, queues: Sequence[str], most: int, now: datetime, lease_seconds: int) -> list[Leased]:
        """Lease up to `most` rows of these queues, oldest first. A lease that ended counts as free."""
        lease = uuid4().hex
        until = now + timedelta(seconds=lease_seconds)
        with transaction(self._engine) as tx:
            rows = _CLAIM.rows(tx, queues=queues, most=most, now=now, until=until, lease=lease)
        return _leased(rows, lease)

    def claim_parked(self, queues: Sequence[str], most: int) -> list[Leased]:
        """Lease up to `most` rows that were set aside, oldest first. A later lease takes an earlier one's place."""
        lease = uuid4().hex
        aside = select(queue.c.id).where(queue.c.name.in_(queues), queue.c.parked_at.is_not(None))
        with reading(self._engine) as connection:  # the common answer is no, and then nothing is locked
            if connection.execute(aside.limit(1)).first() is None:
                return []
        taking = (
            update(queue)
            .where(queue.c.id.in_(aside.order_by(queue.c.id).limit(most).scalar_subquery()))
            .values(leased_by=lease)
            .returning(*_SEEN, queue.c.reason.label("code"))
        )
        with transaction(self._engine) as tx:
            return _leased(tx.execute(taking).all(), lease)

    def next_free(self, queues: Sequence[str]) -> datetime | None:
        """Return from when on a row is free, None when none will be; no write lock: who is idle must not hold up writers."""
        free = select(func.min(queue.c.available_at)).where(queue.c.name.in_(queues), queue.c.parked_at.is_(None))
        with reading(self._engine) as connection:
            found: datetime | None = connection.execute(free).scalar_one()
            return found

    def changed(self) -> bool:
        """Say whether anybody wrote into the database since this was asked before; yes where that is not known."""
        return self._glance.changed()

    def close(self) -> None:
        """Close what `changed` keeps open."""
        self._glance.close()

    def settle(self, held: Sequence[tuple[int, str]]) -> None:
        """Remove rows by id and lease."""
        by_lease: dict[str, list[int]] = {}
        for row, lease in held:
            by_lease.setdefault(lease, []).append(row)
        with transaction(self._engine) as tx:
            for lease, rows in by_lease.items():
                _SETTLE.run(tx, ids=rows, lease=lease)

    def postpone(self, row: int, lease: str, until: datetime, code: str) -> None:
        """Set a row back until `until`, with one attempt more."""
        with transaction(self._engine) as tx:
            tx.execute(
                update(queue)
                .where(queue.c.id == row, queue.c.leased_by == lease)
                .values(available_at=until, leased_by=None, attempts=queue.c.attempts + 1, reason=code)
            )

    def park(self, row: int, lease: str, now: datetime, code: str) -> None:
        """Set a row aside."""
        with transaction(self._engine) as tx:
            tx.execute(
                update(queue)
                .where(queue.c.id == row, queue.c.leased_by == lease)
                .values(parked_at=now, leased_by=None, reason=code)
            )

    def release(self, held: Sequence[tuple[int, str]], now: datetime) -> None:
        """Give leases back at once instead of letting them run out."""
        with transaction(self._engine) as tx:
            for row, lease in held:
                tx.execute(
                    update(queue).where(queue.c.id == row, queue.c.leased_by == lease).values(available_at=now, leased_by=None)
                )

    def standings(self, queues: Sequence[str]) -> list[Standing]:
        """Return how each of these queues stands, by name; an empty one too."""
        waiting = queue.c.parked_at.is_(None)
        counts = (
            select(
                queue.c.name,
                func.sum(case((waiting, 1), else_=0)).label("waiting"),
                func.sum(case((waiting, 0), else_=1)).label("parked"),
                func.min(case((waiting, queue.c.enqueued_at))).label("oldest"),
            )
            .where(queue.c.name.in_(queues))
            .group_by(queue.c.name)
        )
        with reading(self._engine) as connection:
            found = {row.name: row for row in connection.execute(counts)}
        return [
            Standing(
                queue=name,
                waiting=int(found[name].waiting) if name in found else 0,
                parked=int(found[name].parked) if name in found else 0,
                oldest=found[name].oldest if name in found else None,
            )
            for name in sorted(queues)
        ]
