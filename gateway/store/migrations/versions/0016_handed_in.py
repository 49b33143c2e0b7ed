"""documents as they were handed in are found by their digest

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    original = sa.text("kind = 'original'")
    op.create_index("ix_documents_handed_in", "documents", ["sha256"], sqlite_where=original, postgresql_where=original)


def downgrade() -> None:
    op.drop_index("ix_documents_handed_in", "documents")
