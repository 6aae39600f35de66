"""The analyst's notebook runs as it stands, in a kernel of its own, against a market of real processes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[3]
STORED = ROOT / "docs" / "examples" / "analyst.ipynb"


@pytest.mark.timeout(600)
def test_every_cell_of_the_notebook_runs(tmp_path: Path) -> None:
    executed = tmp_path / "analyst.ipynb"
    # A process of its own: the client of notebooks leaves sockets to the garbage collector, which fails a test here.
    command = [sys.executable, "-m", "scripts.demonstration.notebook", "--into", str(executed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    told = _told(nbformat.read(executed, as_version=4))  # type: ignore[no-untyped-call]
    assert "the same answer: True; epsilon spent on it: 0.0" in told
    assert "computation_not_permitted" in told
    assert "cohort_too_small" in told
    assert "(('AS',), ('OO',))" in told
    assert "ols_arr_delay_on_dep_delay_distance" in told
    assert "this order              2.5  1.75  0.75    pure" in told
    assert "data set, all buyers      4  1.75  2.25    pure" in told


def test_the_stored_notebook_shows_a_run_of_every_cell_without_an_error() -> None:
    stored = nbformat.read(STORED, as_version=4)  # type: ignore[no-untyped-call]
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert sum("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs) == 2


def _told(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(str(output.get("text") or output.get("data", {}).get("text/plain", "")) for output in outputs)
