"""Block headers: from the JSON-RPC object to the hash, for the field lists of London, Shanghai, Cancun and Prague.

Source: Ethereum yellow paper 4.4; EIP-1559 (base fee), EIP-4895 (withdrawals root), EIP-4844 and EIP-4788
(Cancun), EIP-7685 (Prague).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import keccak256
from crypto.errors import MalformedInput
from marketplace.auditor.ethereum import hexadecimal, rlp

QUANTITY = 0  # marks a field that is hashed as an integer; any other number is an exact size in bytes, None any size
FIELDS: tuple[tuple[str, int | None], ...] = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", QUANTITY),
    ("number", QUANTITY),
    ("gasLimit", QUANTITY),
    ("gasUsed", QUANTITY),
    ("timestamp", QUANTITY),
    ("extraData", None),
    ("mixHash", 32),
    ("nonce", 8),
    ("baseFeePerGas", QUANTITY),  # London: 16 fields
    ("withdrawalsRoot", 32),  # Shanghai: 17
    ("blobGasUsed", QUANTITY),
    ("excessBlobGas", QUANTITY),
    ("parentBeaconBlockRoot", 32),  # Cancun: 20
    ("requestsHash", 32),  # Prague: 21
)
FORK_SIZES = (16, 17, 20, 21)
NAMES = tuple(name for name, _ in FIELDS)


@dataclass(frozen=True)
class Header:
    """What the other steps need of one header.

    Args:
        hash: keccak256 of the header's RLP, computed by us.
        claimed_hash: the hash that the object states.
        encoded: RLP of the header.
        timestamp: unix seconds.
    """

    number: int
    hash: bytes
    claimed_hash: bytes
    parent_hash: bytes
    timestamp: int
    transactions_root: bytes
    receipts_root: bytes
    logs_bloom: bytes
    gas_used: int
    base_fee: int
    encoded: bytes
    has_withdrawals: bool


def from_rpc(block: Mapping[str, Any]) -> Header:
    """Read and hash one JSON-RPC header object.

    Raises:
        MalformedInput: a field is missing, not in canonical hex, or the field list belongs to no known fork.
    """
    present = [name for name in NAMES if name in block]
    if present != list(NAMES[: len(present)]) or len(present) not in FORK_SIZES:
        missing = sorted(set(NAMES[: len(present)]) - set(present))
        raise MalformedInput(f"the header's fields are those of no known fork; missing: {missing or 'a later one'}")
    values = [_field(block, name, kind) for name, kind in FIELDS[: len(present)]]
    by_name, encoded = dict(zip(NAMES, values, strict=False)), rlp.encode(list(values))
    return Header(
        number=_integer(by_name, "number"),
        hash=keccak256(encoded),
        encoded=encoded,
        has_withdrawals="withdrawalsRoot" in by_name,
        claimed_hash=hexadecimal.data(block.get("hash"), 32),
        parent_hash=by_name["parentHash"],
        timestamp=_integer(by_name, "timestamp"),
        transactions_root=by_name["transactionsRoot"],
        receipts_root=by_name["receiptsRoot"],
        logs_bloom=by_name["logsBloom"],
        gas_used=_integer(by_name, "gasUsed"),
        base_fee=_integer(by_name, "baseFeePerGas"),
    )


def _field(block: Mapping[str, Any], name: str, kind: int | None) -> bytes:
    try:
        if kind == QUANTITY:
            return rlp.from_int(hexadecimal.quantity(block[name]))
        return hexadecimal.data(block[name], kind)
    except MalformedInput as error:
        raise MalformedInput(f"{name}: {error}") from None


def _integer(values: Mapping[str, bytes], name: str) -> int:
    return int.from_bytes(values[name], "big")
