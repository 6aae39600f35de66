"""Agreements on model forms, proposals of them, and which one an order was made under.

Revision ID: 0009
Follows: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NONE = "0x" + "00" * 32


def upgrade() -> None:
    """Apply. Orders that were funded before cite no agreement."""
    op.create_table(
        "agreements",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("party_a", sa.String(), nullable=False),
        sa.Column("party_b", sa.String(), nullable=False),
        sa.Column("agreement_digest", sa.String(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("previous_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("agreement_id"),
    )
    op.create_table(
        "agreement_proposals",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("party_a", sa.String(), nullable=False),
        sa.Column("party_b", sa.String(), nullable=False),
        sa.Column("proposer", sa.String(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("signature_a", sa.String(), nullable=False),
        sa.Column("signature_b", sa.String(), nullable=False),
        sa.Column("answers", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    for table, column in (
        ("agreements", "party_a"),
        ("agreements", "party_b"),
        ("agreement_proposals", "agreement_id"),
        ("agreement_proposals", "party_a"),
        ("agreement_proposals", "party_b"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agreement_id", sa.String(), nullable=False, server_default=NONE))
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.alter_column("agreement_id", server_default=None)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_column("agreement_id")
    op.drop_table("agreement_proposals")
    op.drop_table("agreements")
