"""A recovery ends keys once and for all, so how many came before one says nothing any more.

Revision ID: 0033
Follows: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

_COLUMNS = {"account_rings": ("since", "generation"), "account_keys": ("generation",)}


def upgrade() -> None:
    """Apply."""
    for table, names in _COLUMNS.items():
        with op.batch_alter_table(table) as batch_op:
            for name in names:
                batch_op.drop_column(name)


def downgrade() -> None:
    """Undo. The rows are made again from the ledger where a program of before needs what they said."""
    for table, names in _COLUMNS.items():
        with op.batch_alter_table(table) as batch_op:
            for name in names:
                batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
