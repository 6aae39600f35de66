"""The truth, computed by the supplier from its own rows, to stand beside each answer.

In the demonstration and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

_NULLS = pyarrow.csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
_AGGREGATES = {
    "count": ([], "count_all", None),
    "count_arr_delay": ("arr_delay", "count", None),
    "sum_distance": ("distance", "sum", None),
    "mean_arr_delay": ("arr_delay", "mean", None),
    "variance_dep_delay": ("dep_delay", "variance", pc.VarianceOptions(ddof=0)),
}


@dataclass(frozen=True)
class Question:
    """A question as the buyer writes it, and the same question to the plaintext.

    Args:
        sql: what the buyer asks. epsilon: what it spends.
        rows: the same WHERE as an Arrow expression; None for all rows.
        groups: the same GROUP BY. columns: the answer's columns that it computes.
    """

    sql: str
    epsilon: str
    rows: Any
    groups: Sequence[str]
    columns: Sequence[str]


class Truth:
    """The plaintext of the supplier.

    Args:
        path: flights.csv.
    """

    def __init__(self, path: Path) -> None:
        self._table: pa.Table = pyarrow.csv.read_csv(path, convert_options=_NULLS)

    def compare(self, question: Question, answer: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
        """Headings and rows of a table: each number with its standard error, and the truth beside it."""
        exact = self._exact(question)
        headings = [" ".join(question.groups) or "all", *(f"{name} ± s.e. | true" for name in question.columns)]
        rows = []
        for row in answer["rows"]:
            group = tuple(str(row[name]) for name in question.groups)
            cells = [
                f"{_short(row[name])} ± {_short(row[name + '_se'])} | {_short(exact[group][name])}"
                for name in question.columns
            ]
            rows.append([" ".join(group) or "–", *cells])
        return headings, rows

    def compare_regression(
        self, coefficients: Sequence[Mapping[str, Any]], target: str, regressors: Sequence[str]
    ) -> tuple[list[str], list[list[str]]]:
        """As `compare`, for the coefficients of a regression over the rows where all its measures are present."""
        complete = self._table.select([target, *regressors]).drop_null()
        columns = [complete[name].to_numpy().astype(np.float64) for name in regressors]
        design = np.column_stack([np.ones(complete.num_rows), *columns])
        exact = np.linalg.lstsq(design, complete[target].to_numpy().astype(np.float64))[0]
        rows = [
            [row["term"], f"{_small(row['coefficient'])} ± {_small(row['coefficient_se'])} | {_small(true)}"]
            for row, true in zip(coefficients, exact, strict=True)
        ]
        return [f"{target} on", "coefficient ± s.e. | true"], rows

    def _exact(self, question: Question) -> dict[tuple[str, ...], dict[str, float]]:
        chosen = self._table if question.rows is None else self._table.filter(question.rows)
        wanted = [_AGGREGATES[name] for name in question.columns]
        found = chosen.group_by(list(question.groups)).aggregate(wanted)
        keys = {name: _result_name(name) for name in question.columns}
        return {
            tuple(str(row[name]) for name in question.groups): {name: row[keys[name]] for name in question.columns}
            for row in found.to_pylist()
        }


def _result_name(name: str) -> str:
    column, function, _options = _AGGREGATES[name]
    return "count_all" if function == "count_all" else f"{column}_{function}"


def _small(value: float | None) -> str:
    """A coefficient; noise may leave nothing to say of it, or of its error (`queries/answers/regression.py`)."""
    return "unknown" if value is None else f"{value:.4f}"


def _short(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
