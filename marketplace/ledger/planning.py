"""How queued intents become transactions and blocks. Pure: their order is kept, and nothing outgrows a block."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from marketplace.calls import encode_batch, selector_of

BASE_GAS = 100_000  # of a transaction, beside its calls
CALL_GAS = 350_000  # of a call's checks and fixed slots
SPLIT_GAS = 1_500_000  # of dividing money among one asset's holders: sixteen, none of whom had any before
SPLITTING = {"Orders": ("settle", "clear", "finish"), "Deliveries": ("acknowledge", "accept", "deem")}
WALK_GAS = 450_000  # of asking whether one more asset may be sold: thirty-two parts of a title eight grants deep
# Verbs that ask it of all inputs of a product, and which member of their argument names the product, or its listing.
WALKING = {"Orders": {"fund": 1}, "Listings": {"list": 1}, "Deliveries": {"offer": 0}}
BYTE_GAS = 1_000  # for a byte of a call's arguments: their slots grow with them
CALL_OVERHEAD_BYTES = 96  # offset, length and padding of a call among others


@dataclass(frozen=True)
class Limits:
    """What fits.

    Args:
        calls: calls of one transaction.
        transactions: transactions of one block (the node's receipts take time quadratic in it).
        block_gas: the block's gas limit; the limits of all its transactions together stay below it.
        data_bytes: calldata of one transaction; pools refuse transactions above 128 KiB.
    """

    calls: int = 50
    transactions: int = 500
    block_gas: int = 1_000_000_000
    data_bytes: int = 100_000

    @property
    def calls_per_block(self) -> int:
        """No block can hold more calls than this."""
        return min(self.calls * self.transactions, self.block_gas // CALL_GAS)


@dataclass(frozen=True)
class QueuedCall:
    """A call that waits.

    Args:
        sequence: place in the queue.
        alone: it was aboard a transaction that failed as a whole, and now travels by itself.
        assets: among how many assets' holders the call divides money, or of how many it asks whether they may be sold.
    """

    sequence: int
    contract: str
    calldata: bytes
    alone: bool = False
    assets: int = 1

    @property
    def splits(self) -> bool:
        """Whether the call divides an order's money; the first member of its arguments is the order then."""
        return self.calldata[:4] in _splitting_selectors(self.contract)

    @property
    def names(self) -> str:
        """The order, listing or asset on whose assets the call's gas depends; "" where it depends on none."""
        place = 0 if self.splits else _walking_selectors(self.contract).get(self.calldata[:4])
        return "" if place is None else "0x" + self.calldata[4 + 32 * place : 36 + 32 * place].hex()

    @property
    def gas(self) -> int:
        """An upper bound. A call that runs out of gas is refused on the ledger, though the rules accept it."""
        more = self.assets * SPLIT_GAS if self.splits else (self.assets - 1) * WALK_GAS
        return CALL_GAS + BYTE_GAS * len(self.calldata) + more


@cache
def _splitting_selectors(contract: str) -> frozenset[bytes]:
    return frozenset(selector_of(contract, verb) for verb in SPLITTING.get(contract, ()))


@cache
def _walking_selectors(contract: str) -> dict[bytes, int]:
    return {selector_of(contract, verb): place for verb, place in WALKING.get(contract, {}).items()}


@dataclass
class Batch:
    """One transaction to be: calls of one contract, in order."""

    contract: str
    calls: list[QueuedCall] = field(default_factory=list)
    data_bytes: int = 0
    dearest: int = 0

    @property
    def gas(self) -> int:
        """Gas limit. `submit` lends each call an equal part of what is left, so each part must do for the dearest."""
        return BASE_GAS + len(self.calls) * self.dearest

    @property
    def data(self) -> bytes:
        """Calldata of `submit(bytes[])`."""
        return encode_batch([call.calldata for call in self.calls])

    def add(self, call: QueuedCall) -> None:
        """Take `call` aboard."""
        self.calls.append(call)
        self.data_bytes += len(call.calldata) + CALL_OVERHEAD_BYTES
        self.dearest = max(self.dearest, call.gas)

    def gas_with(self, call: QueuedCall) -> int:
        """Gas limit if `call` came aboard."""
        return BASE_GAS + (len(self.calls) + 1) * max(self.dearest, call.gas)

    def has_room(self, call: QueuedCall, limits: Limits) -> bool:
        """Whether `call` may join this transaction; an empty one takes anything."""
        if not self.calls:
            return True
        alone = call.alone or self.calls[-1].alone
        size = self.data_bytes + len(call.calldata) + CALL_OVERHEAD_BYTES
        fits = len(self.calls) < limits.calls and size <= limits.data_bytes
        return self.contract == call.contract and fits and not alone


def make_batches(queue: Iterable[QueuedCall], limits: Limits) -> list[Batch]:
    """Group the head of the queue into the transactions of one block; what does not fit stays for the next block.

    The first call is always taken: a call that no block can hold must be refused by the ledger, not block the queue.
    """
    batches: list[Batch] = []
    spent = 0  # gas limits of the batches before the last
    for call in queue:
        joins = bool(batches) and batches[-1].has_room(call, limits)
        before = spent if joins or not batches else spent + batches[-1].gas
        last = batches[-1] if joins else Batch(call.contract)
        full = before + last.gas_with(call) > limits.block_gas or len(batches) + (not joins) > limits.transactions
        if batches and full:
            break
        last.add(call)
        spent = before
        if not joins:
            batches.append(last)
    return batches


def next_timestamp(now: int, last: int) -> int:
    """Block time: the present, and always later than the block before."""
    return max(now, last + 1)
