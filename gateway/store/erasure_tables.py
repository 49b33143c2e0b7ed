"""What remains of erased cases."""

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from gateway.store.columns import Counter, Instant, metadata, row_id

# One signed deletion record per erasure. It holds no personal data.
erasures = Table(
    "erasures",
    metadata,
    row_id(),
    Column("case_id", Counter, ForeignKey("cases.id"), nullable=False, index=True),
    Column("case_digest", String(64), nullable=False),  # names the case in its record
    Column("erased_at", Instant, nullable=False),
    Column("record", LargeBinary, nullable=False),  # gateway/trust/deletion.py
)
