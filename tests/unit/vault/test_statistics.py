"""Every column of the cells form, and every true count, is what plain Python finds; and nothing can wrap."""

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.seal.cells import decrypt_chunk
from marketplace.documents import column_chunks, column_names
from marketplace.errors import InvalidInputError
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.totals import totals_by_cell
from tests.sealed_market import NOW, SCHEMA, Row, keys, make_rows, open_market, write_csv

HOLDER = keys("supplier").address
FULL: dict[str, Any] = {
    **SCHEMA,
    "dimensions": [SCHEMA["dimensions"][0], {**SCHEMA["dimensions"][1], "hidden": True}, SCHEMA["dimensions"][2]],
    "measures": [{**SCHEMA["measures"][0], "bins": [-10, 0, 30]}, SCHEMA["measures"][1]],
    "joints": [{"measures": ["fare", "delay"]}],
}
ORIGINS, CARRIERS, MONTHS = (item["categories"] for item in SCHEMA["dimensions"])


def seal(home: Path, schema: dict[str, Any], rows: list[Row]) -> Dataset:
    folder = VaultFolder(home / "vault", Cipher(b"\x07" * 32))
    path = write_csv(home / "rows.csv", rows)
    return seal_file(path, parse_schema(schema), folder, holder=HOLDER, release_key=HOLDER, now=NOW)


def opened(dataset: Dataset, name: str) -> list[int]:
    chunks = column_chunks(dataset.manifest["batches"][0], 0, name)
    return [int(v) for chunk in chunks for v in decrypt_chunk(dataset.whole_ring[0], dataset.blob(chunk["blob"]))]


def value(row: Row, measure: str) -> int | None:
    text = row[measure]
    return None if text == "NA" else round(float(text) * (100 if measure == "fare" else 1))


def contribution(name: str, row: Row) -> int:
    """What one row adds to a column."""
    kind, *names = name.split(":")
    delay = value(row, "delay")
    if kind in ("n@0", "sum@0", "cross@0"):
        found = [value(row, item) or 0 for item in names]
        return 0 if delay is None else int(np.prod(found, dtype=np.int64))
    if kind == "bin":
        edges = [float("-inf"), -10, 0, 30, float("inf")]
        return int(delay is not None and edges[int(names[1])] <= delay < edges[int(names[1]) + 1])
    if kind == "rows":
        return 1
    found_one = value(row, names[0])
    return 0 if found_one is None else found_one ** {"n": 0, "sum": 1, "sumsq": 2}[kind]


def by_cell(rows: list[Row], lists: dict[str, list[str]], measure: Callable[[Row], int]) -> list[int]:
    totals = dict.fromkeys(itertools.product(*lists.values()), 0)
    for row in rows:
        totals[tuple(row[name] for name in lists)] += measure(row)
    return list(totals.values())


def test_every_column_holds_the_total_of_each_public_cell(tmp_path: Path) -> None:
    rows = make_rows()
    dataset = seal(tmp_path, FULL, rows)
    names = column_names(dataset.manifest)
    assert len(names) == 1 + 3 + 4 + 3 + 1 + 2 + 3
    for name in names:
        expected = by_cell(rows, {"origin": ORIGINS, "month": MONTHS}, partial(contribution, name))
        assert opened(dataset, name) == expected, name


def test_true_counts_are_kept_for_each_logical_cell_hidden_dimension_included(tmp_path: Path) -> None:
    rows = make_rows()
    counts = seal(tmp_path, FULL, rows).counts
    lists = {"origin": ORIGINS, "carrier": CARRIERS, "month": MONTHS}
    found = {"rows": counts.rows, **counts.present}
    for name, column in {"rows": "rows", "delay": "n:delay", "fare": "n:fare", "@0": "n@0"}.items():
        expected = by_cell(rows, lists, partial(contribution, column))
        assert found[name].tolist() == expected, name


def test_running_totals_along_the_declared_dimension(tmp_path: Path) -> None:
    rows = make_rows()
    dataset = seal(tmp_path, FULL | {"prefix": "month"}, rows)
    plain = np.array(by_cell(rows, {"origin": ORIGINS, "month": MONTHS}, partial(contribution, "sum:fare")))
    assert opened(dataset, "sum:fare") == np.cumsum(plain.reshape(3, 4), axis=1).reshape(-1).tolist()


@pytest.mark.parametrize("change", [{}, {"prefix": "month"}, {"prefix": "month", "dimensions": FULL["dimensions"]}])
@pytest.mark.parametrize("where", ["month BETWEEN 2 AND 3", "origin = 'JFK' AND month IN ('1', '3', '4')"])
def test_queries_on_running_totals_and_beside_a_hidden_dimension_give_the_truth(
    tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    market = open_market(tmp_path, schema=SCHEMA | change)
    answer = market.ask(market.order(cap=4_000_000_000), f"SELECT COUNT(*) FROM f WHERE {where}", epsilon=5_000_000)
    assert not isinstance(answer, dict)
    months = ("2", "3") if where.startswith("month") else ("1", "3", "4")
    origins = ORIGINS if where.startswith("month") else ["JFK"]
    truth = sum(row["month"] in months and row["origin"] in origins for row in market.rows)
    assert answer.rows()[0]["count"] == pytest.approx(truth, abs=12)


def test_a_filter_on_a_hidden_dimension_is_refused_by_the_cells_form(tmp_path: Path) -> None:
    market = open_market(tmp_path, schema=FULL)
    query = market.query(market.order(), "SELECT COUNT(*) FROM f WHERE carrier = 'AA'")
    with pytest.raises(Exception, match="hidden dimension"):
        market.evaluate(query)


@pytest.mark.parametrize(
    ("measures", "joints", "fits"),
    [
        ([2**24, 2**24], [["a", "b"]], True),
        ([1, 2**25], [], False),
        ([2**25, 1], [["a", "b"]], False),
    ],
)
def test_bounds_are_refused_where_any_column_could_wrap(
    tmp_path: Path, measures: list[int], joints: list[list[str]], fits: bool
) -> None:
    """200 rows times the square of a bound must stay below 2^57; a cross product is never above the larger square."""
    schema = {
        "title": SCHEMA["title"],
        "dimensions": [{"name": "d"}],
        "measures": [
            {"name": name, "unit": "u", "scale": 0, "low": -largest, "high": 0}
            for name, largest in zip("ab", measures, strict=True)
        ],
        "joints": [{"measures": joint} for joint in joints],
    }
    rows = [{"d": "x", "a": "0", "b": "0"}] * 200
    if fits:
        assert opened(seal(tmp_path, schema, rows), "rows") == [200]
        return
    with pytest.raises(InvalidInputError) as caught:
        seal(tmp_path, schema, rows)
    assert caught.value.code == "bounds_too_wide"


@pytest.mark.parametrize("largest", [1, 2**40, 2**57 - 1])
def test_totals_are_exact_whatever_the_size_of_the_values(largest: int) -> None:
    generator = np.random.default_rng(5)
    values = generator.integers(-largest, largest, 5000, endpoint=True) // 5000
    cells = generator.integers(0, 7, 5000)
    expected = [sum(int(v) for v, c in zip(values, cells, strict=True) if c == cell) for cell in range(7)]
    assert totals_by_cell(cells, values, 7, largest // 5000 + 1).tolist() == expected
