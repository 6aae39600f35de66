"""Lineage: what products are made of, and consents; payouts say through which asset they are due.

Revision ID: 0022
Follows: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def _event() -> list["sa.Column[object]"]:
    return [
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
    ]


def _payouts(*keys: str) -> None:
    """The read model is made again from the ledger's events, so nothing is kept."""
    op.drop_table("payouts")
    op.create_table(
        "payouts",
        *_event(),
        *(sa.Column(name, sa.String(), nullable=False) for name in keys),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*keys),
        info={"read_model": True},
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "lineage_declarations",
        *_event(),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("asset_id", "holder", "agreement_digest")),
        sa.PrimaryKeyConstraint("asset_id"),
        info={"read_model": True},
    )
    op.create_table(
        "lineage_inputs",
        *_event(),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("asset_id", "input_id", "title_id")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("place", "bps")),
        sa.PrimaryKeyConstraint("asset_id", "input_id"),
        info={"read_model": True},
    )
    op.create_table(
        "lineage_consents",
        *_event(),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("asset_id", "input_id", "holder", "title_id")),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("status", "version")),
        sa.PrimaryKeyConstraint("asset_id", "input_id"),
        info={"read_model": True},
    )
    op.create_index("ix_lineage_declarations_holder", "lineage_declarations", ["holder"])
    op.create_index("ix_lineage_inputs_input_id", "lineage_inputs", ["input_id"])
    op.create_index("ix_lineage_consents_holder", "lineage_consents", ["holder"])
    _payouts("order_id", "asset_id", "holder")


def downgrade() -> None:
    """Undo."""
    for name in ("lineage_consents", "lineage_inputs", "lineage_declarations"):
        op.drop_table(name)
    _payouts("order_id", "holder")
