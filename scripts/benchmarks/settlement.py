"""What an order costs in gas, a million calls that one transaction settles, and how fast vouchers are verified.

gas        an order funded and settled by two transactions, as a naive market does it, and the same in batches
calls      an order whose buyer signs a voucher for every call; seller verifies each; the last one is settled, alone
vouchers   verifying a voucher by ours and by eth-account; verdicts on good, foreign and broken ones are compared
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from web3 import Web3

from crypto.canonical import to_hex
from crypto.errors import CryptoError
from crypto.merkle import Frontier, leaf_hash
from crypto.typed_data import GROUP_ORDER
from marketplace.calls import encode_batch, encode_call
from marketplace.intents import INTENTS, Deployment, intent_digest, recover_intent, sign_intent
from scripts.benchmarks.ledger import MONTH, Loop, automatic_node
from scripts.benchmarks.tables import Table, versions
from tests.integration.ledger.market import Call, Market, key

BATCHES = (10, 50, 100)
CALLS, QUICK_CALLS = 1_000_000, 20_000
VERIFIED, QUICK_VERIFIED = 1_000, 300
SLOWER = 10  # eth-account gets so many times fewer vouchers
ROUNDS = 15
THREADS = (1, os.cpu_count() or 2)
ALONE = 20  # vouchers for eth-account without coincurve
ALL_GAS = 900_000_000


def run(quick: bool) -> list[Table]:
    """Gas of an order, calls of an order, verification of vouchers."""
    with tempfile.TemporaryDirectory() as folder, automatic_node(Path(folder)) as url:
        sender = Loop(url, tuned=True)
        market = sender.open_market()
        return [
            _gas_table(sender, market),
            _calls_table(sender, market, QUICK_CALLS if quick else CALLS),
            _vouchers_table(market, QUICK_VERIFIED if quick else VERIFIED),
        ]


def _gas_table(sender: Loop, market: Market) -> Table:
    until = sender.now() + MONTH
    alone = [_two_transactions(sender, market, number, until) for number in range(3)][-1]
    rows = [["a transaction each", *(f"{gas:,}" for gas in alone), f"{sum(alone):,}", "1.00"]]
    for size in BATCHES:
        first = size * 1_000
        funds = [market.fund(first + i, until) for i in range(size)]
        settles = [market.settle(first + i) for i in range(size)]
        fund, settle = (_gas(sender, calls) // size for calls in (funds, settles))
        ratio = (fund + settle) / sum(alone)
        rows.append([f"{size} in a batch", f"{fund:,}", f"{settle:,}", f"{fund + settle:,}", f"{ratio:.2f}"])
    notes = [
        "gas an order, two share holders, fee and rest; the third order of its kind, when all accounts exist",
        versions("web3"),
    ]
    return Table("Gas of an order", ["way", "fund", "settle", "whole order", "of two transactions"], rows, notes)


def _two_transactions(sender: Loop, market: Market, number: int, until: int) -> tuple[int, int]:
    return _gas(sender, [market.fund(number, until)]), _gas(sender, [market.settle(number)])


def _gas(sender: Loop, calls: Sequence[Call]) -> int:
    """Gas of one transaction with these calls of one contract: the verb itself, or a batch of several."""
    encoded = [encode_call(call.contract, call.verb, call.arguments) for call in calls]
    receipt = sender.transact(calls[0].contract, encoded[0] if len(encoded) == 1 else encode_batch(encoded), ALL_GAS)
    if any(entry["topics"][0] == _REFUSED for entry in receipt["logs"]):
        raise RuntimeError("the ledger refused a call of the batch")
    return int(receipt["gasUsed"])


_REFUSED = Web3.keccak(text="Refused(uint256,bytes)")


def _calls_table(sender: Loop, market: Market, count: int) -> Table:
    order, deployment, until = market.order(9_000_000)[0], market.deployment, sender.now() + MONTH
    _gas(sender, [market.fund(9_000_000, until, escrow=2 * count)])
    buyer, secret, calls, spent = market.address("buyer"), key("buyer"), Frontier(), [0.0, 0.0]
    for number in range(1, count + 1):
        calls.append(leaf_hash(number.to_bytes(32, "big")))
        voucher = _voucher(order, number, to_hex(calls.root()))
        begun = time.perf_counter()
        signature = sign_intent("Voucher", voucher, deployment, secret)
        signed = time.perf_counter()
        if recover_intent("Voucher", voucher, deployment, signature) != buyer:
            raise AssertionError("a voucher is not its buyer's")
        spent[0] += signed - begun
        spent[1] += time.perf_counter() - signed
    gas = _gas(sender, [market.close(voucher)])
    rows = [
        ["signed by the buyer", f"{spent[0]:.1f}", f"{count / spent[0]:,.0f}"],
        ["verified by the seller", f"{spent[1]:.1f}", f"{count / spent[1]:,.0f}"],
    ]
    notes = [
        f"the last voucher names {count:,} calls by their root and pays for all; settling it took {gas:,} gas",
        "one transaction, whatever the number of calls; either side risks one call at most",
    ]
    return Table(f"{count:,} vouchered calls of one order", ["step", "seconds", "a second"], rows, notes)


def _voucher(order: str, number: int, root: str) -> dict[str, Any]:
    return {"orderId": order, "amount": number, "epsilon": 400, "calls": number, "callsRoot": root}


def _vouchers_table(market: Market, count: int) -> Table:
    deployment, order = market.deployment, market.order(1)[0]
    made = [_voucher(order, number + 1, "0x" + f"{number:064x}") for number in range(count)]
    signed = [(voucher, sign_intent("Voucher", voucher, deployment, key("buyer"))) for voucher in made]
    _require_same_verdicts(signed[:60], deployment)
    few = signed[: count // SLOWER]
    ways: list[Callable[[], float]] = []
    for threads in THREADS:
        ways.append(partial(_rate, _our_verdict, signed, deployment, threads))
        ways.append(partial(_rate, _their_verdict, few, deployment, threads))
    rates = [[way() for way in ways] for _ in range(ROUNDS)]
    rows = [_rates_row(threads, rates, 2 * number) for number, threads in enumerate(THREADS)]
    with _without_coincurve():
        alone = max(_rate(_their_verdict, signed[:ALONE], deployment, 1) for _ in range(3))
    ours = max(rate[0] for rate in rates)
    rows.append(
        ["1 thread, it as it installs, without coincurve", f"{ours:,.0f}", f"{alone:,.0f}", f"{ours / alone:.1f}x", ""]
    )
    notes = [
        versions("coincurve", "safe-pysha3", "eth-account"),
        f"from the message to the signer's address; best of {ROUNDS} rounds in turns, ratio of the median round; "
        f"load {os.getloadavg()[0]:.1f}",
        "libsecp256k1, which both ask, takes five sixths of ours and lets other threads run meanwhile",
        "eth-account hashes by pycryptodome; ETH_HASH_BACKEND=pysha3 lends it the hash that ours uses",
        "verdicts compared on good vouchers and on changed, foreign and broken ones: the same address or a refusal by",
        "both; a signature's mirror image (s in the upper half) is refused by ours, as by the contracts, and not by it",
    ]
    return Table(
        "Verifying a voucher, a second", ["", "ours", "eth-account", "ratio", "half of the rounds"], rows, notes
    )


def _rates_row(threads: int, rates: Sequence[Sequence[float]], place: int) -> list[str]:
    best = [max(rate[place + which] for rate in rates) for which in (0, 1)]
    ratios = sorted(rate[place] / rate[place + 1] for rate in rates)
    quarter = len(ratios) // 4
    spread = f"{ratios[quarter]:.1f} to {ratios[-1 - quarter]:.1f}"
    name = f"{threads} thread{'s' if threads > 1 else ''}, it with coincurve too"
    return [name, f"{best[0]:,.0f}", f"{best[1]:,.0f}", f"{ratios[len(ratios) // 2]:.1f}x", spread]


@contextmanager
def _without_coincurve() -> Iterator[None]:
    """eth-account with the backend that its own package brings."""
    os.environ[_BACKEND] = "eth_keys.backends.NativeECCBackend"
    try:
        yield
    finally:
        del os.environ[_BACKEND]


_BACKEND = "ECC_BACKEND_CLASS"


Signed = tuple[dict[str, Any], bytes]


def _rate(verdict: Any, signed: Sequence[Signed], deployment: Deployment, threads: int) -> float:
    """Verdicts a second, shared among so many threads."""

    def run(share: Sequence[Signed]) -> None:
        for voucher, signature in share:
            verdict(voucher, signature, deployment)

    with ThreadPoolExecutor(threads) as pool:
        begun = time.perf_counter()
        for done in [pool.submit(run, signed[number::threads]) for number in range(threads)]:
            done.result()
        return len(signed) / (time.perf_counter() - begun)


def _our_verdict(voucher: dict[str, Any], signature: bytes, deployment: Deployment) -> str:
    try:
        return recover_intent("Voucher", voucher, deployment, signature)
    except CryptoError:
        return "refused"


def _their_verdict(voucher: dict[str, Any], signature: bytes, deployment: Deployment) -> str:
    intent = INTENTS["Voucher"]
    domain = {"name": "Marketplace", "version": "1", "chainId": deployment.chain_id}
    domain["verifyingContract"] = Web3.to_checksum_address(deployment.addresses["Orders"])
    types = {"Voucher": [{"name": name, "type": kind} for name, kind in intent.fields]}
    try:
        return str(Account.recover_message(encode_typed_data(domain, types, voucher), signature=signature)).lower()
    except Exception:  # whatever it raises is its refusal
        return "refused"


def _require_same_verdicts(signed: Sequence[Signed], deployment: Deployment) -> None:
    for number, (voucher, signature) in enumerate(signed):
        changed = {**voucher, "amount": voucher["amount"] + 1}
        flipped = bytearray(signature)
        flipped[number % 64] ^= 1 << number % 8
        zero, late = bytes(32) + signature[32:], GROUP_ORDER.to_bytes(32, "big") + signature[32:]
        for message, bytes_of in (
            *((voucher, case) for case in (signature, zero, late, signature[:64], signature[:64] + b"\x07")),
            (changed, signature),
        ):
            _compare(message, bytes_of, deployment)
        if int.from_bytes(flipped[32:64], "big") <= GROUP_ORDER // 2:
            _compare(voucher, bytes(flipped), deployment)
        _require_mirror_refused(voucher, signature, deployment)


def _compare(voucher: dict[str, Any], signature: bytes, deployment: Deployment) -> None:
    ours, theirs = (verdict(voucher, signature, deployment) for verdict in (_our_verdict, _their_verdict))
    if ours != theirs:
        raise AssertionError(f"verdicts differ on {signature.hex()}: {ours} and {theirs}")


def _require_mirror_refused(voucher: dict[str, Any], signature: bytes, deployment: Deployment) -> None:
    s = GROUP_ORDER - int.from_bytes(signature[32:64], "big")
    mirrored = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    if _our_verdict(voucher, mirrored, deployment) != "refused":
        raise AssertionError(f"a mirrored signature passed: {intent_digest('Voucher', voucher, deployment).hex()}")
