"""Late objections that were upheld, whose mark stays on the entry.

Revision ID: 0031
Follows: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("register_entries") as batch_op:
        batch_op.add_column(sa.Column("upheld", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("register_entries") as batch_op:
        batch_op.alter_column("upheld", server_default=None)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("register_entries") as batch_op:
        batch_op.drop_column("upheld")
