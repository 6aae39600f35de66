"""An object's events and a holder's titles are found by indexes, whatever else the register holds.

Revision ID: 0010
Follows: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ARGUMENT = {"sqlite": "json_extract(args, '$.{}')", "postgresql": "args->>'{}'"}


def upgrade() -> None:
    """Apply; the events that the ledger has say what they are about."""
    with op.batch_alter_table("ledger_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("about", sa.String(length=66), nullable=False, server_default=""))
    title, asset = (_ARGUMENT[op.get_bind().dialect.name].format(name) for name in ("titleId", "assetId"))
    op.execute(f"UPDATE ledger_event SET about = coalesce({title}, {asset}, '')")  # noqa: S608 - both are ours
    with op.batch_alter_table("ledger_event", schema=None) as batch_op:
        batch_op.alter_column("about", server_default=None)
        batch_op.create_index("ix_ledger_event_about", ["about", "name"], unique=False)
    with op.batch_alter_table("titles", schema=None) as batch_op:
        batch_op.drop_index("ix_titles_holder")
        batch_op.create_index("ix_titles_holder", ["holder", "title_id"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("titles", schema=None) as batch_op:
        batch_op.drop_index("ix_titles_holder")
        batch_op.create_index("ix_titles_holder", ["holder"], unique=False)
    with op.batch_alter_table("ledger_event", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_event_about")
        batch_op.drop_column("about")
