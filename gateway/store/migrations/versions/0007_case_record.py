"""exports and erasures of cases

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("case_id", COUNTER, nullable=False),
        sa.Column("case_digest", sa.String(64), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_erasures_case_id_cases"),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_case_id", "erasures", ["case_id"])


def downgrade() -> None:
    op.drop_table("erasures")
