"""Alembic's entry: it runs on the connection that `marketplace.storage.migrate` hands over, never on one of its own."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from marketplace.storage.metadata import metadata
from marketplace.storage.types import PackedJson, UtcDateTime


def _render(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Our column types by their own name, so that a migration reads like the table."""
    if kind == "type" and isinstance(item, PackedJson | UtcDateTime):
        name = type(item).__name__
        autogen_context.imports.add(f"from marketplace.storage.types import {name}")
        return f"{name}()"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=_render,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
