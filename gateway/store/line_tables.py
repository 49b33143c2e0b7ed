"""The table of lines: how the way to each recipient stands.

A recipient has a row once a delivery to it failed, or once its messages are counted against a limit: to a healthy partner
without limits nothing is written.
"""

from sqlalchemy import Column, Date, Float, Integer, String, Table

from gateway.store.columns import Instant, metadata

lines = Table(
    "lines",
    metadata,
    Column("recipient", String(16), primary_key=True),
    Column("failures", Integer, nullable=False),  # in a row; 0: the last delivery was confirmed
    Column("code", String(40)),  # of the last failure
    Column("since", Instant),  # of the first failure in the row
    Column("next_at", Instant),  # stopped: nothing is tried before, then one probe; None: open
    Column("probe_until", Instant),  # half-open: one process tries until then
    Column("tokens", Float),  # of the bucket, at `counted_at`; None: never counted
    Column("counted_at", Instant),
    Column("day", Date),  # UTC, to which `sent_on_day` belongs
    Column("sent_on_day", Integer, nullable=False),
)
