"""Messages of ours that a person gave up: who, when and why. What is shown of them, and what the other side is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from gateway.store.columns import in_range
from gateway.store.parked_tables import dropped
from gateway.store.tables import messages


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """One message that the other side never had, as far as anybody knows."""

    message_row: int
    case_id: int | None
    by: str
    why: str
    at: datetime


def add(tx: Connection, row: GivenUp) -> None:
    """Note that a message was given up. An earlier note about it, from before it was sent once more, makes way."""
    tx.execute(delete(dropped).where(dropped.c.message_row == row.message_row))
    values = {name: getattr(row, name) for name in ("message_row", "case_id", "by", "why", "at")}
    tx.execute(insert(dropped).values(**values))


def of_case(tx: Connection, case_id: int) -> Mapping[int, GivenUp]:
    """Return what was given up in a case and did not arrive after all, by row of the message."""
    found = (
        select(dropped)
        .join(messages, messages.c.id == dropped.c.message_row)
        .where(dropped.c.case_id == case_id, messages.c.outcome == "dropped")
    )
    return {row["message_row"]: GivenUp(**row) for row in tx.execute(found).mappings()}


def of_message(tx: Connection, message_row: int) -> GivenUp | None:
    """Return who gave a message up, None if nobody did."""
    row = tx.execute(select(dropped).where(dropped.c.message_row == in_range(message_row)))
    found = row.mappings().one_or_none()
    return None if found is None else GivenUp(**found)
