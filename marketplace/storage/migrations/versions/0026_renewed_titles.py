"""The first titles of a renewed registration end when it does, as the contract shows them.

Revision ID: 0026
Follows: 0030
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0030"
branch_labels = None
depends_on = None

_ZERO = "0x" + "00" * 32
_EVENTS = sa.table(
    "ledger_event",
    *map(sa.column, ("block", "block_hash", "log_index", "intent", "name", "about")),
    sa.column("args", sa.JSON),
)
_TITLES = sa.table(
    "titles",
    *map(sa.column, ("asset_id", "parent", "order_id", "valid_until")),
    *map(sa.column, ("event_block", "event_block_hash", "event_log_index", "event_intent")),
)
_ROOT = (_TITLES.c.parent == _ZERO) & (_TITLES.c.order_id == _ZERO)


def upgrade() -> None:
    """Apply. A row remembers the event of its last change: the renewal, unless something came after it."""
    link = op.get_bind()
    for event in list(_renewals(link)):
        ours = _ROOT & (_TITLES.c.asset_id == event.about)
        link.execute(_TITLES.update().where(ours).values(valid_until=event.args["validUntil"]))
        before = (_TITLES.c.event_block < event.block) | (
            (_TITLES.c.event_block == event.block) & (_TITLES.c.event_log_index < event.log_index)
        )
        place = {"event_block": event.block, "event_block_hash": event.block_hash}
        place |= {"event_log_index": event.log_index, "event_intent": event.intent}
        link.execute(_TITLES.update().where(ours & before).values(place))


def downgrade() -> None:
    """Nothing: a program of before makes its rows again with `marketplace ledger rebuild`."""


def _renewals(link: sa.Connection) -> Iterator[Any]:
    """Events that gave a confirmed registration another end, in their order."""
    confirmed = sa.select(_EVENTS).where(_EVENTS.c.name == "Confirmed")
    ends: dict[str, int] = {}
    for event in link.execute(confirmed.order_by(_EVENTS.c.block, _EVENTS.c.log_index)):
        until = event.args.get("validUntil", 0)
        if ends.setdefault(event.about, until) != until:
            yield event
        ends[event.about] = until
