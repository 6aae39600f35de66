"""A history of 10,000 registrations and all that happens to them and to their holders, as tests/histories.py makes it:
random calls of every verb, a tenth of them bent, some of them acts that time or another act has overtaken. It runs on
the service's own ledger, and the register that comes of it is compared as tests/registers.py does it: the Python rules
call by call, then the contracts' storage, the read model, and what an auditor derives from the chain alone. Whether
every kind of thing happened is asked of tests/happenings.py.
"""

import os
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from scripts.benchmarks.tables import Table, versions
from tests.happenings import demanded
from tests.histories import BUILDERS
from tests.registers import Course, Played

REGISTRATIONS, QUICK_REGISTRATIONS = 10_000, 150
MORE = 1.2  # times as many registrations, at the most, until everything has happened that must
COURSE = Course(width=50, crowd=250, staying=0.95, turning=True, waits=(1, 1, 1, 5, 20, 120))  # clocks run for minutes
QUICK_COURSE = Course(width=12, staying=0.85)
OFTEN, REGISTER = 8, ("Rights", "Titles", "Registrations")  # verbs of these contracts are tried so many times as often
#: verbs that are tried more often than that: those that bring cases, deliveries and claims to an end, one after another
MORE_OFTEN = {
    "file": 96,
    "act": 48,
    "decide": 192,
    "confirm": 64,
    "expire": 32,
    "claim": 6,
    "challenge": 6,
    "finish": 4,
    "refund": 12,
}
MORE_OFTEN |= {
    "offer": 15,
    "arrange": 24,
    "deliver": 40,
    "acknowledge": 15,
    "accept": 6,
    "object": 15,
    "deem": 9,
    "lapse": 6,
}
SEED = 11


def run(quick: bool) -> list[Table]:
    """Gas and counts of every verb, what happened how often, and what the four registers cost.

    Raises:
        RuntimeError: something that must happen in a whole history did not.
        DifferentRegistersError: two of the four registers differ.
    """
    registrations, course = (QUICK_REGISTRATIONS, QUICK_COURSE) if quick else (REGISTRATIONS, COURSE)
    weights = {verb: weight * OFTEN for verb, (contract, _, weight) in BUILDERS.items() if contract in REGISTER}
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        played = Played(Path(folder), SEED, weights | MORE_OFTEN)
        try:
            played.open_market()
            played.play(partial(_reached if quick else _is_whole, registrations, begun), course)
            sys.stderr.write("\n")
            compared = played.compare()
        finally:
            played.close()
        spent = time.perf_counter() - begun
        return [_verbs(played), _happenings(played), _registers(played, compared, spent)]


def _is_whole(registrations: int, begun: float, played: Played) -> bool:
    """Whether there are as many, and everything has happened that must."""
    if not _reached(registrations, begun, played):
        return False
    happenings = played.tally.happenings
    happenings.count_lapsed(played.history.state, played.history.now)
    missing = [*happenings.missing(), *_untried(played)]
    if missing and played.registrations() > MORE * registrations:
        raise RuntimeError(f"this is no whole history: {', '.join(missing)} never happened")
    return not missing


def _reached(registrations: int, begun: float, played: Played) -> bool:
    """Whether there are as many; tells how far it is."""
    done, tally = played.registrations(), played.tally
    acts, refused = sum(tally.done.values()), sum(tally.refused.values())
    told = f"{acts:,} acts, {refused:,} refused, {time.perf_counter() - begun:,.0f} s"
    sys.stderr.write(f"\rhistory: {done:,} of {registrations:,} registrations, {told}   ")
    return done >= registrations


def _untried(played: Played) -> list[str]:
    """Verbs that never took effect."""
    return [verb for verb in BUILDERS if not played.tally.done[verb]]


def _verbs(played: Played) -> Table:
    tally = played.tally
    rows = [
        [
            f"{contract}.{verb}",
            f"{tally.done[verb]:,}",
            f"{tally.refused[verb]:,}",
            f"{tally.gas[verb] / tally.measured[verb]:,.0f}" if tally.measured[verb] else "",
            f"{tally.gas[verb] / tally.events[verb]:,.0f}" if tally.events[verb] else "",
            f"{tally.ran[verb] / (tally.done[verb] + tally.refused[verb]) * 1e6:,.0f}" if tally.done[verb] else "",
        ]
        for verb, (contract, _, _) in sorted(BUILDERS.items(), key=lambda item: (item[1][0], item[0]))
    ]
    acts = sum(tally.done.values())
    return Table(
        title=f"A history of {played.registrations():,} registrations: {acts:,} acts that took effect",
        columns=["verb", "took effect", "refused", "gas a call", "gas an event", "us a call, rules"],
        rows=rows,
        notes=[
            f"{sum(tally.refused.values()):,} calls were refused, for {len(tally.codes)} different reasons. "
            f"Verbs that never took effect: {', '.join(_untried(played)) or 'none'}.",
            "Gas of transactions in which every call took effect, the transaction's own 21,000 shared among them.",
            "Time of the Python rules alone, signatures included, over all calls, refused ones too.",
        ],
    )


def _happenings(played: Played) -> Table:
    happenings = played.tally.happenings
    return Table(
        title="What happened",
        columns=["event, step of a case, end of a case", "times"],
        rows=[[name, f"{happenings.counts[name]:,}"] for name in demanded()],
        notes=[f"Never: {', '.join(happenings.missing()) or 'nothing'}."],
    )


def _registers(played: Played, compared: dict[str, int], seconds: float) -> Table:
    spent = {**played.tally.seconds, "all, with making and signing the calls": seconds}
    calls = sum(played.tally.done.values()) + sum(played.tally.refused.values())
    each = [(what, took, took / calls * 1e3, took / compared["events"] * 1e3) for what, took in spent.items()]
    rows = [[what, f"{took:.1f}", f"{call:.2f}", f"{event:.2f}"] for what, took, call, event in each]
    told = ", ".join(f"{count:,} {what}" for what, count in compared.items())
    ours, node = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Table(
        title="The same register four times: rules, contracts, read model, auditor",
        columns=["way", "seconds", "ms a call", "ms an event"],
        rows=rows,
        notes=[
            f"Equal: {told}. A refusal is an event, too.",
            f"Peak memory {ours:,.0f} MB, of the node {node:,.0f} MB. "
            f"Load {os.getloadavg()[0]:.1f}; " + versions("sqlalchemy", "coincurve"),
        ],
    )
