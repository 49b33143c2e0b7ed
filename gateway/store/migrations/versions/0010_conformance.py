"""conformance passes

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conformance_passes",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("partner", sa.String(8), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conformance_passes"),
        sa.UniqueConstraint("sha256", name="uq_conformance_passes_sha256"),
    )
    op.create_index("ix_conformance_passes_partner", "conformance_passes", ["partner"])


def downgrade() -> None:
    op.drop_table("conformance_passes")
