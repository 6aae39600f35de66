"""Events of the contract Keys are found by their account.

Revision ID: 0019
Follows: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_EVENTS = sa.table(
    "ledger_event",
    sa.column("block", sa.BigInteger),
    sa.column("log_index", sa.Integer),
    sa.column("contract", sa.String),
    sa.column("about", sa.String),
    sa.column("args", sa.JSON),
)


def upgrade() -> None:
    """Apply."""
    link, ours = op.get_bind(), _EVENTS.c.contract == "Keys"
    for row in link.execute(sa.select(_EVENTS).where(ours)).all():
        place = (_EVENTS.c.block == row.block) & (_EVENTS.c.log_index == row.log_index)
        link.execute(_EVENTS.update().where(place).values(about=row.args.get("account", "")))


def downgrade() -> None:
    """Undo."""
    op.get_bind().execute(_EVENTS.update().where(_EVENTS.c.contract == "Keys").values(about=""))
