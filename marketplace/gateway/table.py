"""The seller's table, held in memory: lookups by key and filtered pages, of the columns that the operations name."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from pyarrow import feather, parquet

from marketplace.errors import ConfigurationError, InvalidInputError

Operation = Mapping[str, Any]
_TESTS = {"EQ": pc.equal, "GE": pc.greater_equal, "LE": pc.less_equal}


@dataclass(frozen=True)
class Found:
    """Rows as plain values, and whether there are more behind them."""

    columns: list[str]
    rows: list[list[Any]]
    more: bool


class Table:
    """A table with an index for every lookup.

    Args:
        data: the rows. operations: those that the terms declare.
    Raises:
        ConfigurationError: `table_lacks_column`.
    """

    def __init__(self, data: pa.Table, operations: Sequence[Operation]) -> None:
        self._data = data
        self._indexes: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}
        for operation in operations:
            _check_columns(data.column_names, operation)
            if operation["keys"]:
                keys = tuple(operation["keys"])
                self._indexes[keys] = _index([data.column(name).to_pylist() for name in keys])

    def __len__(self) -> int:
        return int(self._data.num_rows)

    def find(self, operation: Operation, where: Sequence[Mapping[str, str]], offset: int, limit: int) -> Found:
        """The rows that a call asks for.

        Args:
            where: the call's conditions, which fit the operation.
        Raises:
            InvalidInputError: `call_value`: a value is not of its column's type.
        """
        most, names = min(limit, operation["most"]), list(operation["columns"])
        if operation["kind"] == "LOOKUP":
            values = {item["column"]: item["value"] for item in where}
            places = self._indexes[tuple(operation["keys"])].get(tuple(values[name] for name in operation["keys"]), [])
            chosen = self._data.select(names).take(pa.array(places[offset : offset + most], pa.int64()))
            return Found(names, _plain_rows(chosen), len(places) > offset + most)
        rows = self._data
        for item in where:
            column = rows.column(item["column"])
            rows = rows.filter(_TESTS[item["test"]](column, _scalar(item, column.type)))
        return Found(names, _plain_rows(rows.select(names).slice(offset, most)), rows.num_rows > offset + most)


def read_table(path: Path, operations: Sequence[Operation]) -> Table:
    """The table of a Parquet, Arrow (Feather) or CSV file; keys of lookups are read as text from CSV.

    Raises:
        ConfigurationError: `table_unreadable`, `table_lacks_column`.
    """
    keys = {name for operation in operations for name in operation["keys"]}
    try:
        if path.suffix == ".parquet":
            data = parquet.read_table(path)
        elif path.suffix in (".arrow", ".feather"):
            data = feather.read_table(path)
        else:
            convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(keys, pa.string()))
            data = arrow_csv.read_csv(path, convert_options=convert)
    except (pa.ArrowException, OSError) as error:
        raise ConfigurationError(
            "table_unreadable",
            f"{path.name}: {error}",
            zh=f"无法读取数据表 {path.name}",
            hint="give a Parquet, Arrow or CSV file with a header",
            hint_zh="请提供 Parquet、Arrow 或带表头的 CSV 文件",
        ) from error
    return Table(data, operations)


def _check_columns(names: Sequence[str], operation: Operation) -> None:
    wanted = [*operation["keys"], *operation["columns"], *(item["column"] for item in operation["filters"])]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ConfigurationError(
            "table_lacks_column",
            f"the table has no column {missing[0]}, which operation {operation['name']} needs",
            zh=f"数据表缺少操作 {operation['name']} 所需字段 {missing[0]}",
            expected=missing[0],
            got=", ".join(names)[:200],
            hint="serve the table that the listing describes",
            hint_zh="请使用挂牌所述的数据表",
        )


def _index(columns: Sequence[Sequence[Any]]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, values in enumerate(zip(*columns, strict=True)):
        if None not in values:
            found[tuple(str(_plain(value)) for value in values)].append(place)
    return dict(found)


def _scalar(condition: Mapping[str, str], kind: pa.DataType) -> pa.Scalar:
    try:
        return pa.scalar(condition["value"]).cast(kind)
    except pa.ArrowException as error:
        raise InvalidInputError(
            "call_value",
            f"{condition['value']!r} is no value of the column {condition['column']}",
            zh=f"{condition['value']!r} 不是字段 {condition['column']} 的有效值",
            rule="api.values_fit_their_columns",
            expected=str(kind),
            got=condition["value"],
        ) from error


def _plain_rows(table: pa.Table) -> list[list[Any]]:
    columns = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _plain(value: Any) -> Any:
    """A value that JSON has: decimals, times and bytes as text, nothing for what is no number."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return None
    return str(value) if isinstance(value, Decimal) else value.hex() if isinstance(value, bytes) else value
