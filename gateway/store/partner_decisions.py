"""Decisions about partners: added, and read as a whole. There are few of them."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, insert, select

from gateway.domain.partner_decisions import Kind, PartnerDecision, Scope
from gateway.store.partner_tables import partner_decisions as table


def add(tx: Connection, decision: PartnerDecision) -> PartnerDecision:
    """Add one; return it with its number."""
    values = {
        "at": decision.at,
        "kind": str(decision.kind),
        "who": decision.scope.who,
        "type": decision.scope.type,
        "by": decision.by,
        "why": decision.why,
        "detail": dict(decision.detail),
    }
    (number,) = tx.execute(insert(table).values(**values)).inserted_primary_key or (None,)
    return replace(decision, id=number)


def mark(tx: Connection) -> tuple[int, int]:
    """Return what is another as soon as a decision was added: how many there are, and the last number.

    Both, because numbers may be committed in another order than they were given out.
    """
    row = tx.execute(select(func.count(), func.coalesce(func.max(table.c.id), 0)).select_from(table)).one()
    return row[0], row[1]


def every(tx: Connection) -> Sequence[PartnerDecision]:
    """Return all decisions, oldest first."""
    return [
        PartnerDecision(
            kind=Kind(row.kind),
            scope=Scope(who=row.who, type=row.type),
            at=row.at,
            by=row.by,
            why=row.why,
            detail=row.detail,
            id=row.id,
        )
        for row in tx.execute(select(table).order_by(table.c.id))
    ]
