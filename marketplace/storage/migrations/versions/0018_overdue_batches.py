"""Batches say until when the exchange alone closes them, and who confirmed them; transfers are found by their account.

Revision ID: 0018
Follows: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_COLUMNS = (("close_by", sa.BigInteger(), "0"), ("confirmed_by", sa.String(), "0x" + "00" * 20))


def upgrade() -> None:
    """Apply. The read model is made again from the ledger's events, so what stands here meanwhile does not matter."""
    with op.batch_alter_table("clearing_batches", schema=None) as batch_op:
        for name, kind, start in _COLUMNS:
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=start))
    with op.batch_alter_table("clearing_batches", schema=None) as batch_op:
        for name, _, _ in _COLUMNS:
            batch_op.alter_column(name, server_default=None)
    op.create_table(
        "account_movements",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "block", "log_index", name=op.f("pk_account_movements")),
        info={"read_model": True},
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("account_movements")
    with op.batch_alter_table("clearing_batches", schema=None) as batch_op:
        for name, _, _ in _COLUMNS:
            batch_op.drop_column(name)
