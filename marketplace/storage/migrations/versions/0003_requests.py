"""Requests of attested results.

Revision ID: 0003
Follows: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "request_wishes", sa.Column("holder", sa.String(), nullable=False), sa.PrimaryKeyConstraint("holder")
    )
    op.create_table(
        "requests_due",
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("query"),
    )
    op.create_table(
        "uploaded_requests",
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("query", "digest"),
    )


def downgrade() -> None:
    """Undo."""
    for name in ("uploaded_requests", "requests_due", "request_wishes"):
        op.drop_table(name)
