"""Alembic's entry: runs on the connection that `gateway.store.database` hands over."""

from alembic import context
from sqlalchemy import Connection

from gateway.store.schema import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    context.run_migrations()


_run(context.config.attributes["connection"])
