"""Groups that are loaded only when they are used, so that `marketplace --help` starts nothing heavy.

A group's name and short help are known here; its module, named in a table, is imported when a command inside it is
run or its help is shown.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class Deferred(TyperCommand):
    """Stands in a list of commands for a module that has not been loaded.

    Args:
        name: the group's name.
        module: dotted name of a module with a typer app called `app`.
        short_help: one line.
    """

    def __init__(self, name: str, module: str, short_help: str) -> None:
        super().__init__(name, help=short_help, short_help=short_help)
        self.module = module

    def load(self) -> Any:
        """The real command."""
        loaded = typer.main.get_command(importlib.import_module(self.module).app)
        loaded.name = self.name
        return loaded


class LazyGroup(TyperGroup):
    """The root group; `table` maps a name to (module, short help)."""

    table: Mapping[str, tuple[str, str]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (module, short_help) in self.table.items():
            self.commands[name] = Deferred(name, module, short_help)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command to run, loading its module."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found.load() if isinstance(found, Deferred) else found, rest
