"""Deadlines of panels, why queries failed, and what is held against nodes, with the leaves that say so.

Revision ID: 0005
Follows: 0004
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FACTS = sa.table(
    "panel_facts",
    sa.column("query", sa.String),
    sa.column("node", sa.String),
    sa.column("kind", sa.String),
    sa.column("leaf", sa.BigInteger),
)


def upgrade() -> None:
    """Apply. Queries that were taken before there were deadlines have none."""
    op.create_table(
        "panel_facts",
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("query", "node", "kind"),
    )
    with op.batch_alter_table("panel_facts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panel_facts_node"), ["node"], unique=False)
    with op.batch_alter_table("queries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("panel_deadline", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("panel_closed", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("failure", sa.String(), nullable=True))
    op.execute("UPDATE queries SET panel_closed = (finished_at IS NOT NULL)")
    with op.batch_alter_table("queries", schema=None) as batch_op:
        batch_op.alter_column("panel_closed", existing_type=sa.Boolean(), nullable=False)
        batch_op.create_index("ix_queries_panel_closed", ["panel_closed", "panel_deadline"], unique=False)
    _find_divergences()
    with op.batch_alter_table("panel_tasks", schema=None) as batch_op:
        batch_op.drop_column("divergent")
        batch_op.drop_column("signature")  # the statement has it


def _find_divergences() -> None:
    """The log says which nodes differed."""
    connection = op.get_bind()
    entries = sa.table("log_entries", sa.column("position", sa.BigInteger), sa.column("leaf", sa.LargeBinary))
    seen: set[tuple[str, str]] = set()
    for position, leaf in connection.execute(sa.select(entries.c.position, entries.c.leaf).order_by("position")):
        if b'"panel.divergence"' not in leaf:
            continue
        told = json.loads(leaf)
        if (told["query"], told["node"]) not in seen:
            seen.add((told["query"], told["node"]))
            row = {"query": told["query"], "node": told["node"], "kind": "differed", "leaf": position}
            connection.execute(_FACTS.insert().values(**row))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("panel_tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("divergent", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("signature", sa.String(), nullable=True))
    op.execute(
        "UPDATE panel_tasks SET divergent = EXISTS (SELECT 1 FROM panel_facts f WHERE f.query = panel_tasks.query "
        "AND f.node = panel_tasks.node AND f.kind = 'differed')"
    )
    with op.batch_alter_table("panel_tasks", schema=None) as batch_op:
        batch_op.alter_column("divergent", existing_type=sa.Boolean(), nullable=False)
    with op.batch_alter_table("queries", schema=None) as batch_op:
        batch_op.drop_index("ix_queries_panel_closed")
        for name in ("failure", "panel_closed", "panel_deadline"):
            batch_op.drop_column(name)
    op.drop_table("panel_facts")
