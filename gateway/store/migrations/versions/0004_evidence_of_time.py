"""roots of the journal, signed and timestamped

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("journal_roots", "journal_stamps")


def upgrade() -> None:
    op.create_table(
        "journal_roots",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", COUNTER, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("authority", sa.String(16), nullable=False),
        sa.Column("certificate", sa.String(64), nullable=False),
        sa.Column("chain", sa.JSON(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_journal_roots"),
        sa.UniqueConstraint("first", name="uq_journal_roots_first"),
    )
    op.create_table(
        "journal_stamps",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_journal_stamps"),
        sa.ForeignKeyConstraint(
            ["number"], ["journal_roots.number"], name="fk_journal_stamps_number_journal_roots"
        ),
    )
    for table in APPEND_ONLY:
        forbid_change(table)


def forbid_change(table: str) -> None:
    """Let rows of `table` be added and nothing else."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
    # INSERT OR REPLACE removes the row it replaces without asking the trigger on DELETE.
    again = "number = NEW.number OR first = NEW.first" if table == "journal_roots" else "number = NEW.number"
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {again}) "
        "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    )


def downgrade() -> None:
    op.drop_table("journal_stamps")  # with their triggers
    op.drop_table("journal_roots")
