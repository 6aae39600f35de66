"""Verifying what a panel of sixteen attested together: ours, and py_ecc's on the same bytes.

Each side runs in a process of its own, so that its peak memory is its own, and they work in turns: in every round ours
repeats for about as long as py_ecc takes once, so that what else the machine does meets both alike. Both check the same
keys, proofs and signature, and both must refuse the signature of another message.
"""

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from py_arkworks_bls12381 import GT, G1Point

from crypto import bls
from crypto.canonical import sha256
from crypto.errors import InvalidSignature
from marketplace.queries.protocol.statements import attested_message
from scripts.benchmarks.tables import Table, versions

NODES = 16
ROUNDS = 7  # of the plain attestation; a round with sixteen proofs takes py_ecc ten seconds, so of that there is one
SIDES = ("ours", "py_ecc", "floor")
LABELS = {
    "known": "one attestation, panel seen before",
    "fresh": "one attestation, keys seen for the first time",
    "proofs": f"… and its {NODES} proofs of possession",
    "pairing": "floor: one pairing check and one sum of decoded keys",
    "memory": "peak RSS MiB of the process",
}
WALL, PROCESSOR = 0, 1  # places in a lap
Action = Callable[[], None]
MESSAGE = attested_message("0x" + "5a" * 32)
OTHER = attested_message("0x" + "a5" * 32)


class Lap(NamedTuple):
    """Milliseconds of one call, the mean of a lap: by the clock, and of processor time."""

    wall: float
    processor: float


def run(quick: bool) -> list[Table]:
    """One table; both ways of looking at the same attestation."""
    load = os.getloadavg()[0]
    rounds = {"known": 2 if quick else ROUNDS, "fresh": 1 if quick else 3, "proofs": 1}
    with _Side("ours") as ours, _Side("py_ecc") as theirs, _Side("floor") as floor:
        found = {name: _race(ours, theirs, name, count) for name, count in rounds.items()}
        pairing = statistics.median(floor.lap("pairing", 50).wall for _ in range(ROUNDS))
        memory = {side.name: side.memory() for side in (ours, theirs)}
    rows = [
        [LABELS[name], f"{_median(pairs, 0):.2f}", f"{_median(pairs, 1):,.0f}", f"{_ratio(pairs, WALL):,.0f}×"]
        for name, pairs in found.items()
    ]
    rows.append([LABELS["pairing"], f"{pairing:.2f}", "", ""])
    rows.append([LABELS["memory"], f"{memory['ours']:.0f}", f"{memory['py_ecc']:.0f}", ""])
    title = f"Verify what {NODES} nodes attested together, BLS12-381, milliseconds"
    each = [f"{theirs.wall / mine.wall:,.0f}" for mine, theirs in found["known"]]
    by_processor = _ratio(found["known"], PROCESSOR)
    notes = [
        versions("py-arkworks-bls12381", "py-ecc"),
        f"one core each, in turns; medians of {rounds['known']}, {rounds['fresh']} and 1 rounds, ratios of the same "
        f"round; load before {load:.1f}",
        f"ratios of the first row, round by round: {', '.join(each)}; by processor time {by_processor:,.0f}×",
        "both check each new key's subgroup; of a panel seen before ours keeps the sum of its keys, py_ecc nothing",
        "the floor is arkworks' own, with keys, signature and hash decoded already; it verifies nothing that comes "
        "from outside",
    ]
    return [Table(title, ["what", "ours", "py_ecc", "ratio"], rows, notes)]


Pairs = list[tuple[Lap, Lap]]


def _race(ours: "_Side", theirs: "_Side", name: str, rounds: int) -> Pairs:
    """Laps of both sides in turns: one call of theirs, and of ours as many as take as long."""
    slow = theirs.lap(name, 1)
    often = max(1, round(slow.wall / ours.lap(name, 3).wall))
    first = [(ours.lap(name, often), slow)]
    return first + [(ours.lap(name, often), theirs.lap(name, 1)) for _ in range(rounds - 1)]


def _median(pairs: Pairs, side: int) -> float:
    return statistics.median(pair[side].wall for pair in pairs)


def _ratio(pairs: Pairs, clock: int) -> float:
    return statistics.median(theirs[clock] / mine[clock] for mine, theirs in pairs)


class _Side:
    """One side, in a process of its own that measures when it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        code = f"from scripts.benchmarks.attestation import measure_alone; measure_alone({name!r})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def lap(self, name: str, calls: int) -> Lap:
        """The mean of some calls."""
        return Lap(*self._asked([name, calls]))

    def memory(self) -> float:
        """Peak memory so far, MiB."""
        (peak,) = self._asked(["memory", 1])
        return peak

    def _asked(self, wish: list[Any]) -> list[float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(wish), file=self._process.stdin, flush=True)
        found: list[float] = json.loads(self._process.stdout.readline())
        return found


def measure_alone(side: str) -> None:
    """Measure one side in this process: a wish is a name and a number of calls, a line of JSON each."""
    secrets = [bls.secret_key(sha256(bytes([number]))) for number in range(NODES)]
    publics = [bls.public_key(secret) for secret in secrets]
    proofs = [bls.prove_possession(secret) for secret in secrets]
    signature = bls.aggregate([bls.sign(secret, MESSAGE) for secret in secrets])
    actions = {"ours": _ours, "py_ecc": _py_ecc, "floor": _floor}[side](publics, proofs, signature)
    for line in sys.stdin:
        name, calls = json.loads(line)
        print(json.dumps(_peak() if name == "memory" else _lap(actions[name], calls)), flush=True)


def _lap(action: Action, calls: int) -> list[float]:
    start, processor = time.perf_counter(), time.process_time()
    for _ in range(calls):
        action()
    spent = time.perf_counter() - start, time.process_time() - processor
    return [seconds * 1000 / calls for seconds in spent]


def _peak() -> list[float]:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return [int(status.split("VmHWM:")[1].split()[0]) / 1024]


def _ours(publics: list[bytes], proofs: list[bytes], signature: bytes) -> dict[str, Action]:
    def fresh() -> None:
        bls._sum_of_keys.cache_clear()
        bls.verify_aggregate(publics, MESSAGE, signature)

    def with_proofs() -> None:
        for public, proof in zip(publics, proofs, strict=True):
            bls.verify_possession(public, proof)
        fresh()

    try:
        bls.verify_aggregate(publics, OTHER, signature)
    except InvalidSignature:
        pass
    else:
        raise AssertionError("a signature of another message was taken")
    bls.verify_aggregate(publics, MESSAGE, signature)
    known = partial(bls.verify_aggregate, publics, MESSAGE, signature)
    return {"known": known, "fresh": fresh, "proofs": with_proofs}


def _py_ecc(publics: list[bytes], proofs: list[bytes], signature: bytes) -> dict[str, Action]:
    suite: Any = importlib.import_module("py_ecc.bls").G2ProofOfPossession  # not in our own process

    def verify() -> bool:
        return bool(suite.FastAggregateVerify(publics, MESSAGE, signature))

    def fresh() -> bool:
        return all(suite.KeyValidate(public) for public in publics) and verify()

    def with_proofs() -> bool:  # which validates each key too
        return all(suite.PopVerify(*pair) for pair in zip(publics, proofs, strict=True)) and verify()

    if suite.FastAggregateVerify(publics, OTHER, signature):
        raise AssertionError("a signature of another message was taken")
    return {"known": _true(verify), "fresh": _true(fresh), "proofs": _true(with_proofs)}


def _true(check: Callable[[], bool]) -> Action:
    """`check`, which must hold."""

    def action() -> None:
        if not check():
            raise AssertionError("a true attestation was refused")

    return action


def _floor(publics: list[bytes], _proofs: list[bytes], signature: bytes) -> dict[str, Action]:
    points, signed = [bls._public(public) for public in publics], bls._signature(signature)
    hashed, generator = bls._hash(MESSAGE, bls._SIGN_DST), -G1Point()

    def action() -> bool:
        total = G1Point.identity()
        for point in points:
            total = total + point
        return bool(GT.pairing_check([total, generator], [hashed, signed]))

    return {"pairing": _true(action)}
