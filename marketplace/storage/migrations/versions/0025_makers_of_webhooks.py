"""Which session an endpoint was registered with, so that it ends with the link that opened it.

Revision ID: 0025
Follows: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("webhook_endpoints") as batch_op:
        batch_op.add_column(sa.Column("made_by", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("linked_at", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.create_index("ix_webhook_endpoints_made_by", ["made_by"])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("webhook_endpoints") as batch_op:
        batch_op.drop_index("ix_webhook_endpoints_made_by")
        batch_op.drop_column("linked_at")
        batch_op.drop_column("made_by")
