"""Whose turn it is at the system of a home authority: one process at a time, and nobody while the system is set back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.store.edge_tables import edge_turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How one authority's edge stands."""

    authority: str
    held_by: str | None
    held_until: datetime | None
    attempts: int
    next_at: datetime | None
    code: str | None
    since: datetime | None


def get(tx: Connection, authority: str) -> Turn | None:
    """Return how an edge stands, None if no process ever served it."""
    row = tx.execute(select(edge_turns).where(edge_turns.c.authority == authority)).mappings().one_or_none()
    return Turn(**row) if row else None


def take(tx: Connection, authority: str, *, by: str, now: datetime, until: datetime) -> bool:
    """Take or renew the turn; False while another process has it."""
    free = or_(edge_turns.c.held_by.is_(None), edge_turns.c.held_by == by, edge_turns.c.held_until <= now)
    taking = update(edge_turns).where(edge_turns.c.authority == authority, free).values(held_by=by, held_until=until)
    if tx.execute(taking).rowcount == 1:
        return True
    if get(tx, authority) is not None:
        return False
    try:
        with tx.begin_nested():
            tx.execute(insert(edge_turns).values(authority=authority, held_by=by, held_until=until, attempts=0))
    except IntegrityError:  # another process was faster
        return False
    return True


def give_back(tx: Connection, authority: str, *, by: str) -> None:
    """End the turn early; does nothing when another process has it."""
    mine = update(edge_turns).where(edge_turns.c.authority == authority, edge_turns.c.held_by == by)
    tx.execute(mine.values(held_by=None, held_until=None))


def set_back(tx: Connection, turn: Turn, *, code: str, now: datetime, until: datetime | None) -> None:
    """Note a failure; nothing is tried before `until` (None: not by this process, which has stopped)."""
    tx.execute(
        update(edge_turns)
        .where(edge_turns.c.authority == turn.authority)
        .values(attempts=turn.attempts + 1, next_at=until, code=code, since=turn.since or now)
    )


def clear(tx: Connection, authority: str) -> bool:
    """Forget the failures: the system was reached, or a person wants it tried now. Returns whether there were any."""
    found = update(edge_turns).where(edge_turns.c.authority == authority, edge_turns.c.code.is_not(None))
    return tx.execute(found.values(attempts=0, next_at=None, code=None, since=None)).rowcount > 0
