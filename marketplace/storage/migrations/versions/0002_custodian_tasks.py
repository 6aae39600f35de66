"""Custodians' tasks.

Revision ID: 0002
Follows: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "custodian_tasks",
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.Column("shares_digest", sa.String(), nullable=True),
        sa.Column("release_digest", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("query"),
    )
    with op.batch_alter_table("custodian_tasks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custodian_tasks_custodian"), ["custodian"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("custodian_tasks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_custodian_tasks_custodian"))
    op.drop_table("custodian_tasks")
