"""What weighs on revenue shares: to whom they are pledged, and whether they are seized or under control.

Revision ID: 0028
Follows: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "share_encumbrances",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("pledgee", sa.String(), nullable=False),
        sa.Column("bps", sa.Integer(), nullable=False),
        sa.Column("debt_digest", sa.String(), nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "holder"),
        info={"read_model": True},
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("share_encumbrances")
