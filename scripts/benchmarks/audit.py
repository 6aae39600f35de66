"""The audit of a true bundle: real blocks of the embedded node, real signatures, sealed data, panel, vault and log.

An event is a released query: six documents, two leaves, a voucher, an attestation and a release. Making the bundle is
not timed.
"""

import gc
import os
import resource
import tempfile
import time
from pathlib import Path

from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.findings import Report
from marketplace.auditor.messages import STEPS
from marketplace.auditor.verifier import audit
from scripts.benchmarks.tables import Table, versions
from tests.bundles import make_bundle

ORDERS, QUERIES = 1_000, 10
QUICK_ORDERS = 50
REEXECUTED = 8


def run(quick: bool) -> list[Table]:
    """Seconds and rates of every step, for a zip on disk; 1,000 orders and 10,000 queries, or a twentieth of it."""
    orders = QUICK_ORDERS if quick else ORDERS
    with tempfile.TemporaryDirectory() as folder:
        made = make_bundle(Path(folder) / "node", orders=orders, queries=QUERIES)
        path, trust = made.write(Path(folder) / "bundle.zip"), made.trust
        del made
        gc.collect()
        started, busy = time.perf_counter(), _processor_seconds()
        with open_bundle(path) as bundle:
            report = audit(bundle, trust, reexecute=REEXECUTED, processes=os.cpu_count() or 1)
        seconds, busy = time.perf_counter() - started, _processor_seconds() - busy
        if not report.passed:
            raise RuntimeError(f"the bundle should pass: {report.findings[:3]}")
        return [_table(report, seconds, busy, orders, path.stat().st_size)]


def _processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(item.ru_utime + item.ru_stime for item in used)


def _table(report: Report, seconds: float, busy: float, orders: int, size: int) -> Table:
    released = report.counts[10]["released"]
    rows = [_row(report, number) for number in STEPS if number != 12]
    rows.append(["all steps", f"{released:,} query events", f"{seconds:.2f}", f"{released / seconds:,.0f} events/s"])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Table(
        title=f"audit of a bundle with {orders:,} orders and {released:,} query events ({size / 1e6:.0f} MB zip)",
        columns=["step", "checked", "seconds", "rate"],
        rows=rows,
        notes=[
            f"{busy:.1f} s of processor time in all, {released / busy:,.0f} events for each of them; "
            f"{REEXECUTED} answers computed again; peak memory with making the bundle {memory} MB",
            versions("coincurve", "py-arkworks-bls12381", "safe-pysha3"),
        ],
    )


def _row(report: Report, number: int) -> list[str]:
    counts, seconds = report.counts[number], report.seconds.get(number, 0.0)
    name, most = max(counts.items(), key=lambda item: item[1], default=("", 0))
    checked = ", ".join(f"{amount:,} {what}" for what, amount in counts.items())
    rate = f"{most / seconds:,.0f} {name}/s" if most and seconds else ""
    return [f"{number} {STEPS[number][0]}", checked, f"{seconds:.3f}", rate]
