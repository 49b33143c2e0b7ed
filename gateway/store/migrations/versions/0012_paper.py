"""proofs of delivery on paper

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paper_deliveries",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("message_row", COUNTER, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("delivered_at", INSTANT, nullable=False),
        sa.Column("zone", sa.String(40), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_by", sa.String(80), nullable=False),
        sa.Column("recorded_for", sa.String(16), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("receipt_message_id", sa.String(36), nullable=False),
        sa.Column("scan", sa.String(64)),
        sa.ForeignKeyConstraint(["message_row"], ["messages.id"], name="fk_paper_deliveries_message_row_messages"),
        sa.PrimaryKeyConstraint("id", name="pk_paper_deliveries"),
        sa.UniqueConstraint("message_row", name="uq_paper_deliveries_message_row"),
    )


def downgrade() -> None:
    op.drop_table("paper_deliveries")
