"""Rows of a Parquet or CSV file, batch by batch: memory is bounded by one batch whatever the file's size.

From CSV every column comes as text, so that nothing is guessed; from Parquet with the file's own types.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
from pyarrow import parquet

from marketplace.errors import InvalidInputError
from marketplace.queries.language.lexicon import choices
from marketplace.refusals.reasons import reason_of
from marketplace.words import Words

BATCH_ROWS = 65_536
_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True)
class Batch:
    """Rows `first_row` and following (the first data row of a file is 1), and how much of the file is read."""

    table: pa.RecordBatch
    first_row: int
    done: int
    total: int


def read_batches(path: Path, columns: Sequence[str], skip: int = 0) -> Iterator[Batch]:
    """The rows of a file in order.

    Args:
        path: ends in .parquet or .csv. columns: which to read. skip: rows to leave out at the beginning.
    Raises:
        InvalidInputError: `unknown_format`, `unreadable_file`, `missing_column`.
    """
    readers = {".parquet": _parquet, ".csv": _csv}
    if path.suffix not in readers:
        raise InvalidInputError(
            "unknown_format",
            f"cannot read {path.name}",
            zh=f"不支持的文件 {path.name}",
            expected=Words(".csv or .parquet", ".csv 或 .parquet"),
        )
    row = 1 + skip
    with _readable(path):
        for table, done, total in readers[path.suffix](path, columns, skip):
            yield Batch(table, row, done, total)
            row += table.num_rows


def _parquet(path: Path, columns: Sequence[str], skip: int) -> Iterator[tuple[pa.RecordBatch, int, int]]:
    with parquet.ParquetFile(path, buffer_size=_BLOCK_BYTES, pre_buffer=False) as file:
        _check_columns(file.schema_arrow.names, columns)
        groups, done = _groups_from(file.metadata, skip)
        for table in file.iter_batches(batch_size=BATCH_ROWS, columns=list(columns), row_groups=groups):
            left = table.slice(max(0, skip - done))
            done += table.num_rows
            if left.num_rows:
                yield left, done, file.metadata.num_rows


def _groups_from(metadata: parquet.FileMetaData, skip: int) -> tuple[list[int], int]:
    """The row groups that hold rows after the first `skip`, and how many rows stand before them."""
    before = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if before + rows > skip:
            return list(range(group, metadata.num_row_groups)), before
        before += rows
    return [], before


def _csv(path: Path, columns: Sequence[str], skip: int) -> Iterator[tuple[pa.RecordBatch, int, int]]:
    total = path.stat().st_size
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), check_utf8=True)
    with path.open("rb") as file:
        reader = arrow_csv.open_csv(file, arrow_csv.ReadOptions(block_size=_BLOCK_BYTES), convert_options=convert)
        _check_columns(reader.schema.names, columns)
        before = 0
        for table in reader:  # Arrow would skip lines, empty ones too; here rows count, so they are read and dropped
            left = table.select(list(columns)).slice(max(0, skip - before))
            before += table.num_rows
            if left.num_rows:
                yield left, min(file.tell(), total), total


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # a column's name is decoded outside of Arrow
        reason = " ".join(str(error).split())[:300]
        raise InvalidInputError(
            "unreadable_file",
            f"{path.name}: {reason}",
            zh=f"无法读取 {path.name}：{reason_of(error).zh}",
            got=reason,
            hint="a CSV file is UTF-8, its header line too",
            hint_zh="CSV 文件(含表头)须为 UTF-8 编码",
        ) from error


def _check_columns(names: Sequence[str], columns: Sequence[str]) -> None:
    counts: dict[str, Any] = {name: list(names).count(name) for name in columns}
    for name, count in counts.items():
        if count != 1:
            raise InvalidInputError(
                "missing_column",
                f"the file has {count} columns named {name}",
                zh=f"文件中名为 {name} 的列有 {count} 个",
                expected=name,
                got=choices(names),
            )
