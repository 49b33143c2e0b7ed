"""the whole message set: cases that stop and lapse, deadlines that can be counted again, messages that came too early

Revision ID: 0003
Revises: 0002
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def case_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("linked", sa.Text()),
        sa.Column("suspended", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("deemed_at", INSTANT),
        sa.Column("lapse_notice", sa.String(36)),
        sa.Column("late", sa.String(20)),
        sa.Column("plan", sa.String(36)),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
    )


def deadline_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("inputs", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("stage", sa.String(12), nullable=False, server_default="new"),
        sa.Column("look_at", INSTANT),
        sa.Column("calendar_ids", sa.String(40)),
    )


def fill_inputs(bind: sa.Connection) -> None:
    """Write what open deadlines were counted from, so that the watch tells of them too: all were started by an application."""
    deadlines = sa.table(
        "deadlines",
        *(sa.column(name) for name in ("id", "case_id", "state", "known")),
        *(sa.column(name, INSTANT) for name in ("started_at", "due_until", "rolled_until", "look_at")),
        sa.column("on_lapse"),
        sa.column("inputs", sa.JSON()),
    )
    messages = sa.table("messages", *(sa.column(name) for name in ("case_id", "message_id", "type", "direction", "outcome")))
    found = (
        sa.select(deadlines, messages.c.message_id)
        .join(messages, messages.c.case_id == deadlines.c.case_id)
        .where(deadlines.c.state == "open", messages.c.type == "ReadmissionApplication")
        .where(sa.or_(messages.c.direction == "out", messages.c.outcome == "accepted"))
    )
    for row in bind.execute(found).all():
        marks = [("overdue", row.due_until), ("lapse", row.rolled_until if row.on_lapse != "nothing" else None)]
        inputs = {
            "start": _utc(row.started_at).isoformat(),
            "planned": False,
            "extension": None,
            "stops": [],
            "means": None,
            "escorted": False,
            "message": row.message_id,
            "marks": [[stage, _utc(at).isoformat()] for stage, at in marks if at is not None],
        }
        bind.execute(sa.update(deadlines).where(deadlines.c.id == row.id).values(inputs=inputs, look_at=row.due_until))


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)  # SQLite keeps no zone; what is stored is UTC


def upgrade() -> None:
    for column in case_columns():
        op.add_column("cases", column)
    op.add_column("messages", sa.Column("facts", sa.JSON(none_as_null=True)))
    for column in deadline_columns():
        op.add_column("deadlines", column)
    with op.batch_alter_table("deadlines") as table:
        table.alter_column("calendar_version", existing_type=sa.String(40), type_=sa.String(80))
    op.create_index("ix_deadlines_look", "deadlines", ["state", "look_at"])
    fill_inputs(op.get_bind())
    op.create_table(
        "early",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("home", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("transport", sa.String(12), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.UniqueConstraint("message_id", "sender", name=op.f("uq_early_message_id")),
    )
    op.create_index("ix_early_case", "early", ["reference", "sender", "sequence"])


def downgrade() -> None:
    op.drop_table("early")
    op.drop_index("ix_deadlines_look", "deadlines")
    with op.batch_alter_table("deadlines") as table:
        table.alter_column("calendar_version", existing_type=sa.String(80), type_=sa.String(40))
    for column in reversed(deadline_columns()):
        op.drop_column("deadlines", column.name)
    op.drop_column("messages", "facts")
    for column in reversed(case_columns()):
        op.drop_column("cases", column.name)
