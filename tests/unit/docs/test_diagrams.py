"""State diagrams are drawn from state tables, whatever form the table has, and by nothing else."""

import re
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from scripts.documentation import diagrams

ROOT = Path(__file__).resolve().parents[3]


class Light(IntEnum):
    NONE = 0
    RED = 1
    GREEN = 2
    BROKEN = 3


NONE, RED, GREEN, BROKEN = Light
TABLES: list[tuple[Any, str]] = [
    ({NONE: RED, RED: GREEN, GREEN: BROKEN}, "turn"),
    ({NONE: {RED}, RED: (GREEN,), GREEN: frozenset({BROKEN})}, "turn"),
    (frozenset({(GREEN, BROKEN), (RED, GREEN), (NONE, RED)}), "turn"),
    ({"turn": {NONE: RED, RED: {GREEN}, GREEN: BROKEN}}, ""),
    ({"turn": ((NONE, RED), (RED, GREEN), (GREEN, BROKEN))}, ""),
    ({(NONE, "turn"): RED, (RED, "turn"): GREEN, (GREEN, "turn"): {BROKEN}}, ""),
    (((NONE, "turn", RED), (RED, "turn", GREEN), (GREEN, "turn", BROKEN)), ""),
]


@pytest.mark.parametrize(("table", "verb"), TABLES)
def test_every_form_of_a_table_gives_the_same_diagram(table: Any, verb: str) -> None:
    assert diagrams.diagram(list(diagrams.steps_of(table, verb))).splitlines() == [
        "```mermaid",
        "stateDiagram-v2",
        "  [*] --> RED : turn",
        "  RED --> GREEN : turn",
        "  GREEN --> BROKEN : turn",
        "  BROKEN --> [*]",
        "```",
    ]


def test_two_verbs_between_the_same_states_share_an_arrow() -> None:
    drawing = diagrams.diagram(list(diagrams.steps_of({"wait": {RED: {GREEN, RED}}, "force": {RED: GREEN}})))
    assert "  RED --> GREEN : wait, force" in drawing
    assert "  RED --> RED : wait" in drawing


def test_a_marker_is_filled_and_the_rest_of_the_page_kept() -> None:
    page = "before\n<!-- states: orders.STATES -->\nold\n<!-- end states -->\nafter\n"
    filled = diagrams.drawn(page)
    assert filled.startswith("before\n<!-- states: orders.STATES -->\n\n```mermaid\n")
    assert filled.endswith("```\n\n<!-- end states -->\nafter\n")
    assert "old" not in filled
    assert "FUNDED --> SETTLED : settle" in filled
    assert diagrams.drawn(filled) == filled


@pytest.mark.parametrize(
    "page", ["<!-- states: orders.STATES -->\n", "<!-- states: orders.NO_SUCH -->\n<!-- end states -->"]
)
def test_a_marker_without_end_or_table_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match="state"):
        diagrams.drawn(page)


def test_no_state_diagram_is_drawn_by_hand() -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        text = path.read_text("utf-8")
        by_hand = re.sub(diagrams.MARKER, "", text)
        assert "stateDiagram" not in by_hand, f"{path.name}: use a marker, see scripts/documentation/diagrams.py"
