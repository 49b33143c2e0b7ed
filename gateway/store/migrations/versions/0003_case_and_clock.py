"""the whole message set: cases that stop and lapse, deadlines that can be counted again, messages that came too early

Revision ID: 0003
Revises: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def case_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("linked", sa.Text()),
        sa.Column("suspended", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("deemed_at", INSTANT),
        sa.Column("lapse_notice", sa.String(36)),
        sa.Column("late", sa.String(20)),
        sa.Column("plan", sa.String(36)),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
    )


def deadline_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("inputs", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("stage", sa.String(12), nullable=False, server_default="new"),
        sa.Column("look_at", INSTANT),
        sa.Column("calendar_ids", sa.String(40)),
    )


def upgrade() -> None:
    for column in case_columns():
        op.add_column("cases", column)
    op.add_column("messages", sa.Column("facts", sa.JSON(none_as_null=True)))
    for column in deadline_columns():
        op.add_column("deadlines", column)
    with op.batch_alter_table("deadlines") as table:
        table.alter_column("calendar_version", existing_type=sa.String(40), type_=sa.String(80))
    op.create_index("ix_deadlines_look", "deadlines", ["state", "look_at"])
    op.execute("UPDATE deadlines SET look_at = lapses_at WHERE state = 'open'")
    op.create_table(
        "early",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("home", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("transport", sa.String(12), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.UniqueConstraint("message_id", "sender", name=op.f("uq_early_message_id")),
    )
    op.create_index("ix_early_case", "early", ["reference", "sender", "sequence"])


def downgrade() -> None:
    op.drop_table("early")
    op.drop_index("ix_deadlines_look", "deadlines")
    with op.batch_alter_table("deadlines") as table:
        table.alter_column("calendar_version", existing_type=sa.String(80), type_=sa.String(40))
    for column in reversed(deadline_columns()):
        op.drop_column("deadlines", column.name)
    op.drop_column("messages", "facts")
    for column in reversed(case_columns()):
        op.drop_column("cases", column.name)
