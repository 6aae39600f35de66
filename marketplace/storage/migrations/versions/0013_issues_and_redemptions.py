"""What banks issued and redeemed.

Revision ID: 0013
Follows: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Nothing is to be filled in: a ledger with the contracts of before is not served any more."""
    op.create_table(
        "issues",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref"),
        info={"read_model": True},
    )
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issues_account"), ["account"], unique=False)
        batch_op.create_index(batch_op.f("ix_issues_bank"), ["bank"], unique=False)

    op.create_table(
        "redemptions",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("redemption_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("payout_digest", sa.String(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("pay_by", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("reason_digest", sa.String(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("redemption_id"),
        info={"read_model": True},
    )
    with op.batch_alter_table("redemptions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_redemptions_account"), ["account"], unique=False)
        batch_op.create_index(batch_op.f("ix_redemptions_bank"), ["bank"], unique=False)
        batch_op.create_index(batch_op.f("ix_redemptions_ref"), ["ref"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("redemptions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_redemptions_ref"))
        batch_op.drop_index(batch_op.f("ix_redemptions_bank"))
        batch_op.drop_index(batch_op.f("ix_redemptions_account"))

    op.drop_table("redemptions")
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issues_bank"))
        batch_op.drop_index(batch_op.f("ix_issues_account"))

    op.drop_table("issues")
