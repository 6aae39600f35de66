"""Verifying what a panel of sixteen attested together: ours, and py_ecc's on the same bytes.

Each side runs in a process of its own, one after the other, so that its peak memory is its own; both check the
same keys, proofs and signature, and both must refuse the signature of another message.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from py_arkworks_bls12381 import GT, G1Point

from crypto import bls
from crypto.canonical import sha256
from crypto.errors import InvalidSignature
from marketplace.queries.statements import attested_message
from scripts.benchmarks.tables import Table, milliseconds, versions

NODES = 16
REPEATS, SLOW_REPEATS = 31, 3  # medians; py_ecc takes seconds
SIDES = ("ours", "py_ecc", "floor")
LABELS = {
    "known": "one attestation, panel seen before",
    "fresh": "one attestation, keys seen for the first time",
    "proofs": f"… and its {NODES} proofs of possession",
    "pairing": "floor: one pairing check and one sum of decoded keys",
    "memory": "peak RSS MiB of the process",
}
MESSAGE = attested_message("0x" + "5a" * 32)
OTHER = attested_message("0x" + "a5" * 32)


def run(quick: bool) -> list[Table]:
    """One table; both ways of looking at the same attestation."""
    load = os.getloadavg()[0]
    found = {side: _alone(side, quick) for side in SIDES}
    ours, theirs = found["ours"], found["py_ecc"]
    rows = [
        [LABELS[name], f"{ours[name]:.2f}", f"{theirs[name]:,.0f}", f"{theirs[name] / ours[name]:,.0f}×"]
        for name in ("known", "fresh", "proofs")
    ]
    rows.append([LABELS["pairing"], f"{found['floor']['pairing']:.2f}", "", ""])
    rows.append([LABELS["memory"], f"{ours['memory']:.0f}", f"{theirs['memory']:.0f}", ""])
    title = f"Verify what {NODES} nodes attested together, BLS12-381, milliseconds"
    notes = [
        versions("py-arkworks-bls12381", "py-ecc"),
        f"medians of {REPEATS} (py_ecc: {1 if quick else SLOW_REPEATS}), one core, load before {load:.1f}; "
        "both check each new key's subgroup; of a panel seen before ours keeps the sum of its keys, py_ecc nothing",
        "the floor is arkworks' own, with keys, signature and hash decoded already; it verifies nothing that comes "
        "from outside",
    ]
    return [Table(title, ["what", "ours", "py_ecc", "ratio"], rows, notes)]


def _alone(side: str, quick: bool) -> dict[str, float]:
    code = f"from scripts.benchmarks.attestation import measure_alone; measure_alone({side!r}, {quick})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure_alone(side: str, quick: bool) -> None:
    """Measure one side in this process and print its figures as JSON."""
    secrets = [bls.secret_key(sha256(bytes([number]))) for number in range(NODES)]
    publics = [bls.public_key(secret) for secret in secrets]
    proofs = [bls.prove_possession(secret) for secret in secrets]
    signature = bls.aggregate([bls.sign(secret, MESSAGE) for secret in secrets])
    measure = {"ours": _ours, "py_ecc": _py_ecc, "floor": _floor}[side]
    found = measure(publics, proofs, signature, quick)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found["memory"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps(found))


def _ours(publics: list[bytes], proofs: list[bytes], signature: bytes, _quick: bool) -> dict[str, float]:
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
    known = milliseconds(lambda: bls.verify_aggregate(publics, MESSAGE, signature), REPEATS)
    return {
        "known": known,
        "fresh": milliseconds(fresh, REPEATS),
        "proofs": milliseconds(with_proofs, REPEATS),
    }


def _py_ecc(publics: list[bytes], proofs: list[bytes], signature: bytes, quick: bool) -> dict[str, float]:
    suite: Any = importlib.import_module("py_ecc.bls").G2ProofOfPossession  # not in our own process

    def verify() -> bool:
        return bool(suite.FastAggregateVerify(publics, MESSAGE, signature))

    def fresh() -> bool:
        return all(suite.KeyValidate(public) for public in publics) and verify()

    def with_proofs() -> bool:  # which validates each key too
        return all(suite.PopVerify(*pair) for pair in zip(publics, proofs, strict=True)) and verify()

    if suite.FastAggregateVerify(publics, OTHER, signature):
        raise AssertionError("a signature of another message was taken")
    repeats = 1 if quick else SLOW_REPEATS
    return {
        "known": milliseconds(_true(verify), repeats),
        "fresh": milliseconds(_true(fresh), repeats),
        "proofs": milliseconds(_true(with_proofs), 1),
    }


def _true(check: Callable[[], bool]) -> Callable[[], None]:
    """`check`, which must hold."""

    def action() -> None:
        if not check():
            raise AssertionError("a true attestation was refused")

    return action


def _floor(publics: list[bytes], _proofs: list[bytes], signature: bytes, _quick: bool) -> dict[str, float]:
    points, signed = [bls._public(public) for public in publics], bls._signature(signature)
    hashed, generator = bls._hash(MESSAGE, bls._SIGN_DST), -G1Point()

    def action() -> bool:
        total = G1Point.identity()
        for point in points:
            total = total + point
        return bool(GT.pairing_check([total, generator], [hashed, signed]))

    return {"pairing": milliseconds(_true(action), REPEATS)}
