"""The register names what its present certificate rests on; places in the status lists are a case's, not an asset's.

Revision ID: 0020
Follows: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ZERO = "0x" + "00" * 32
_ENTRY = (
    ("certified_case", sa.String(), _ZERO),
    ("form_digest", sa.String(), _ZERO),
    ("share_version", sa.BigInteger(), "0"),
    ("moves", sa.Integer(), "0"),
)


def upgrade() -> None:
    """Apply. The read model is made again from the ledger's events; places are the service's own and are kept.

    Before, an asset could be certified once, so its place is its latest case's; one without a case was never used.
    """
    with op.batch_alter_table("register_entries", schema=None) as batch_op:
        for name, kind, start in _ENTRY:
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=start))
    with op.batch_alter_table("register_entries", schema=None) as batch_op:
        for name, _, _ in _ENTRY:
            batch_op.alter_column(name, server_default=None)
    op.rename_table("status_places", "status_places_of_assets")
    op.drop_index("ix_status_places_place", table_name="status_places_of_assets")
    op.create_table(
        "status_places",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "case_id", name="pk_status_places"
        ),  # the default name is the old table's until the end
    )
    op.execute(
        "INSERT INTO status_places (case_id, asset_id, number, position) "
        "SELECT e.latest_case, p.asset_id, p.number, p.position FROM status_places_of_assets AS p "
        "JOIN register_entries AS e ON e.asset_id = p.asset_id"
    )
    op.create_index("ix_status_places_place", "status_places", ["number", "position"], unique=True)
    op.create_index("ix_status_places_asset_id", "status_places", ["asset_id"])
    op.drop_table("status_places_of_assets")


def downgrade() -> None:
    """Undo. Places of later certificates are lost."""
    op.rename_table("status_places", "status_places_of_cases")
    op.drop_index("ix_status_places_place", table_name="status_places_of_cases")
    op.drop_index("ix_status_places_asset_id", table_name="status_places_of_cases")
    op.create_table(
        "status_places",
        sa.Column("asset_id", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
    )
    op.execute(
        "INSERT INTO status_places (asset_id, number, position) "
        "SELECT asset_id, number, position FROM status_places_of_cases AS p WHERE case_id = "
        "(SELECT min(q.case_id) FROM status_places_of_cases AS q WHERE q.asset_id = p.asset_id)"
    )
    op.create_index("ix_status_places_place", "status_places", ["number", "position"], unique=True)
    op.drop_table("status_places_of_cases")
    with op.batch_alter_table("register_entries", schema=None) as batch_op:
        for name, _, _ in _ENTRY:
            batch_op.drop_column(name)
