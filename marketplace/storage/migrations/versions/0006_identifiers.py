"""What has an identifier, and which version of a data set follows which.

Revision ID: 0006
Follows: 0005
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from marketplace.documents.ids import asset_id

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_FIRST = {  # the event that brings it into being: (kind, its subject, a certificate's asset)
    "Admitted": ("party", "account", ""),
    "Registered": ("data", "assetId", ""),
    "Confirmed": ("cert", "certificateDigest", "assetId"),
    "Listed": ("product", "listingId", ""),
    "Funded": ("order", "orderId", ""),
}


def upgrade() -> None:
    """Apply; what is on the ledger already gets its row from the event that the ledger has."""
    named = op.create_table(
        "identifiers",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "kind"),
        info={"read_model": True},
    )
    versions = op.create_table(
        "versions",
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("asset_id"),
    )
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_versions_previous"), ["previous"], unique=False)
        batch_op.create_index(batch_op.f("ix_versions_series"), ["series"], unique=False)
    for table, rows in ((named, list(_named())), (versions, list(_versions()))):
        if rows:
            op.bulk_insert(table, rows)


def _named() -> Iterator[dict[str, Any]]:
    names = ("block", "block_hash", "log_index", "intent", "name")
    events = sa.table("ledger_event", *map(sa.column, names), sa.column("args", sa.JSON))
    query = sa.select(events).where(events.c.name.in_(_FIRST)).order_by(events.c.block, events.c.log_index)
    seen: set[tuple[str, str]] = set()
    for event in op.get_bind().execute(query):
        kind, subject, about = _FIRST[event.name]
        key = (event.args[subject], kind)
        if key not in seen:
            seen.add(key)
            place = {f"event_{name}": getattr(event, name) for name in names[:4]}
            yield {**place, "subject": key[0], "kind": kind, "about": event.args[about] if about else ""}


def _versions() -> Iterator[dict[str, Any]]:
    assets = sa.table("assets", sa.column("asset_id"), sa.column("manifest_digest"), sa.column("holder"))
    papers = sa.table("documents", sa.column("digest"), sa.column("body"))
    query = sa.select(assets.c.asset_id, assets.c.holder, papers.c.body)
    query = query.join_from(assets, papers, papers.c.digest == assets.c.manifest_digest)
    for asset, holder, body in op.get_bind().execute(query):
        manifest = json.loads(body)
        if manifest.get("previous") is not None:
            first = asset_id(holder, manifest["series"])
            yield {"asset_id": asset, "previous": asset_id(holder, manifest["previous"]), "series": first}


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_versions_series"))
        batch_op.drop_index(batch_op.f("ix_versions_previous"))
    op.drop_table("versions")
    op.drop_table("identifiers")
