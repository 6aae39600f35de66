"""A history of 10,000 registrations and all that happens to them and to their holders, as tests/histories.py makes it:
random calls of every verb, a tenth of them bent, some of them acts that time or another act has overtaken. It runs on
the service's own ledger, and the register that comes of it is compared as tests/registers.py does it: the Python rules
call by call, then the contracts' storage, the read model, and what an auditor derives from the chain alone.
"""

import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from scripts.benchmarks.tables import Table, versions
from tests.histories import BUILDERS
from tests.registers import Played

REGISTRATIONS, QUICK_REGISTRATIONS = 10_000, 150
WIDTH, QUICK_WIDTH = 50, 12  # most calls of one verb in a block
OFTEN, REGISTER = 8, ("Rights", "Titles", "Registrations")  # verbs of these contracts are tried so many times as often
SEED = 11


def run(quick: bool) -> list[Table]:
    """Gas and counts of every verb, and what the four registers cost."""
    registrations, width = (QUICK_REGISTRATIONS, QUICK_WIDTH) if quick else (REGISTRATIONS, WIDTH)
    weights = {verb: weight * OFTEN for verb, (contract, _, weight) in BUILDERS.items() if contract in REGISTER}
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        played = Played(Path(folder), SEED, weights)
        try:
            played.open_market()
            played.play(partial(_reached, registrations, begun), width, returning=True)
            sys.stderr.write("\n")
            compared = played.compare()
        finally:
            played.close()
        return [_verbs(played, registrations), _registers(played, compared, time.perf_counter() - begun)]


def _reached(registrations: int, begun: float, played: Played) -> bool:
    """Whether there are as many; tells how far it is."""
    done, acts = played.registrations(), sum(played.tally.done.values())
    seconds = time.perf_counter() - begun
    sys.stderr.write(f"\rhistory: {done:,} of {registrations:,} registrations, {acts:,} acts, {seconds:,.0f} s   ")
    return done >= registrations


def _verbs(played: Played, registrations: int) -> Table:
    tally = played.tally
    rows = [
        [
            f"{contract}.{verb}",
            f"{tally.done[verb]:,}",
            f"{tally.refused[verb]:,}",
            f"{tally.gas[verb] / tally.measured[verb]:,.0f}" if tally.measured[verb] else "",
            f"{tally.gas[verb] / tally.events[verb]:,.0f}" if tally.events[verb] else "",
        ]
        for verb, (contract, _, _) in sorted(BUILDERS.items(), key=lambda item: (item[1][0], item[0]))
    ]
    untried = [verb for verb in BUILDERS if not tally.done[verb]]
    return Table(
        title=f"A history of {registrations:,} registrations: {sum(tally.done.values()):,} acts that took effect",
        columns=["verb", "took effect", "refused", "gas a call", "gas an event"],
        rows=rows,
        notes=[
            f"{len(tally.codes)} different reasons of refusal. "
            f"Verbs that never took effect: {', '.join(untried) or 'none'}.",
            "Gas of transactions in which every call took effect, the transaction's own 21,000 shared among them.",
        ],
    )


def _registers(played: Played, compared: dict[str, int], seconds: float) -> Table:
    acts = sum(played.tally.done.values())
    rows = [[what, f"{spent:.1f}", f"{acts / spent:,.0f}"] for what, spent in played.tally.seconds.items() if spent]
    rows.append(["all, with making and signing the calls", f"{seconds:.1f}", f"{acts / seconds:,.0f}"])
    told = ", ".join(f"{count:,} {what}" for what, count in compared.items())
    return Table(
        title="The same register four times: rules, contracts, read model, auditor",
        columns=["way", "seconds", "acts a second"],
        rows=rows,
        notes=[f"Equal: {told}.", f"Load {os.getloadavg()[0]:.1f}; " + versions("sqlalchemy", "coincurve")],
    )
