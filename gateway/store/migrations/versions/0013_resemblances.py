"""what cases are found by, and what was decided about two that resemble each other

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "searchable",
        sa.Column("case_id", _COUNTER, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_searchable_case_id_cases"),
        sa.PrimaryKeyConstraint("case_id", name="pk_searchable"),
    )
    op.create_table(
        "search_terms",
        sa.Column("case_id", _COUNTER, autoincrement=False, nullable=False),
        sa.Column("term", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_search_terms_case_id_cases"),
        sa.PrimaryKeyConstraint("case_id", "term", name="pk_search_terms"),
    )
    op.create_index("ix_search_terms_term", "search_terms", ["term", "case_id"])
    op.create_table(
        "resemblance_decisions",
        sa.Column("id", _COUNTER, nullable=False),
        sa.Column("first_case", _COUNTER, nullable=False),
        sa.Column("second_case", _COUNTER, nullable=False),
        sa.Column("verdict", sa.String(10), nullable=False),
        sa.Column("why", sa.String(24), nullable=False),
        sa.Column("decided_by", sa.String(80), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["first_case"], ["cases.id"], name="fk_resemblance_decisions_first_case_cases"),
        sa.ForeignKeyConstraint(["second_case"], ["cases.id"], name="fk_resemblance_decisions_second_case_cases"),
        sa.PrimaryKeyConstraint("id", name="pk_resemblance_decisions"),
    )
    op.create_index("ix_resemblance_decisions_second_case", "resemblance_decisions", ["second_case"])
    op.create_index("ix_resemblance_decisions_pair", "resemblance_decisions", ["first_case", "second_case"])


def downgrade() -> None:
    op.drop_table("resemblance_decisions")
    op.drop_table("search_terms")
    op.drop_table("searchable")
