"""Parcels that could not be taken in: kept sealed under an id that never changes, until a person decides about each.

What is parked on its way out lies in the outbox. Who looks after a thing is noted here for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.store.columns import in_range
from gateway.store.parked_tables import parked, parked_owners

_FIELDS = (
    "home",
    "sender",
    "verified",
    "message_id",
    "type",
    "reference",
    "sequence",
    "digest",
    "body",
    "transport",
    "received_at",
    "parked_at",
    "attempts",
    "code",
    "rule",
)
_VALUES = attrgetter(*_FIELDS)
_LISTED = tuple(parked.c[name] for name in ("id", *_FIELDS, "settled", "settled_at", "settled_by") if name != "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedParcel:
    """One parcel that was set aside."""

    home: str
    sender: str  # as verified, else as the transport claims; may be empty
    verified: bool  # whether sender, message id and case come from verified bytes
    message_id: str | None
    type: str | None
    reference: str | None
    sequence: int | None
    digest: str  # of the signed envelope once it was verified, else of the sealed bytes
    body: bytes | None  # sealed; None in a list, and once it is settled
    transport: str
    received_at: datetime
    parked_at: datetime
    attempts: int
    code: str
    rule: str | None
    settled: str | None = None  # replayed | dropped
    settled_at: datetime | None = None
    settled_by: str | None = None
    id: int | None = None


def _parcel(row: Row[Any], *, body: bytes | None) -> ParkedParcel:
    names = ("id", *_FIELDS, "settled", "settled_at", "settled_by")
    return ParkedParcel(**{name: getattr(row, name) for name in names if name != "body"}, body=body)


def keep(tx: Connection, parcel: ParkedParcel) -> None:
    """Keep a parcel. One that lies here already, or did, keeps its row and the time it first came.

    Raises `StoreConflict` when another process keeps the same one at this moment.
    """
    same = select(parked.c.id).where(parked.c.digest == parcel.digest, parked.c.home == parcel.home).with_for_update()
    found: int | None = tx.execute(same).scalar_one_or_none()
    if found is None:
        tx.execute(insert(parked).values(**dict(zip(_FIELDS, _VALUES(parcel), strict=True))))
        return
    tx.execute(
        update(parked)
        .where(parked.c.id == found)
        .values(
            body=parcel.body,
            parked_at=parcel.parked_at,
            attempts=parked.c.attempts + 1,
            code=parcel.code,
            rule=parcel.rule,
            settled=None,
            settled_at=None,
            settled_by=None,
        )
    )


def every(tx: Connection, homes: Sequence[str]) -> list[ParkedParcel]:
    """Return what lies here for these authorities, longest first, without the bytes."""
    found = select(*_LISTED).where(parked.c.settled.is_(None), parked.c.home.in_(homes)).order_by(parked.c.id)
    return [_parcel(row, body=None) for row in tx.execute(found)]


def get(tx: Connection, row_id: int, *, lock: bool = False) -> ParkedParcel | None:
    """Return one parcel with its bytes, settled or not; with `lock` it stays so until the transaction ends."""
    found = select(parked).where(parked.c.id == in_range(row_id))
    row = tx.execute(found.with_for_update() if lock else found).one_or_none()
    return None if row is None else _parcel(row, body=row.body)


def waits(tx: Connection, row_id: int) -> bool:
    """Whether a parcel still waits for a decision."""
    found = select(parked.c.id).where(parked.c.id == in_range(row_id), parked.c.settled.is_(None))
    return tx.execute(found).one_or_none() is not None


def failed_again(tx: Connection, row_id: int, *, at: datetime, code: str, rule: str | None) -> None:
    """Note that a parcel could not be taken once more, and why."""
    values = {"parked_at": at, "attempts": parked.c.attempts + 1, "code": code, "rule": rule}
    tx.execute(update(parked).where(parked.c.id == row_id, parked.c.settled.is_(None)).values(**values))


def settle(tx: Connection, row_id: int, how: str, *, by: str, at: datetime) -> bool:
    """Note what was decided of a parcel and forget its bytes; False if somebody else did before. `how`: replayed, dropped."""
    values = {"body": None, "settled": how, "settled_by": by, "settled_at": at}
    return tx.execute(update(parked).where(parked.c.id == row_id, parked.c.settled.is_(None)).values(**values)).rowcount == 1


def owners(tx: Connection) -> Mapping[str, str]:
    """Return who looks after what, by id of the thing."""
    return {row.thing: row.owner for row in tx.execute(select(parked_owners))}


def own(tx: Connection, things: Sequence[str], owner: str, at: datetime) -> None:
    """Note that a person looks after things."""
    known = owners(tx).keys()
    for thing in things:
        values = {"owner": owner, "at": at}
        if thing in known:
            tx.execute(update(parked_owners).where(parked_owners.c.thing == thing).values(**values))
        else:
            tx.execute(insert(parked_owners).values(thing=thing, **values))
