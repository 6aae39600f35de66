"""The series that a query spends the privacy budget of.

Revision ID: 0004
Follows: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Until now every manifest was the first of its series, which bears its name."""
    with op.batch_alter_table("queries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("series", sa.String(), nullable=True))
    op.execute("UPDATE queries SET series = manifest_digest")
    with op.batch_alter_table("queries", schema=None) as batch_op:
        batch_op.alter_column("series", existing_type=sa.String(), nullable=False)
        batch_op.create_index(batch_op.f("ix_queries_series"), ["series"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("queries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_queries_series"))
        batch_op.drop_column("series")
