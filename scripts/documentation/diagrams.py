"""State diagrams, drawn from the state tables in rules.py into the pages that ask for them.

A page asks with a marker, and the drawing stands between it and its end:

    <!-- states: participants.STATES mark=rights.MARKS -->
    <!-- end states -->

A table is named as `stage.TABLE` (found in marketplace/<stage>/rules.py), or by its module below `marketplace`, as
`module.TABLE` or `stage.module.TABLE`. `verb=` in front names the verb that makes all its transitions.
Forms of a table:

    {before: after}                  {before: {after, …}}                {(before, after), …}
    {verb: any of these three}       {(before, verb): after or {after, …}}        {(before, verb, after), …}

States are members of an Enum; the member named NONE is where nothing is yet. A state without a way out is final.
"""

import importlib
import re
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

MARKER = re.compile(r"(<!-- states: ([^>]+?) -->\n).*?(<!-- end states -->)", re.DOTALL)
Step = tuple[Enum, Enum, str]  # before, after, verb


def pages(root: Path) -> dict[Path, str]:
    """Every page under `root` that has a marker, with its diagrams as the tables say now."""
    found = (
        path
        for part in ("docs", "contracts")
        for path in (root / part).rglob("*.md")
        if "node_modules" not in path.parts
    )
    return {path: drawn(text) for path in sorted(found) if "<!-- states:" in (text := path.read_text("utf-8"))}


def drawn(text: str) -> str:
    """`text` with a fresh diagram behind every marker.

    Raises:
        ValueError: a marker has no end, or names no table.
    """
    if text.count("<!-- states:") != len(MARKER.findall(text)):
        raise ValueError("a marker <!-- states: … --> without its <!-- end states -->")
    return MARKER.sub(lambda match: f"{match[1]}\n{diagram(steps_named(match[2]))}\n\n{match[3]}", text)


def steps_named(references: str) -> list[Step]:
    """The transitions of all tables that a marker names."""
    steps = []
    for reference in references.split():
        verb, _, name = reference.rpartition("=")
        steps += list(steps_of(table_named(name), verb))
    return steps


def table_named(name: str) -> Any:
    """The state table behind `stage.TABLE`, `module.TABLE` or `stage.module.TABLE`.

    Raises:
        ValueError: there is no such table.
    """
    place, _, attribute = name.rpartition(".")
    try:
        found = importlib.import_module(f"marketplace.{place}")
        module = importlib.import_module(f"marketplace.{place}.rules") if hasattr(found, "__path__") else found
        return getattr(module, attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"no state table {name}: {error}") from error


def steps_of(table: Any, verb: str = "") -> Iterator[Step]:
    """The transitions in a table of any of the forms above."""
    for key, value in table.items() if isinstance(table, Mapping) else ((key, None) for key in table):
        if isinstance(key, str):
            yield from steps_of(value, key)
        elif isinstance(key, Enum):
            yield from ((key, after, verb) for after in _each(value))
        elif value is not None:
            before, own = key
            yield from ((before, after, own) for after in _each(value))
        else:
            before, *own, after = key
            yield before, after, own[0] if own else verb


def _each(after: Any) -> list[Any]:
    return (
        [after] if isinstance(after, Enum) else sorted(after, key=_place) if isinstance(after, Collection) else [after]
    )


def _place(state: Enum) -> int:
    return list(type(state)).index(state)


def diagram(steps: Collection[Step]) -> str:
    """The steps as a mermaid state diagram, in the order of their states."""
    verbs: dict[tuple[Enum, Enum], list[str]] = {}
    for before, after, verb in sorted(steps, key=lambda step: (_place(step[0]), _place(step[1]))):
        verbs.setdefault((before, after), []).append(verb)
    befores = {before for before, _ in verbs}
    lines = ["```mermaid", "stateDiagram-v2"]
    for (before, after), names in verbs.items():
        words = [name.name.lower() if isinstance(name, Enum) else name for name in names]
        label = ", ".join(dict.fromkeys(word for word in words if word))
        lines.append(f"  {_shown(before)} --> {_shown(after)}" + (f" : {label}" if label else ""))
    ends = dict.fromkeys(after for _, after in verbs if after not in befores)
    return "\n".join([*lines, *(f"  {_shown(end)} --> [*]" for end in ends), "```"])


def _shown(state: Enum) -> str:
    return "[*]" if state.name == "NONE" else state.name
