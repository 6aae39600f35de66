"""The seller's table: the same rows from every format, lookups, filters, pages; and the limits of calls."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest
from pyarrow import feather, parquet

from marketplace.api.metering import meter_of
from marketplace.errors import ConfigurationError, InvalidInputError
from marketplace.gateway.limits import LaterError, Rate, require_quota
from marketplace.gateway.table import Table, read_table
from tests.calls import OPERATIONS, START, delivery, record, terms
from tests.plans import plan

FLIGHT, LATE = OPERATIONS
ROWS = pa.table(
    {
        "id": ["007", "008", "007", None],
        "origin": ["EWR", "JFK", "JFK", "LGA"],
        "delay": [5, -3, 40, 12],
        "fare": [Decimal("1.20"), Decimal("2.00"), None, Decimal("3.10")],
    }
)


def where(column: str, test: str, value: str) -> dict[str, str]:
    return {"column": column, "test": test, "value": value}


def write(path: Path) -> Path:
    if path.suffix == ".parquet":
        parquet.write_table(ROWS, path)
    elif path.suffix == ".arrow":
        feather.write_feather(ROWS, path)
    else:
        arrow_csv.write_csv(ROWS, path)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".csv"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    table = read_table(write(tmp_path / f"rows{suffix}"), OPERATIONS)
    assert len(table) == 4
    assert table.find(FLIGHT, [where("id", "EQ", "007")], 0, 10).rows == [["EWR", 5], ["JFK", 40]]
    late = [where("delay", "GE", "5"), where("delay", "LE", "12")]
    assert table.find(LATE, late, 0, 10).rows == [["EWR", 5], ["LGA", 12]]


def test_pages_and_misses() -> None:
    table = Table(ROWS, OPERATIONS)
    first = table.find(LATE, [], 0, 3)
    assert (len(first.rows), first.more) == (3, True)
    rest = table.find(LATE, [], 3, 3)
    assert (len(rest.rows), rest.more) == (1, False)
    one = table.find(FLIGHT, [where("id", "EQ", "007")], 0, 1)
    assert (len(one.rows), one.more) == (1, True)
    assert table.find(FLIGHT, [where("id", "EQ", "none")], 0, 1).rows == []
    assert table.find(FLIGHT, [where("id", "EQ", "None")], 0, 1).rows == [], "a missing key is nobody's"


def test_an_answer_is_no_larger_than_the_terms_say() -> None:
    table = Table(ROWS, [{**LATE, "most": 2}])
    assert len(table.find({**LATE, "most": 2}, [], 0, 1_000).rows) == 2


def test_values_that_json_lacks_are_text() -> None:
    operation = {**LATE, "columns": ["fare"]}
    assert Table(ROWS, [operation]).find(operation, [], 0, 10).rows == [["1.20"], ["2.00"], [None], ["3.10"]]
    odd = pa.table({"origin": ["a"], "delay": [float("nan")]})
    assert Table(odd, [LATE]).find(LATE, [], 0, 1).rows == [["a", None]]


def test_values_fit_their_columns() -> None:
    with pytest.raises(InvalidInputError) as caught:
        Table(ROWS, OPERATIONS).find(LATE, [where("delay", "GE", "late")], 0, 1)
    assert caught.value.code == "call_value"


@pytest.mark.parametrize(("content", "code"), [("origin\nEWR\n", "table_lacks_column"), ("", "table_unreadable")])
def test_a_table_that_cannot_be_served(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_table(path, OPERATIONS)
    assert caught.value.code == code


def test_a_rate_is_of_any_second() -> None:
    rate = Rate(2)
    for now in (0.0, 0.9):
        rate.take(now)
    with pytest.raises(LaterError) as later:
        rate.take(0.95)
    assert (later.value.refusal.code, later.value.seconds) == ("call_rate", 1)
    rate.take(1.0)


def test_a_quota_counts_answered_calls_of_the_period() -> None:
    offer = terms(plan("FREE_TRIAL", calls=100), quota=2)
    records: list[dict[str, Any]] = [record(1), record(2, outcome="ERROR")]
    require_quota(meter_of(offer, records), offer["delivery"], START + 3)
    full = meter_of(offer, [*records, record(3, outcome="MISS")])
    with pytest.raises(LaterError) as later:
        require_quota(full, offer["delivery"], START + 4)
    assert later.value.refusal.code == "call_quota"
    assert 0 < later.value.seconds <= 31 * 86_400
    require_quota(full, offer["delivery"], START + 40 * 86_400)
    require_quota(full, delivery(), START + 4)
