"""Money in several currencies: rows of money say which one they are in.

Revision ID: 0027
Follows: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None

_TABLES = ("listings", "orders", "account_movements", "redemptions", "clearing_batches", "clearing_debts")


def _event() -> list["sa.Column[object]"]:
    return [
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
    ]


def _create(*currency: str) -> None:
    """The two tables whose rows are named by the currency too; without it, as they were before."""
    op.create_table(
        "balances",
        *_event(),
        sa.Column("account", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in currency),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", *currency),
        info={"read_model": True},
    )
    op.create_table(
        "issues",
        *_event(),
        sa.Column("ref", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in currency),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref", *currency),
        info={"read_model": True},
    )
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issues_account"), ["account"], unique=False)
        batch_op.create_index(batch_op.f("ix_issues_bank"), ["bank"], unique=False)


def upgrade() -> None:
    """Apply. Nothing is carried over: a ledger with the contracts of before is not served any more."""
    for table in _TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("currency", sa.String(), nullable=False, server_default="CNY"))
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column("currency", server_default=None)
    op.drop_table("balances")
    op.drop_table("issues")
    _create("currency")


def downgrade() -> None:
    """Undo."""
    op.drop_table("issues")
    op.drop_table("balances")
    _create()
    for table in reversed(_TABLES):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("currency")
