"""Deliveries: offers under listings, and the delivery of each order.

Revision ID: 0021
Follows: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def _event() -> list["sa.Column[object]"]:
    return [
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
    ]


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "delivery_offers",
        *_event(),
        sa.Column("listing_id", sa.String(), nullable=False),
        sa.Column("seller", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("amount", "deliver_within", "inspection", "correction")
        ),
        sa.Column("corrections", sa.Integer(), nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("listing_id"),
        info={"read_model": True},
    )
    op.create_table(
        "deliveries",
        *_event(),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("buyer", sa.String(), nullable=False),
        sa.Column("receive_key", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("status", "rounds", "acknowledged")),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("note_hash", "ciphertext_digest", "fingerprint_id", "plaintext_commitment", "defects_digest")
        ),
        sa.Column("delivered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        info={"read_model": True},
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deliveries_buyer"), ["buyer"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_table("deliveries")
    op.drop_table("delivery_offers")
