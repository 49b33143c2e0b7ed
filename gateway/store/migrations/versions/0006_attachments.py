"""attachments: what belongs to a message, and the parts it travels in

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("authority", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(16)),
        sa.Column("message_id", sa.String(36)),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("code", sa.String(40)),
        sa.Column("sha256", sa.String(64)),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer()),
        sa.Column("media_type", sa.String(40)),
        sa.Column("holding", sa.LargeBinary()),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", COUNTER),
        sa.Column("message_row", COUNTER),
        sa.Column("kind", sa.String(20)),
        sa.Column("number", sa.Integer()),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_attachments_case_id_cases"),
        sa.ForeignKeyConstraint(["message_row"], ["messages.id"], name="fk_attachments_message_row_messages"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
        sa.UniqueConstraint("message_id", "sender", "authority", "sha256", name="uq_attachments_message_id"),
    )
    op.create_index("ix_attachments_unclaimed", "attachments", ["case_id", "authority", "sha256"])
    op.create_index("ix_attachments_message_row", "attachments", ["message_row"])
    op.create_table(
        "attachment_parts",
        sa.Column("attachment_id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attachment_id"], ["attachments.id"], name="fk_attachment_parts_attachment_id_attachments"),
        sa.PrimaryKeyConstraint("attachment_id", "number", name="pk_attachment_parts"),
    )
    for table, column in outbox_and_early():
        op.add_column(table, column)


def outbox_and_early() -> tuple[tuple[str, sa.Column[object]], ...]:
    return (
        ("outbox", sa.Column("attachment_id", COUNTER)),
        ("outbox", sa.Column("part", sa.Integer(), nullable=False, server_default="1")),
        ("early", sa.Column("files", sa.Integer(), nullable=False, server_default="0")),
        ("early", sa.Column("asked_at", INSTANT)),
    )


def downgrade() -> None:
    for table, column in reversed(outbox_and_early()):
        op.drop_column(table, column.name)
    op.drop_table("attachment_parts")
    op.drop_table("attachments")
