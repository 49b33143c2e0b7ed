"""Decisions about partners, and their conformance passes. Both only grow: what holds is read from all rows."""

from sqlalchemy import JSON, Column, LargeBinary, String, Table, Text

from gateway.store.columns import Instant, metadata, row_id

partner_decisions = Table(
    "partner_decisions",
    metadata,
    row_id(),
    Column("at", Instant, nullable=False),
    Column("kind", String(12), nullable=False),  # admitted | production | suspended | resumed
    Column("who", String(40), nullable=False),  # partner, pair of authorities, or "*"
    Column("type", String(40), nullable=False),  # message type, or "*"
    Column("by", String(80), nullable=False),
    Column("why", Text, nullable=False),
    Column("detail", JSON, nullable=False),
)

conformance_passes = Table(
    "conformance_passes",
    metadata,
    row_id(),
    Column("partner", String(8), nullable=False, index=True),
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),  # of the body
    Column("body", LargeBinary, nullable=False),  # the signed statement, as it is exported
)
