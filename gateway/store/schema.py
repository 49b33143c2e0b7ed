"""Every table of the store, under one roof: what the migrations must have built."""

from gateway.store import erasure_tables, root_tables, tables, told_tables
from gateway.store.columns import metadata

MODULES = (tables, erasure_tables, root_tables, told_tables)  # a module of tables that is not named here is not migrated
__all__ = ["MODULES", "metadata"]
