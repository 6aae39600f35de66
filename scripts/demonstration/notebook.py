"""Runs the analyst's notebook against a market of its own: every party a process, the notebook's kernel the buyer's.

python -m scripts.demonstration.notebook              writes the outputs into docs/examples/analyst.ipynb
python -m scripts.demonstration.notebook --into FILE  writes them elsewhere; a test does
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat

from scripts.demonstration import acts, flights
from scripts.demonstration.cast import Cast, gather
from scripts.demonstration.narration import Narrator

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "examples" / "analyst.ipynb"
CELL_SECONDS = 180
COMPUTATIONS = ("COUNT", "SUM", "MEAN", "STDDEV", "HISTOGRAM", "QUANTILE", "CORRELATION", "OLS")


def main() -> int:
    """Open a market, run the notebook in it, write it with its outputs; 1 where a cell fails."""
    parser = argparse.ArgumentParser(description="Run the analyst's notebook against a market of its own.")
    parser.add_argument("--into", type=Path, default=NOTEBOOK, help="where the executed notebook goes")
    target = parser.parse_args().into
    say = Narrator()
    with tempfile.TemporaryDirectory(prefix="marketplace-notebook-") as folder:
        cast = gather(Path(folder))
        try:
            _open(say, cast, Path(folder))
            say.step("The analyst's notebook runs", "运行分析师笔记本")
            executed = execute(NOTEBOOK, cast["buyer"].environment())
        finally:
            cast.stop()
    nbformat.write(executed, target)  # type: ignore[no-untyped-call]
    say.line(f"written to {target.name}")
    return 0


def execute(path: Path, environment: dict[str, str]) -> Any:
    """The notebook with the outputs of a run in a fresh kernel that has this environment.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    foreign = [name for name in os.environ if name.startswith("MARKETPLACE_")]
    for name in foreign:
        del os.environ[name]
    os.environ.update(environment)  # the kernel inherits it
    client = nbclient.NotebookClient(notebook, timeout=CELL_SECONDS, record_timing=False)
    executed = client.execute()
    executed.metadata.pop("widgets", None)
    executed.metadata["language_info"] = {"name": "python"}
    return executed


def _open(say: Narrator, cast: Cast, stage: Path) -> None:
    """The market as the analyst finds it: one data set, two products, and money in the buyer's account."""
    csv = flights.write_csv(stage / "supplier")
    acts.open_market(say, cast)
    acts.start_panel(say, cast)
    asset = acts.register(say, cast, acts.seal(say, cast, csv))
    acts.list_product(cast, asset, "2.00", *COMPUTATIONS)
    acts.list_product(cast, asset, "0.50", "COUNT")
    cast["supplier"].start("vault", "run")
    cast["bank"].call("settlement", "issue", cast.addresses["buyer"], "100.00")


if __name__ == "__main__":
    raise SystemExit(main())
