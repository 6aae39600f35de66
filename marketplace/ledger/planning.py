"""How queued intents become transactions and blocks. Pure: their order is kept, and nothing outgrows a block."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from marketplace.calls import encode_batch


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


@dataclass(frozen=True)
class QueuedCall:
    """A call that waits.

    Args:
        sequence: place in the queue.
        alone: it was aboard a transaction that failed as a whole, and now travels by itself.
    """

    sequence: int
    contract: str
    calldata: bytes
    alone: bool = False


@dataclass
class Batch:
    """One transaction to be: calls of one contract, in order."""

    contract: str
    calls: list[QueuedCall] = field(default_factory=list)

    @property
    def gas(self) -> int:
        """Gas limit. `submit` lends each call an equal part of what is left, so each part must do for the dearest."""
        return 100_000 + len(self.calls) * max(call_gas(call.calldata) for call in self.calls)

    @property
    def data(self) -> bytes:
        """Calldata of `submit(bytes[])`."""
        return encode_batch([call.calldata for call in self.calls])

    def has_room(self, call: QueuedCall, limits: Limits) -> bool:
        """Whether `call` may join."""
        alone = call.alone or self.calls[-1].alone
        size = sum(len(member.calldata) + 96 for member in self.calls) + len(call.calldata) + 96
        return (
            self.contract == call.contract
            and not alone
            and len(self.calls) < limits.calls
            and size <= limits.data_bytes
        )


def call_gas(calldata: bytes) -> int:
    """An upper bound for one call: its checks and fixed slots, and slots in proportion to its arguments."""
    return 350_000 + 1_000 * len(calldata)


def make_batches(queue: Iterable[QueuedCall], limits: Limits) -> Iterator[Batch]:
    """Group the head of the queue into the transactions of one block; what does not fit stays for the next."""
    batches: list[Batch] = []
    for call in queue:
        if batches and batches[-1].has_room(call, limits):
            batches[-1].calls.append(call)
            overfull = sum(batch.gas for batch in batches) > limits.block_gas
            if overfull:
                batches[-1].calls.pop()
        else:
            batches.append(Batch(call.contract, [call]))
            overfull = len(batches) > limits.transactions or sum(batch.gas for batch in batches) > limits.block_gas
            if overfull:
                batches.pop()
        if overfull:
            break
    return iter(batches)


def next_timestamp(now: int, last: int) -> int:
    """Block time: the present, and always later than the block before."""
    return max(now, last + 1)
