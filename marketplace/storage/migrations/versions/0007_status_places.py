"""Places of certificates in the status lists.

Revision ID: 0007
Follows: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Certificates that were issued before have no place: nothing says whether they were revoked."""
    op.create_table(
        "status_places",
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("asset_id"),
    )
    with op.batch_alter_table("status_places", schema=None) as batch_op:
        batch_op.create_index("ix_status_places_place", ["number", "position"], unique=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("status_places")
