"""nobody switches the triggers of the journal off by a session setting

Which role may do what is granted after the migrations (gateway/store/rights.py): a role is no part of a database.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TRIGGERS = ("journal_append_only", "journal_no_truncate")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("REVOKE ALL ON journal FROM PUBLIC")
        for name in TRIGGERS:  # ALWAYS: also where session_replication_role is set to replica
            op.execute(f"ALTER TABLE journal ENABLE ALWAYS TRIGGER {name}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in TRIGGERS:
            op.execute(f"ALTER TABLE journal ENABLE TRIGGER {name}")
