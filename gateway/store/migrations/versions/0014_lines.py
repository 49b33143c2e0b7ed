"""the way to each recipient, the order in which what waits for it leaves, and what is to go on paper

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
LETTERS, OF_CASES, PARTS, ON_PAPER = (
    sa.text("attachment_id IS NULL AND parked_at IS NULL"),
    sa.text("case_id IS NOT NULL"),
    sa.text("attachment_id IS NOT NULL"),
    sa.text("paper_at IS NOT NULL"),
)


def upgrade() -> None:
    op.create_table(
        "lines",
        sa.Column("recipient", sa.String(16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(40)),
        sa.Column("since", INSTANT),
        sa.Column("next_at", INSTANT),
        sa.Column("probe_until", INSTANT),
        sa.Column("tokens", sa.Float()),
        sa.Column("counted_at", INSTANT),
        sa.Column("day", sa.Date()),
        sa.Column("sent_on_day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", name="pk_lines"),
    )
    op.drop_index("ix_outbox_due", "outbox")
    for column in (
        sa.Column("case_id", COUNTER),
        sa.Column("due_at", INSTANT),
        sa.Column("turn_at", INSTANT),
        sa.Column("paper_at", INSTANT),
    ):
        op.add_column("outbox", column)
    op.execute("UPDATE outbox SET turn_at = created_at")
    op.execute("UPDATE outbox SET case_id = (SELECT m.case_id FROM messages m WHERE m.id = outbox.message_row)")
    op.execute("UPDATE outbox SET case_id = NULL WHERE attachment_id IS NOT NULL")
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("turn_at", existing_type=INSTANT, nullable=False)
    op.create_index(
        "ix_outbox_turn", "outbox", ["recipient", "turn_at", "id"], sqlite_where=LETTERS, postgresql_where=LETTERS
    )
    op.create_index("ix_outbox_case", "outbox", ["case_id"], sqlite_where=OF_CASES, postgresql_where=OF_CASES)
    op.create_index("ix_outbox_parts", "outbox", ["recipient", "next_at"], sqlite_where=PARTS, postgresql_where=PARTS)
    op.create_index("ix_outbox_paper", "outbox", ["case_id"], sqlite_where=ON_PAPER, postgresql_where=ON_PAPER)
    with op.batch_alter_table("paper_deliveries") as proofs:
        proofs.alter_column("receipt_message_id", existing_type=sa.String(36), nullable=True)


def downgrade() -> None:
    op.execute("UPDATE paper_deliveries SET receipt_message_id = '' WHERE receipt_message_id IS NULL")
    with op.batch_alter_table("paper_deliveries") as proofs:
        proofs.alter_column("receipt_message_id", existing_type=sa.String(36), nullable=False)
    for name in ("ix_outbox_paper", "ix_outbox_parts", "ix_outbox_case", "ix_outbox_turn"):
        op.drop_index(name, "outbox")
    with op.batch_alter_table("outbox") as outbox:
        for name in ("paper_at", "turn_at", "due_at", "case_id"):
            outbox.drop_column(name)
    op.create_index("ix_outbox_due", "outbox", ["parked_at", "next_at"])
    op.drop_table("lines")
