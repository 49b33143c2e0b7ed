"""What was set aside: parcels that could not be taken in, who looks after what, and messages of ours that were given up.

What is parked on its way out stays in the outbox.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from gateway.store.columns import Counter, Instant, metadata, row_id

# A row stays when it is settled, without its bytes: its id is never given to another parcel.
parked = Table(
    "parked",
    metadata,
    row_id(),
    Column("home", String(16), nullable=False),
    Column("sender", String(16), nullable=False),  # as verified, else as the transport claims; may be empty
    Column("verified", Boolean, nullable=False),  # whether sender, message id and case come from verified bytes
    Column("message_id", String(36)),
    Column("type", String(40)),
    Column("reference", String(32)),  # of the case
    Column("sequence", Integer),
    Column("digest", String(64), nullable=False),  # of the signed envelope once it was verified, else of the sealed bytes
    Column("body", LargeBinary),  # sealed, as it came; None once it is settled
    Column("transport", String(12), nullable=False),
    Column("received_at", Instant, nullable=False),  # when it first came: it counts from then
    Column("parked_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("code", String(40), nullable=False),
    Column("rule", String(80)),  # place in the document, kind of the defect, or "delivery-limit"
    Column("settled", String(10)),  # replayed | dropped
    Column("settled_at", Instant),
    Column("settled_by", String(80)),
    UniqueConstraint("digest", "home"),
    Index("ix_parked_settled", "settled", "home"),
)

parked_owners = Table(
    "parked_owners",
    metadata,
    Column("thing", String(40), primary_key=True),  # id as the commands show it, e.g. "in-5"
    Column("owner", String(80), nullable=False),
    Column("at", Instant, nullable=False),
)

# Messages of ours that a person gave up before the other side had them.
dropped = Table(
    "dropped",
    metadata,
    Column("message_row", Counter, ForeignKey("messages.id"), primary_key=True, autoincrement=False),
    Column("case_id", Counter, ForeignKey("cases.id")),
    Column("by", String(80), nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
