"""The calls of an order that vouchers are made over, kept up with every answer.

Revision ID: 0030
Follows: 0028
"""

import sqlalchemy as sa
from alembic import op

from crypto.canonical import from_hex, to_hex
from crypto.merkle import Frontier, leaf_hash

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None

_QUERIES = sa.table("queries", *map(sa.column, ("order_id", "digest", "voucher_digest", "state", "leaf")))


def upgrade() -> None:
    """Apply; the queries that were answered before are counted."""
    answered_calls = op.create_table(
        "answered_calls",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.JSON(), nullable=False),
        sa.Column("voucher_digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )
    link = op.get_bind()
    calls: dict[str, Frontier] = {}
    vouchers: dict[str, str] = {}
    answered = sa.select(_QUERIES).where(_QUERIES.c.state == "released").order_by(_QUERIES.c.leaf)
    for row in link.execute(answered):
        calls.setdefault(row.order_id, Frontier()).append(leaf_hash(from_hex(row.digest, 32)))
        vouchers[row.order_id] = row.voucher_digest
    for order, found in calls.items():
        edge, paid = [to_hex(item) for item in found.hashes], vouchers[order]
        counted = answered_calls.insert().values(order_id=order, calls=found.size, edge=edge, voucher_digest=paid)
        link.execute(counted)


def downgrade() -> None:
    """Undo."""
    op.drop_table("answered_calls")
