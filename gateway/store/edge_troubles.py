"""Messages that an authority's system failed over or refused; they stay in the inbox, and the row says what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, func, insert, literal, or_, select, update

from gateway.store.columns import Instant
from gateway.store.edge_tables import edge_troubles, edge_turns
from gateway.store.inbox import InboxRow, rows_where
from gateway.store.tables import inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What waits for one home authority."""

    authority: str
    waiting: int  # not acknowledged; those in trouble included
    refused: int  # of these, not handed over again until a person says so
    oldest: datetime | None
    code: str | None  # of the last trouble: the system's, else that of the oldest message in trouble
    since: datetime | None
    next_at: datetime | None  # when it is tried again; None: now, or by nobody


def due(tx: Connection, authority: str, now: datetime, *, most: int = 100) -> list[InboxRow]:
    """Return what is to be handed over now, oldest first.

    Left out are messages in trouble until their time has come, and what came after them in their case. What was refused is
    left out too, but holds nothing up.
    """
    before, set_back = inbox.alias("before"), edge_troubles.alias("set_back")
    behind = (
        select(before.c.id)
        .join(set_back, set_back.c.inbox_id == before.c.id)
        .where(
            before.c.authority == authority,
            before.c.case_id == inbox.c.case_id,
            before.c.id < inbox.c.id,
            before.c.fetched_at.is_(None),
            set_back.c.next_at > now,
        )
        .exists()
    )
    own = select(edge_troubles.c.inbox_id).where(
        edge_troubles.c.inbox_id == inbox.c.id, or_(edge_troubles.c.next_at.is_(None), edge_troubles.c.next_at > now)
    )
    return rows_where(tx, inbox.c.authority == authority, inbox.c.fetched_at.is_(None), ~behind, ~own.exists(), most=most)


def attempts(tx: Connection, rows: Sequence[InboxRow]) -> dict[int, int]:
    """Return how often these messages failed, by inbox row, of those that did."""
    ids = [row.id for row in rows]
    found = select(edge_troubles.c.inbox_id, edge_troubles.c.attempts).where(edge_troubles.c.inbox_id.in_(ids))
    return {row.inbox_id: row.attempts for row in tx.execute(found)} if ids else {}


def note(tx: Connection, inbox_id: int, *, code: str, now: datetime, next_at: datetime | None) -> None:
    """Note that a message failed; `next_at` None: it was refused. Does nothing for one that an erasure took out meanwhile."""
    again = (
        update(edge_troubles)
        .where(edge_troubles.c.inbox_id == inbox_id)
        .values(attempts=edge_troubles.c.attempts + 1, code=code, next_at=next_at)
    )
    if tx.execute(again).rowcount == 0:
        there = select(
            inbox.c.id, literal(1), literal(code), bindparam("since", now, Instant), bindparam("next_at", next_at, Instant)
        )
        names = ["inbox_id", "attempts", "code", "since", "next_at"]
        tx.execute(insert(edge_troubles).from_select(names, there.where(inbox.c.id == inbox_id)))


def forget(tx: Connection, inbox_id: int) -> None:
    """A message got through."""
    tx.execute(delete(edge_troubles).where(edge_troubles.c.inbox_id == inbox_id))


def forget_all(tx: Connection, authority: str) -> int:
    """Let every message of an authority be tried again now; return how many were in trouble."""
    mine = select(inbox.c.id).where(inbox.c.authority == authority, inbox.c.fetched_at.is_(None))
    return tx.execute(delete(edge_troubles).where(edge_troubles.c.inbox_id.in_(mine))).rowcount


def standings(tx: Connection, authorities: Sequence[str]) -> list[Standing]:
    """Return what waits for each of these authorities, by code; also where nothing does."""
    counts = (
        select(
            inbox.c.authority,
            func.count().label("waiting"),
            func.sum(case((and_(edge_troubles.c.inbox_id.is_not(None), edge_troubles.c.next_at.is_(None)), 1), else_=0)).label(
                "refused"
            ),
            func.min(inbox.c.arrived_at).label("oldest"),
        )
        .select_from(inbox.outerjoin(edge_troubles, edge_troubles.c.inbox_id == inbox.c.id))
        .where(inbox.c.authority.in_(authorities), inbox.c.fetched_at.is_(None))
        .group_by(inbox.c.authority)
    )
    found = {row.authority: row for row in tx.execute(counts)}
    turns = {row.authority: row for row in tx.execute(select(edge_turns).where(edge_turns.c.authority.in_(authorities)))}
    worst = _oldest_troubles(tx, authorities)
    told = []
    for code in sorted(authorities):
        row, turn = found.get(code), turns.get(code)
        trouble = turn if turn is not None and turn.code is not None else worst.get(code)
        told.append(
            Standing(
                authority=code,
                waiting=int(row.waiting) if row else 0,
                refused=int(row.refused) if row else 0,
                oldest=row.oldest if row else None,
                code=trouble.code if trouble else None,
                since=trouble.since if trouble else None,
                next_at=trouble.next_at if trouble else None,
            )
        )
    return told


def _oldest_troubles(tx: Connection, authorities: Sequence[str]) -> Mapping[str, Any]:
    """Return the oldest message in trouble of each authority that has one."""
    rows = (
        select(inbox.c.authority, edge_troubles.c.code, edge_troubles.c.since, edge_troubles.c.next_at)
        .join(inbox, inbox.c.id == edge_troubles.c.inbox_id)
        .where(inbox.c.authority.in_(authorities), inbox.c.fetched_at.is_(None))
        .order_by(inbox.c.id.desc())
    )
    return {row.authority: row for row in tx.execute(rows)}
