"""Clearing: batches, positions, debts, and the orders that went through them.

Revision ID: 0012
Follows: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cleared_orders",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        info={"read_model": True},
    )
    with op.batch_alter_table("cleared_orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cleared_orders_batch_id"), ["batch_id"], unique=False)
    op.create_table(
        "clearing_batches",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("legs", sa.BigInteger(), nullable=False),
        sa.Column("pay_by", sa.BigInteger(), nullable=False),
        sa.Column("payouts_digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
        info={"read_model": True},
    )
    op.create_table(
        "clearing_debts",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("debt_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("debtor", sa.String(), nullable=False),
        sa.Column("creditor", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("debt_id"),
        info={"read_model": True},
    )
    with op.batch_alter_table("clearing_debts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clearing_debts_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_clearing_debts_creditor"), ["creditor"], unique=False)
        batch_op.create_index(batch_op.f("ix_clearing_debts_debtor"), ["debtor"], unique=False)
    op.create_table(
        "clearing_positions",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("collected", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "party"),
        info={"read_model": True},
    )
    with op.batch_alter_table("clearing_positions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clearing_positions_party"), ["party"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("clearing_positions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clearing_positions_party"))
    op.drop_table("clearing_positions")
    with op.batch_alter_table("clearing_debts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clearing_debts_debtor"))
        batch_op.drop_index(batch_op.f("ix_clearing_debts_creditor"))
        batch_op.drop_index(batch_op.f("ix_clearing_debts_batch_id"))
    op.drop_table("clearing_debts")
    op.drop_table("clearing_batches")
    with op.batch_alter_table("cleared_orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cleared_orders_batch_id"))
    op.drop_table("cleared_orders")
