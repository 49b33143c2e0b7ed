"""Proofs of delivery on paper: written once, never changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import AlreadyDelivered
from gateway.store.paper_tables import paper_deliveries
from gateway.store.portions import among
from gateway.store.tables import messages

REFERENCE = b"paper-delivery-reference"  # what the encrypted column holds, for the vault


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One proof that a message reached an authority on paper."""

    message_row: int  # as its recipient received it, or as its sender sent it on paper when no other way was open
    kind: str  # transmission-report | courier | hand
    delivered_at: datetime
    zone: str
    reference: bytes  # encrypted, about `REFERENCE`
    recorded_by: str
    recorded_for: str
    recorded_at: datetime
    receipt_message_id: str | None  # None: the recipient's gateway is another one, and issued none
    scan: str | None


def add(tx: Connection, row: DeliveryRow) -> None:
    """Keep a proof, and note on the message when it was received and which receipt says so. Raises `AlreadyDelivered`."""
    try:
        with tx.begin_nested():
            tx.execute(insert(paper_deliveries).values(**asdict(row)))
    except IntegrityError as error:
        raise AlreadyDelivered("the delivery of this message was recorded before") from error
    tx.execute(
        update(messages)
        .where(messages.c.id == row.message_row)
        .values(received_at=row.delivered_at, receipt_message_id=row.receipt_message_id)
    )


def of_messages(tx: Connection, message_rows: Sequence[int]) -> dict[int, DeliveryRow]:
    """Return the proofs of these messages, by the row of the message."""
    rows = tx.execute(select(paper_deliveries).where(among(tx, paper_deliveries.c.message_row, message_rows)))
    names = DeliveryRow.__dataclass_fields__
    return {row.message_row: DeliveryRow(**{name: getattr(row, name) for name in names}) for row in rows}
