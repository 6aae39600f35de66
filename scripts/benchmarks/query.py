"""A query's whole way, every party a process of its own: HTTP in, three panel nodes, vault, answer, on real data.

The service, the nodes and the vault are the CLI's own programs on the demonstration's 336,776 flights; the buyer is
this process, through the SDK. Every question takes other cells than all before it, so neither a result nor weights are
used twice; opened columns are kept, as in any system that has answered before, so the first question is not counted.

Times are the programs' own (`--timings`), on one clock. The nodes work at the same time on the cores there are; the
panel's time is that of the node whose statement completed the attestation. Sealed arithmetic is what touches a
ciphertext's polynomials: evaluation and the vault's shares; their digests count as not. The plaintext is pandas and
Arrow with the table in memory, and pandas from Parquet, which is where such a table usually is.
"""

import itertools
import json
import logging
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from marketplace.queries import timings
from marketplace.sdk import queries
from marketplace.sdk.client import Client
from marketplace.sdk.home.keys import load_keys
from scripts.benchmarks.tables import Table, milliseconds, versions
from scripts.demonstration import acts, flights
from scripts.demonstration.cast import NODES, Cast, gather
from scripts.demonstration.narration import Narrator

THRESHOLD = 2
EPSILON = 1_000_000
SETTLE_SECONDS = 1.0  # a node that was slower than the others may still be writing
QUARTERS = ((1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12))
SEALED = ("arithmetic", "opening", "shares")
# SkyWest flew 32 times: with it, two of these questions would differ by fewer flights than the minimum cohort.
CARRIER = "OO"
GROUPS = ("origin", "carrier")
KINDS = {
    "a filtered SUM(arr_delay)": "SELECT SUM(arr_delay) FROM flights WHERE {}",
    "a group-by, AVG(arr_delay) by origin and carrier": "SELECT AVG(arr_delay) FROM flights WHERE {} "
    f"GROUP BY {', '.join(GROUPS)}",
}
STAGES = (
    "buyer: order's papers, plan, voucher",
    "service: accept; wake the panel",
    "panel: sealed arithmetic",
    "panel: digests of the results",
    "panel: plan, signature, rest",
    "service: statement, attestation; wake the vault",
    "vault: papers, plan, attestation, rest",
    "vault: sealed arithmetic",
    "vault: digests of the results",
    "vault: noise",
    "vault: cohort, charge, HPKE, commit",
    "service: release; wake the buyer",
    "buyer: fetch, check, open",
)
ARITHMETIC = tuple(number for number, name in enumerate(STAGES) if name.endswith("sealed arithmetic"))


@dataclass(frozen=True)
class Record:
    """One program's work on one query: when it began and ended, unix seconds, and milliseconds of its parts."""

    began: float
    ended: float
    parts: dict[str, float]

    @property
    def handing_in(self) -> float:
        """When it began to hand in what it had, unix seconds."""
        return self.ended - self.parts["handing in"] / 1000

    def sealed(self) -> float:
        """Milliseconds of sealed arithmetic."""
        return sum(self.parts.get(name, 0.0) for name in SEALED)

    def rest(self, *named: str) -> float:
        """Milliseconds before handing in that are neither sealed arithmetic nor of the named parts."""
        return (self.handing_in - self.began) * 1000 - self.sealed() - sum(self.parts.get(name, 0.0) for name in named)


@dataclass(frozen=True)
class Asked:
    """A question that was answered: its digest, how many numbers were evaluated, the buyer's record."""

    query: str
    numbers: int
    buyer: Record


@dataclass(frozen=True)
class Buyer:
    """Who asks, and the funded order."""

    client: Client
    order: str


@dataclass(frozen=True)
class Way:
    """One query's way: the milliseconds of each stage."""

    stages: tuple[float, ...]

    @property
    def whole(self) -> float:
        """Milliseconds from the buyer's first step to the opened answer."""
        return sum(self.stages)

    @property
    def other(self) -> float:
        """The share of it that is not sealed arithmetic."""
        return 1 - sum(self.stages[number] for number in ARITHMETIC) / self.whole


def run(quick: bool) -> list[Table]:
    """One table a kind of query; 3 questions of each, or 13."""
    stage = Path(tempfile.mkdtemp(prefix="marketplace-bench-"))
    cast = gather(stage)
    try:
        table, order = _open_market(cast)
        with _buyer(cast) as client:
            return [_measure(cast, Buyer(client, order), table, kind, quick) for kind in KINDS]
    finally:
        cast.stop()
        shutil.rmtree(stage, ignore_errors=True)


def _open_market(cast: Cast) -> tuple[pa.Table, str]:
    """Everything up to a funded order, by the CLI; returns the plaintext and the order."""
    say = Narrator()
    say.console.quiet = True
    csv = flights.write_csv(cast["supplier"].home)
    acts.open_market(say, cast)
    cast.together(lambda name: cast[name].call("panel", "register"), NODES)
    for name in NODES:
        cast[name].start("panel", "run", "--timings")
    supplier = cast["supplier"]
    schema = supplier.home / "flights.json"
    schema.write_text(json.dumps(flights.SCHEMA, ensure_ascii=False), encoding="utf-8")
    sealed = supplier.call("vault", "seal", str(csv), "--schema", str(schema))
    registered = supplier.call("rights", "register", sealed["manifest"], "--epsilon-budget", "100")
    acts.deposit(say, cast, registered["assetId"])
    cast["registrar"].call("rights", "confirm", registered["assetId"], "--valid", "2y")
    terms = ["--price", "1.00", "--epsilon-per-query", "1", "--purpose", "TRANSPORT", "--threshold", str(THRESHOLD)]
    listed = supplier.call("listings", "create", registered["assetId"], *terms, "--compute", "SUM", "--compute", "MEAN")
    supplier.start("vault", "run", "--timings")
    cast["bank"].call("settlement", "issue", cast.addresses["buyer"], "100.00")
    wish = ["--escrow", "100.00", "--epsilon-cap", "100", "--purpose", "TRANSPORT"]
    order = str(cast["buyer"].call("orders", "fund", listed["listingId"], *wish)["orderId"])
    nulls = pyarrow.csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
    return pyarrow.csv.read_csv(csv, convert_options=nulls), order


@contextmanager
def _buyer(cast: Cast) -> Iterator[Client]:
    party = cast["buyer"]
    keys = load_keys((party.home / "keystore.json").read_bytes(), party.environment()["MARKETPLACE_PASSWORD"])
    with Client(cast.url, keys) as client:
        yield client


def _measure(cast: Cast, buyer: Buyer, table: pa.Table, kind: str, quick: bool) -> Table:
    months = [sum(some, ()) for size in (1, 2, 3) for some in itertools.combinations(QUARTERS, size)]
    load = os.getloadavg()[0]
    asked = [_ask(buyer, KINDS[kind].format(_where(some))) for some in months[: 4 if quick else None]]
    time.sleep(SETTLE_SECONDS)
    ways = [_way(cast, question) for question in asked[1:]]
    plain = _plaintext(table, months, list(GROUPS) if "GROUP BY" in KINDS[kind] else [])
    return _table(f"{kind}: {asked[0].numbers} numbers", ways, plain, [_conditions(len(ways), load), _peaks(cast)])


def _conditions(questions: int, load: float) -> str:
    return (
        f"median of {questions} different questions, each stage by itself; {THRESHOLD} of 3 nodes attest; "
        f"{os.cpu_count()} cores, load before {load:.1f}; floor: the rows of sealed arithmetic"
    )


def _peaks(cast: Cast) -> str:
    """Peak memory of every process on the way, and of this one, which holds the plaintext."""
    pids = {"service": cast["exchange"].running[0].pid, "vault": cast["supplier"].running[0].pid}
    pids |= {name: cast[name].running[0].pid for name in NODES}
    pids["this process (buyer, pandas, Arrow, plaintext)"] = os.getpid()
    return "peak RSS MiB: " + ", ".join(f"{name} {_peak(pid):,.0f}" for name, pid in pids.items())


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _where(months: Sequence[int]) -> str:
    return f"carrier <> '{CARRIER}' AND month IN ({', '.join(map(str, months))})"


def _plaintext(table: pa.Table, months: Sequence[Sequence[int]], grouped: list[str]) -> dict[str, float]:
    """Median milliseconds of the same questions in the clear, by each way of asking them."""
    columns = ["arr_delay", "month", *GROUPS]
    frame = table.select(columns).to_pandas()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flights.parquet"
        pyarrow.parquet.write_table(table, path)
        ways: dict[str, Callable[[Sequence[int]], object]] = {
            "pandas, frame in memory": lambda some: _in_pandas(frame, some, grouped),
            "pandas, from Parquet": lambda some: _in_pandas(pd.read_parquet(path, columns=columns), some, grouped),
            "Arrow, table in memory": lambda some: _in_arrow(table, some, grouped),
        }
        return {
            name: statistics.median(milliseconds(partial(way, some), 5) for some in months)
            for name, way in ways.items()
        }


def _in_pandas(frame: pd.DataFrame, months: Sequence[int], grouped: list[str]) -> object:
    wanted = frame[(frame["carrier"] != CARRIER) & frame["month"].isin(list(months))]
    return wanted.groupby(grouped)["arr_delay"].mean() if grouped else wanted["arr_delay"].sum()


def _in_arrow(table: pa.Table, months: Sequence[int], grouped: list[str]) -> pa.Table:
    wanted = (pc.field("carrier") != CARRIER) & pc.field("month").isin(list(months))
    aggregate = "mean" if grouped else "sum"
    return table.filter(wanted).group_by(grouped).aggregate([("arr_delay", aggregate)])


class _Kept(logging.Handler):
    """Keeps the last record of this process."""

    line = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.line = record.getMessage()


def _ask(buyer: Buyer, sql: str) -> Asked:
    """Ask one question."""
    kept = _Kept()
    timings.log.addHandler(kept)
    timings.log.setLevel(logging.DEBUG)
    timings.log.propagate = False
    try:
        with timings.record("buyer", None):
            answer = queries.ask(buyer.client, buyer.order, sql, EPSILON)
    finally:
        timings.log.removeHandler(kept)
    numbers = (len(answer.opened.groups) + len(answer.opened.suppressed)) * len(answer.opened.numbers[0])
    return Asked(answer.query, numbers, _record(json.loads(kept.line)))


def _record(found: dict[str, Any]) -> Record:
    return Record(found["began"], found["ended"], found["milliseconds"])


def _logged(log: Path, query: str) -> Record:
    """What a program wrote about a query."""
    lines = (json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith('{"timing"'))
    return next(_record(line) for line in lines if line["query"] == query)


def _way(cast: Cast, question: Asked) -> Way:
    query, buyer = question.query, question.buyer
    nodes = [_logged(cast[name].home / "panel.log", query) for name in NODES]
    node = sorted(nodes, key=lambda record: record.handing_in)[THRESHOLD - 1]
    vault = _logged(cast["supplier"].home / "vault.log", query)
    spent = sum(buyer.parts[name] for name in ("sending", "waiting", "opening"))
    prepared = (buyer.ended - buyer.began) * 1000 - spent
    woken = buyer.ended - buyer.parts["opening"] / 1000
    stages = (
        prepared,
        (node.began - buyer.began) * 1000 - prepared,
        node.sealed(),
        node.parts["digests"],
        node.rest("digests"),
        (vault.began - node.handing_in) * 1000,
        vault.rest("digests", "noise", "commit"),
        vault.sealed(),
        vault.parts["digests"],
        vault.parts["noise"],
        vault.parts["commit"],
        (woken - vault.handing_in) * 1000,
        buyer.parts["opening"],
    )
    return Way(stages)


def _table(kind: str, ways: Sequence[Way], plain: dict[str, float], notes: Sequence[str]) -> Table:
    whole = statistics.median(way.whole for way in ways)
    other = statistics.median(way.other for way in ways)
    rows = [_row(name, [way.stages[number] for way in ways], whole) for number, name in enumerate(STAGES)]
    rows.append(_row("the whole way", [way.whole for way in ways], whole))
    rows.append(["not sealed arithmetic", f"{other * whole:.0f}", f"{other:.0%}"])
    rows += [[name, f"{took:.2f}", f"1/{whole / took:,.0f}"] for name, took in plain.items()]
    return Table(
        title=f"{kind}, of 336,776 flights",
        columns=["stage", "milliseconds", "share"],
        rows=rows,
        notes=[
            *notes,
            versions("tenseal", "opendp", "py-arkworks-bls12381", "fastapi", "httpx", "pandas", "pyarrow"),
        ],
    )


def _row(name: str, values: Sequence[float], whole: float) -> list[str]:
    spent = statistics.median(values)
    return [name, f"{spent:.1f}", f"{spent / whole:.0%}"]
