"""The tables of the edges: whose turn it is at an authority's system, and the messages that did not get through.

There is one row per authority that a process serves, and one per message in trouble: a message that gets through writes none.
"""

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from gateway.store.columns import Counter, Instant, metadata

edge_turns = Table(
    "edge_turns",
    metadata,
    Column("authority", String(16), primary_key=True),
    Column("held_by", String(80)),  # the process that serves the authority now
    Column("held_until", Instant),  # a turn that ended counts as free
    Column("attempts", Integer, nullable=False),  # failures since the system was last reached
    Column("next_at", Instant),  # not tried before
    Column("code", String(64)),  # of the last failure; None: all is well
    Column("since", Instant),  # of the first failure
)

edge_troubles = Table(
    "edge_troubles",
    metadata,
    Column("inbox_id", Counter, ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant),  # None: refused, not tried again until a person says so
    Column("code", String(64), nullable=False),
    Column("since", Instant, nullable=False),
)
