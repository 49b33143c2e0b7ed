"""The table of proofs of delivery on paper. It only grows: a role that runs a gateway adds rows and reads them."""

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from gateway.store.columns import Counter, Instant, metadata, row_id

# One proof a message: the receipt that was issued with it cannot be taken back.
paper_deliveries = Table(
    "paper_deliveries",
    metadata,
    row_id(),
    # As its recipient received it; as its sender sent it, where paper took the place of a way that was closed.
    Column("message_row", Counter, ForeignKey("messages.id"), nullable=False, unique=True),
    Column("kind", String(24), nullable=False),  # transmission-report | courier | hand
    Column("delivered_at", Instant, nullable=False),  # as the proof says
    Column("zone", String(40), nullable=False),  # in which it was written down: IANA name, or an offset from UTC
    Column("reference", LargeBinary, nullable=False),  # encrypted under the key of the case
    Column("recorded_by", String(80), nullable=False),  # account
    Column("recorded_for", String(16), nullable=False),  # authority of that account
    Column("recorded_at", Instant, nullable=False),
    Column("receipt_message_id", String(36)),  # None: the recipient is at home elsewhere, and its gateway issues receipts
    Column("scan", String(64)),  # SHA-256 of the scanned proof, a document of the message; None where there is none
)
