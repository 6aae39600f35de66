"""What a benchmark returns, how it is printed, and the stopwatch."""

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from rich.console import Console
from rich.table import Table as Grid


@dataclass(frozen=True)
class Table:
    """One table of results.

    Attributes:
        title: what was measured, with sizes.
        columns: headings, units included.
        rows: cells as they are printed.
        notes: versions, method, and anything a reader needs before quoting a number.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=list)


def show(table: Table, console: Console) -> None:
    """Prints a table and its notes."""
    console.print(table.title, style="bold")
    grid = Grid()
    for number, column in enumerate(table.columns):
        grid.add_column(column, justify="left" if number == 0 else "right")
    for row in table.rows:
        grid.add_row(*row)
    console.print(grid)
    for note in table.notes:
        console.print(f"  {note}", style="dim", soft_wrap=True)
    console.print()


def milliseconds(action: Callable[[], object], repeats: int) -> float:
    """Median wall time of one call, after one call that is not counted if there are several."""
    if repeats > 1:
        action()
    return statistics.median(_once(action) for _ in range(repeats))


def taking_turns(*actions: Callable[[], object], repeats: int) -> list[float]:
    """Median wall time of one call of each, one after the other, so that what else the machine does meets all alike."""
    times = [[_once(action) for action in actions] for _ in range(repeats + 1)]
    return [statistics.median(column) for column in zip(*times[1:], strict=True)]


def _once(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def versions(*packages: str) -> str:
    """Interpreter, machine and the versions of the named packages, for a table's notes."""
    parts = [f"{package} {version(package)}" for package in packages]
    return ", ".join([f"Python {platform.python_version()}", platform.machine(), *parts])
