"""The small market of sealed_market.py with a hidden dimension, sealed as cells and as products."""

from pathlib import Path
from typing import Any

from tests.sealed_market import SCHEMA, Market, Row, make_rows, open_market

FORMS = ["cells", "products"]
HIDDEN: dict[str, Any] = SCHEMA | {
    "forms": FORMS,
    "dimensions": [SCHEMA["dimensions"][0], {**SCHEMA["dimensions"][1], "hidden": True}, SCHEMA["dimensions"][2]],
}
RARE = 6


def hidden_rows(count: int = 480) -> list[Row]:
    """Rows of which every public cell has those of AA and B6; HA has 6, all of JFK in the second month."""
    rows = make_rows(count)
    for index, row in enumerate(rows):
        row["origin"], row["month"] = ("EWR", "JFK", "LGA")[index % 3], str(index // 3 % 4 + 1)
        row["carrier"] = ("AA", "B6")[index // 12 % 2]
    rare = [row for row in rows if (row["origin"], row["month"]) == ("JFK", "2")][:RARE]
    for row in rare:
        row["carrier"] = "HA"
    return rows


def open_hidden_market(home: Path, rows: list[Row] | None = None, **changes: Any) -> Market:
    """As `open_market`; `changes` go into the schema."""
    return open_market(home, HIDDEN | changes, rows or hidden_rows())


def total(rows: list[Row], measure: str) -> int:
    """The sum of a measure's integers over the rows that have it."""
    scale = {"delay": 1, "fare": 100}[measure]
    return sum(round(float(row[measure]) * scale) for row in rows if row[measure] != "NA")
