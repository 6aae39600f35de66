"""Calls: gateways of listings, and what was handed in of orders that are delivered call by call.

Revision ID: 0024
Follows: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "api_gateways",
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("listing_id"),
    )
    op.create_table(
        "api_orders",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("meter", sa.JSON(), nullable=False),
        sa.Column("voucher_digest", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.create_table(
        "api_batches",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "first"),
    )
    op.create_table(
        "api_service",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("record_digest", sa.String(), nullable=False),
        sa.Column("answer_digest", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "period"),
    )


def downgrade() -> None:
    """Undo."""
    for name in ("api_service", "api_batches", "api_orders", "api_gateways"):
        op.drop_table(name)
