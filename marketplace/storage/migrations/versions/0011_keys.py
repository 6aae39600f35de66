"""Keys of accounts: rings, keys, recoveries; and the key that a session was opened with.

Revision ID: 0011
Follows: 0010
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _projected(table: str, *columns: "sa.Column[Any]", key: tuple[str, ...]) -> None:
    op.create_table(
        table,
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint(*key),
    )


def _big(*names: str) -> "tuple[sa.Column[Any], ...]":
    return tuple(sa.Column(name, sa.BigInteger(), nullable=False) for name in names)


def upgrade() -> None:
    """Apply. Sessions that are open were opened with the account's own address."""
    _projected(
        "account_rings",
        sa.Column("account", sa.String(), nullable=False),
        *_big("version", "since", "generation"),
        sa.Column("guardians", sa.JSON(), nullable=False),
        sa.Column("guardians_number", sa.Integer(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        *_big("delay"),
        key=("account",),
    )
    _projected(
        "account_keys",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        *_big("acts", "limit_fen", "valid_from", "valid_until", "generation"),
        sa.Column("person_digest", sa.String(), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        key=("account", "key"),
    )
    op.create_index("ix_account_keys_key", "account_keys", ["key"])
    _projected(
        "recoveries",
        sa.Column("recovery_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("new_key", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        *_big("delay"),
        sa.Column("guardians", sa.JSON(), nullable=False),
        sa.Column("approved", sa.JSON(), nullable=False),
        *_big("ready_at"),
        sa.Column("reason_digest", sa.String(), nullable=False),
        key=("recovery_id",),
    )
    op.create_index("ix_recoveries_account", "recoveries", ["account"])
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key", sa.String(), nullable=True))
    op.execute("UPDATE sign_ins SET key = account")
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.alter_column("key", nullable=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.drop_column("key")
    for table in ("recoveries", "account_keys", "account_rings"):
        op.drop_table(table)
