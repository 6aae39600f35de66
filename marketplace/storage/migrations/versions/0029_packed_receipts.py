"""Receipts of blocks, compressed.

Revision ID: 0029
Follows: 0026
"""

import sqlalchemy as sa
from alembic import op

from marketplace.storage.types import PackedJson

revision = "0029"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _rewrite(sa.JSON(), PackedJson())


def downgrade() -> None:
    """Undo."""
    _rewrite(PackedJson(), sa.JSON())


def _rewrite(old: "sa.types.TypeEngine[object]", new: "sa.types.TypeEngine[object]") -> None:
    """Another type of the column, block by block: all receipts together may not fit into memory."""
    op.add_column("ledger_block", sa.Column("rewritten", new, nullable=True))
    blocks = sa.table("ledger_block", sa.column("number"), sa.column("receipts", old), sa.column("rewritten", new))
    connection = op.get_bind()
    known = connection.execute(sa.select(blocks.c.number).where(blocks.c.receipts.is_not(None))).scalars().all()
    for number in known:
        block = blocks.c.number == number
        receipts = connection.execute(sa.select(blocks.c.receipts).where(block)).scalar_one()
        if receipts is not None:  # a planned block has none: JSON's null
            connection.execute(blocks.update().where(block).values(rewritten=receipts))
    op.execute("ALTER TABLE ledger_block DROP COLUMN receipts")
    op.execute("ALTER TABLE ledger_block RENAME COLUMN rewritten TO receipts")
