"""Titles have a scope, a parent and what weighs on them; listings say under which title they offer what.

Revision ID: 0016
Follows: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ZERO = "0x" + "00" * 32
_TITLES = (
    ("parent", sa.String(), _ZERO),
    ("marks", sa.Integer(), "0"),
    ("purposes", sa.BigInteger(), "0"),
    ("fields", sa.String(), _ZERO),
    ("territories", sa.BigInteger(), "0"),
    ("valid_from", sa.BigInteger(), "0"),
    ("terms_digest", sa.String(), _ZERO),
    ("pledgee", sa.String(), "0x" + "00" * 20),
    ("permitted", sa.String(), _ZERO),
    ("moves", sa.Integer(), "0"),
)
_LISTINGS = (
    ("title_id", sa.String(), _ZERO),
    ("purposes", sa.BigInteger(), "0"),
    ("fields", sa.String(), _ZERO),
    ("territories", sa.BigInteger(), "0"),
)


def upgrade() -> None:
    """Apply. The read model is made again from the ledger's events, so what stands here meanwhile does not matter."""
    for table, columns, index in (("titles", _TITLES, "parent"), ("listings", _LISTINGS, "title_id")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, start in columns:
                batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=start))
            batch_op.create_index(batch_op.f(f"ix_{table}_{index}"), [index], unique=False)
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, _, _ in columns:
                batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    """Undo."""
    for table, columns, index in (("titles", _TITLES, "parent"), ("listings", _LISTINGS, "title_id")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_index(batch_op.f(f"ix_{table}_{index}"))
            for name, _, _ in columns:
                batch_op.drop_column(name)
