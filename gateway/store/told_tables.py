"""The table of what was said once: so that many watches say it once together."""

from sqlalchemy import Column, String, Table

from gateway.store.columns import Instant, metadata

told = Table(
    "told",
    metadata,
    Column("subject", String(96), primary_key=True),  # what it is about, e.g. "expiry:<fingerprint>"
    Column("said", String(64), nullable=False),  # what was said last
    Column("at", Instant, nullable=False),
)
