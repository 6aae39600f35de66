"""Transaction receipts: from the JSON-RPC object to the bytes that the header commits to, and the logs in them.

A receipt object repeats much that follows from elsewhere (sender, gas, positions). `derived_fields` states what each of
those must be, so that nothing in the object is left unchecked.

Source: Ethereum yellow paper 4.3.1; EIP-2718 (typed receipts).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crypto.canonical import keccak256
from crypto.errors import MalformedInput
from marketplace.auditor.ethereum import hexadecimal, rlp
from marketplace.auditor.ethereum.headers import Header
from marketplace.auditor.ethereum.transactions import Transaction

MAX_LOGS = 10_000  # in one receipt; the ledger's batches stay far below
LOG_FIELDS = ("address", "topics", "data")


@dataclass(frozen=True)
class Log:
    """One event as the ledger wrote it.

    Args:
        address: "0x" lower-case hex of the contract that wrote it.
    """

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Receipt:
    """What a transaction did.

    Args:
        succeeded: the transaction was not reverted.
        cumulative_gas: gas used in the block up to and including this transaction.
        encoded: consensus bytes, the leaf of the receipts trie.
    """

    succeeded: bool
    cumulative_gas: int
    bloom: bytes
    logs: tuple[Log, ...]
    encoded: bytes


def from_rpc(receipt: Mapping[str, Any]) -> Receipt:
    """Read the consensus fields of one JSON-RPC receipt object.

    Raises:
        MalformedInput: a field is missing or not in canonical hex.
    """
    kind, status = hexadecimal.quantity(receipt.get("type", "0x0")), hexadecimal.quantity(receipt.get("status"))
    if kind > 2 or status > 1:
        raise MalformedInput(f"receipt type {kind} with status {status} is not one that the ledger uses")
    logs = tuple(_log(item) for item in _list(receipt.get("logs")))
    bloom, gas = hexadecimal.data(receipt.get("logsBloom"), 256), hexadecimal.quantity(receipt.get("cumulativeGasUsed"))
    listed: list[rlp.Item] = [_encodable(log) for log in logs]
    body = rlp.encode([rlp.from_int(status), rlp.from_int(gas), bloom, listed])
    return Receipt(status == 1, gas, bloom, logs, bytes((kind,)) + body if kind else body)


def derived_fields(
    header: Header, position: int, transaction: Transaction, receipt: Receipt, gas_before: int
) -> dict[str, object]:
    """What every other field of the receipt object must be.

    Args:
        header: the block's header.
        position: index of the transaction in its block.
        transaction: the transaction.
        receipt: its receipt.
        gas_before: cumulative gas of the receipt before, or 0.
    """
    return {
        "type": hex(transaction.kind),
        "status": hex(receipt.succeeded),
        "blockHash": hexadecimal.text(header.hash),
        "blockNumber": hex(header.number),
        "transactionHash": hexadecimal.text(transaction.hash),
        "transactionIndex": hex(position),
        "from": transaction.sender,
        "to": transaction.to,
        "contractAddress": transaction.created,
        "gasUsed": hex(receipt.cumulative_gas - gas_before),
        "effectiveGasPrice": hex(transaction.gas_price(header.base_fee)),
        "root": None,
        "blobGasPrice": "0x1",
        "blobGasUsed": None,
        "blockTimestamp": header.timestamp,
    }


def derived_log_fields(header: Header, position: int, transaction: Transaction, log_index: int) -> dict[str, object]:
    """What every other field of a log object must be; `log_index` counts through the block."""
    return {
        "blockHash": hexadecimal.text(header.hash),
        "blockNumber": hex(header.number),
        "blockTimestamp": hex(header.timestamp),
        "transactionHash": hexadecimal.text(transaction.hash),
        "transactionIndex": hex(position),
        "logIndex": hex(log_index),
        "removed": False,
    }


def bloom_of(logs: Sequence[Log]) -> bytes:
    """The 2048-bit filter over addresses and topics of `logs`."""
    bits = 0
    for log in logs:
        bits |= _bloom_bits(bytes.fromhex(log.address[2:]))
        for topic in log.topics:
            bits |= _bloom_bits(topic)
    return bits.to_bytes(256, "big")


@lru_cache(maxsize=65_536)
def _bloom_bits(value: bytes) -> int:
    digest = keccak256(value)
    return sum({1 << (int.from_bytes(digest[i : i + 2], "big") & 2047) for i in (0, 2, 4)})


def _log(item: object) -> Log:
    if not isinstance(item, dict):
        raise MalformedInput("a log is an object")
    topics = tuple(hexadecimal.data(topic, 32) for topic in _list(item.get("topics")))
    address = hexadecimal.data(item.get("address"), 20)
    return Log(hexadecimal.text(address), topics, hexadecimal.data(item.get("data")))


def _encodable(log: Log) -> rlp.Item:
    return [bytes.fromhex(log.address[2:]), list(log.topics), log.data]


def _list(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_LOGS:
        raise MalformedInput(f"a list of at most {MAX_LOGS} expected")
    return value
