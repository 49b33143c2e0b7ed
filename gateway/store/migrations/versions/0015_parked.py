"""what was set aside: parcels that could not be taken, who looks after what, and messages that were given up

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "parked",
        sa.Column("id", _COUNTER, nullable=False),
        sa.Column("home", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(16), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=True),
        sa.Column("type", sa.String(40), nullable=True),
        sa.Column("reference", sa.String(32), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("transport", sa.String(12), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("rule", sa.String(80), nullable=True),
        sa.Column("settled", sa.String(10), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(80), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_parked"),
        sa.UniqueConstraint("digest", "home", name="uq_parked_digest"),
    )
    op.create_index("ix_parked_settled", "parked", ["settled", "home"])
    op.create_table(
        "parked_owners",
        sa.Column("thing", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("thing", name="pk_parked_owners"),
    )
    op.create_table(
        "dropped",
        sa.Column("message_row", _COUNTER, autoincrement=False, nullable=False),
        sa.Column("case_id", _COUNTER, nullable=True),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_row"], ["messages.id"], name="fk_dropped_message_row_messages"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_dropped_case_id_cases"),
        sa.PrimaryKeyConstraint("message_row", name="pk_dropped"),
    )
    with op.batch_alter_table("early") as batch_op:
        batch_op.add_column(sa.Column("given_up_from", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("early") as batch_op:
        batch_op.drop_column("given_up_from")
    op.drop_table("dropped")
    op.drop_table("parked_owners")
    op.drop_table("parked")
