"""Conformance passes that were made here or brought here, as signed bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from gateway.store.partner_tables import conformance_passes as table


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRow:
    """One pass."""

    partner: str
    made_at: datetime
    ends_at: datetime
    sha256: str  # of the body
    body: bytes


def add(tx: Connection, row: PassRow) -> None:
    """Keep a pass."""
    values = {name: getattr(row, name) for name in PassRow.__slots__}
    tx.execute(insert(table).values(**values))


def of(tx: Connection, partner: str | None = None) -> Sequence[PassRow]:
    """Return the passes of a partner, or all, newest first."""
    found = select(*(table.c[name] for name in PassRow.__slots__)).order_by(table.c.made_at.desc(), table.c.id.desc())
    if partner is not None:
        found = found.where(table.c.partner == partner)
    return [PassRow(**row) for row in tx.execute(found).mappings()]
