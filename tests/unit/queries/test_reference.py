"""The reference page says what the parser reads."""

import re
from pathlib import Path

from marketplace.documents import COMPUTATIONS
from marketplace.queries.language.query import Query
from marketplace.queries.language.sql import parse_sql
from tests.plain_data import dimension, make_manifest, measure

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "queries.md").read_text(encoding="utf-8")
MANIFEST = make_manifest(
    [dimension(name, "cat", "cat2") for name in ("d", "d1", "d2")],
    [measure(name, 0, 9) for name in ("m", "a", "b", "y", "x1", "x2")],
)


def rows() -> dict[str, list[str]]:
    """Computation to its spellings, whole ones only."""
    found = {}
    for line in PAGE.splitlines():
        if match := re.match(r"\| ([A-Z]+) \| (`.*?`) \|", line):
            found[match[1]] = [text for text in re.findall("`(.*?)`", match[2]) if "…" not in text]
    return found


def test_every_computation_stands_in_the_reference_as_the_parser_reads_it() -> None:
    assert set(rows()) == set(COMPUTATIONS)
    for op, spellings in rows().items():
        for text in spellings:
            assert [term.op for term in parse_sql(f"SELECT {text} FROM t", MANIFEST).terms] == [op], text


def test_the_python_example_is_a_query() -> None:
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    names: dict[str, object] = {}
    exec(example[1], names)
    query = names["query"]
    assert isinstance(query, Query)
    assert [term.op for term in query.terms] == ["COUNT", "MEAN", "OLS", "SCORE"]
    assert query.groups == ("origin", "carrier")
