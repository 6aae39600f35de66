"""A true ledger for tests: the embedded node, our contracts, calls signed by the parties, and what it all left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from crypto.canonical import to_hex
from crypto.keystore import Keys
from marketplace.calls import encode_batch, encode_call
from marketplace.deployment import Genesis
from marketplace.intents import Deployment, sign_intent
from marketplace.ledger.blocks import SealedBlock
from marketplace.ledger.node import Node
from marketplace.ledger.relayer import Relayer, SignedTransaction

CREATION_GAS, CALL_GAS, BATCH = 10_000_000, 700_000, 50


@dataclass
class Ledger:
    """Puts calls into blocks, in order.

    Args:
        node: a fresh embedded node.
        relayer: who sends and deploys.
        genesis: what the contracts are told.
        now: unix seconds of the last block.
    """

    node: Node
    relayer: Relayer
    genesis: Genesis
    now: int
    blocks: list[SealedBlock] = field(default_factory=list)
    transactions: list[tuple[int, bytes]] = field(default_factory=list)
    _queue: list[tuple[str, bytes]] = field(default_factory=list)
    _nonce: int = 0

    @cached_property
    def deployment(self) -> Deployment:
        """For signing."""
        return Deployment(int(self.node.rpc.call("eth_chainId"), 16), self.genesis.addresses())

    def deploy(self) -> None:
        """Create the contracts in the first block."""
        self.blocks.append(self.node.block(0))
        codes = map(self.genesis.creation_code, self.genesis.contracts)
        self._seal([self._sign(None, code, CREATION_GAS) for code in codes])

    def intent(self, name: str, message: dict[str, Any], signer: Keys) -> tuple[dict[str, Any], str]:
        """A message and its signature, as arguments of a call."""
        return message, to_hex(sign_intent(name, message, self.deployment, signer.signing_key))

    def call(self, contract: str, verb: str, *arguments: Any) -> None:
        """Queue one call for the next block."""
        self._queue.append((contract, encode_call(contract, verb, list(arguments))))

    def raw_call(self, contract: str, calldata: bytes) -> None:
        """Queue any calldata for the next block."""
        self._queue.append((contract, calldata))

    def seal(self, seconds: int = 1) -> None:
        """Make a block of everything queued, `seconds` after the last one."""
        self.now += seconds
        signed = []
        for contract, members in groupby(self._queue, key=lambda item: item[0]):
            calls = [calldata for _, calldata in members]
            for start in range(0, len(calls), BATCH):
                part = calls[start : start + BATCH]
                signed.append(self._sign(self.genesis.addresses()[contract], encode_batch(part), CALL_GAS * len(part)))
        self._queue.clear()
        self._seal(signed)

    def alone(self, contract: str, verb: str, *arguments: Any) -> None:
        """Make a block of one call that is not in a batch."""
        self.now += 1
        data = encode_call(contract, verb, list(arguments))
        self._seal([self._sign(self.genesis.addresses()[contract], data, CALL_GAS)])

    def _sign(self, to: str | None, data: bytes, gas: int) -> SignedTransaction:
        signed = self.relayer.sign(self._nonce, to, data, gas)
        self._nonce += 1
        return signed

    def _seal(self, signed: Sequence[SignedTransaction]) -> None:
        number = len(self.blocks)
        raws, hashes = [item.raw for item in signed], [item.hash for item in signed]
        self.blocks.append(self.node.seal(number, self.now, raws, hashes))
        self.transactions += [(number, raw) for raw in raws]


def found(node: Node, relayer: Relayer, genesis: Genesis, now: int) -> Ledger:
    """A ledger with its contracts deployed."""
    ledger = Ledger(node, relayer, genesis, now)
    ledger.deploy()
    return ledger
