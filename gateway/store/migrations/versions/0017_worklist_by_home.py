"""what is due next is found by home authority, and what the journal says of a case by its case

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deadlines", sa.Column("home", sa.String(16), nullable=False, server_default=""))
    op.add_column("deadlines", sa.Column("ours", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE deadlines SET home = (SELECT cases.home FROM cases WHERE cases.id = deadlines.case_id), "
        "ours = (SELECT cases.role = deadlines.must_act FROM cases WHERE cases.id = deadlines.case_id)"
    )
    op.drop_index("ix_deadlines_open", "deadlines")  # nothing asks by it any more
    op.create_index("ix_deadlines_due", "deadlines", ["home", "ours", "state", "due_until", "case_id"])
    op.create_index("ix_cases_home", "cases", ["home", "id"])
    op.create_index("ix_cases_standing", "cases", ["home", "role", "suspended", "state", "id"])
    op.create_index("ix_holds_open", "holds", ["ended_at", "case_id"])
    op.create_index("ix_journal_case", "journal", ["case_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_journal_case", "journal")
    op.drop_index("ix_holds_open", "holds")
    op.drop_index("ix_cases_standing", "cases")
    op.drop_index("ix_cases_home", "cases")
    op.drop_index("ix_deadlines_due", "deadlines")
    op.create_index("ix_deadlines_open", "deadlines", ["state", "lapses_at"])
    op.drop_column("deadlines", "ours")
    op.drop_column("deadlines", "home")
