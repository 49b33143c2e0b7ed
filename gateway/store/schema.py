"""Every table of the store, under one roof: what the migrations must have built."""

from gateway.store import (
    attachment_tables,
    edge_tables,
    erasure_tables,
    line_tables,
    paper_tables,
    parked_tables,
    partner_tables,
    resemblance_tables,
    root_tables,
    tables,
    told_tables,
)
from gateway.store.columns import metadata

# a module of tables that is not named here is not migrated
MODULES = (
    tables,
    attachment_tables,
    edge_tables,
    erasure_tables,
    line_tables,
    paper_tables,
    parked_tables,
    partner_tables,
    resemblance_tables,
    root_tables,
    told_tables,
)
__all__ = ["MODULES", "metadata"]
