"""What every table is made of: the metadata, instants that keep their zone, and row ids."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, DateTime, Dialect, Integer, MetaData, TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A UTC instant. SQLite forgets zones, so they are put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant: it would be read in the zone of whoever looks."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows only in an INTEGER key; PostgreSQL gets 64 bits.
Counter = BigInteger().with_variant(Integer(), "sqlite")


def in_range(row_id: int) -> int:
    """Return a row id that came from outside, or -1, which no row has: a database refuses numbers beyond its own."""
    return row_id if 0 < row_id < 1 << 63 else -1


def row_id() -> Column[Any]:
    """Return the column of a row id that the database counts."""
    return Column("id", Counter, primary_key=True, autoincrement=True)


def partly(rows: ColumnElement[bool]) -> dict[str, Any]:
    """Return what makes an index hold only these rows, on either database."""
    return {"sqlite_where": rows, "postgresql_where": rows}
