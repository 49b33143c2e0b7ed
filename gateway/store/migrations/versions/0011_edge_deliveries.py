"""whose turn it is at the edge of an authority, and the messages that did not get through

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "edge_turns",
        sa.Column("authority", sa.String(16), nullable=False),
        sa.Column("held_by", sa.String(80)),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("code", sa.String(64)),
        sa.Column("since", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("authority", name="pk_edge_turns"),
    )
    op.create_table(
        "edge_troubles",
        sa.Column("inbox_id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name="fk_edge_troubles_inbox_id_inbox", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("inbox_id", name="pk_edge_troubles"),
    )


def downgrade() -> None:
    op.drop_table("edge_troubles")
    op.drop_table("edge_turns")
