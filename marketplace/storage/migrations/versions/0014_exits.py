"""When the notice of a participant's exit ends.

Revision ID: 0014
Follows: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Nobody is leaving yet."""
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("exit_at", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.alter_column("exit_at", server_default=None)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.drop_column("exit_at")
