"""What the demonstration prints: numbered steps in English and Chinese, a few lines of true output each.

In colour where there is a terminal.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


class Narrator:
    """Prints, and keeps the time."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()
        self._step = 0

    def step(self, en: str, zh: str) -> None:
        """Begin the next numbered step."""
        self._step += 1
        seconds = time.monotonic() - self._began
        head = Text(f"\n{self._step:2d}. {en} ", style="bold cyan") + Text(zh, style="cyan")
        self.console.print(head + Text(f"  [{seconds:.0f} s]", style="dim"))

    def line(self, text: str, style: str = "") -> None:
        """One line of output under the step."""
        self.console.print(Text(f"    {text}", style=style))

    def refusal(self, asked: str, error: Mapping[str, Any]) -> None:
        """A refusal as its reader sees it: code, rule, and what would be allowed."""
        self.line(f"{asked}")
        self.line(f"✗ {error['code']}: {error['message']}", "red")
        for name in ("rule", "expected", "got", "hint"):
            if error.get(name) not in (None, ""):
                self.line(f"  {name}: {error[name]}", "dim")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A small table under the step; all columns but the first are numbers."""
        table = Table(box=None, padding=(0, 2), pad_edge=False)
        for index, heading in enumerate(headings):
            table.add_column(heading, justify="left" if index == 0 else "right", header_style="dim")
        for row in rows:
            table.add_row(*row)
        self.console.print(_indented(table))

    def verdict(self, good: bool, text: str) -> None:
        """The last word."""
        self.console.print(Text(f"\n    {text}", style="bold green" if good else "bold red"))

    @property
    def seconds(self) -> float:
        """Seconds since the first line."""
        return time.monotonic() - self._began


def _indented(table: Table) -> Padding:
    return Padding(table, (0, 0, 0, 4))


def yuan(fen: int) -> str:
    """Minor units as yuan."""
    return f"{fen / 100:,.2f}"


def short(digest: str) -> str:
    """The beginning of a digest."""
    return f"{digest[:14]}…"


def epsilon(micro: int) -> str:
    """Millionths of epsilon as a short number."""
    return f"{micro / 1_000_000:g}"
