"""Blocks as JSON-RPC shows them, and the hash that binds every field of a header.

Source: Ethereum Yellow Paper §4.4 (header fields in order), EIP-1559, 4895, 4844, 4788, 7685 (the fields added since).
"""

from dataclasses import dataclass
from typing import Any

import rlp

from crypto.canonical import keccak256

# In order of the RLP list; those marked * are quantities. Fields that a hard fork has not yet brought are absent.
HEADER_FIELDS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "*difficulty"),
    *("*number", "*gasLimit", "*gasUsed", "*timestamp", "extraData", "mixHash", "nonce", "*baseFeePerGas"),
    *("withdrawalsRoot", "*blobGasUsed", "*excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)


@dataclass(frozen=True)
class SealedBlock:
    """A block that exists.

    Args:
        header: the hashed fields and "hash", named and encoded as JSON-RPC returns them.
        receipts: as JSON-RPC returns them, in order.
    """

    header: dict[str, Any]
    receipts: list[dict[str, Any]]

    @property
    def number(self) -> int:
        """Height."""
        return int(self.header["number"], 16)

    @property
    def timestamp(self) -> int:
        """Unix seconds."""
        return int(self.header["timestamp"], 16)

    @property
    def hash(self) -> str:
        """Hash, "0x" hex."""
        return str(self.header["hash"])

    @property
    def parent(self) -> str:
        """The parent's hash, "0x" hex."""
        return str(self.header["parentHash"])


def header_of(block: dict[str, Any]) -> dict[str, Any]:
    """The header's own fields of a block that JSON-RPC returned, and its "hash"."""
    names = [field.lstrip("*") for field in HEADER_FIELDS]
    return {name: block[name] for name in (*names, "hash") if block.get(name) is not None}


def header_hash(header: dict[str, Any]) -> str:
    """The hash that the fields of `header` give, "0x" hex; holds for every chain that hashes the plain header."""
    present = [field for field in HEADER_FIELDS if field.lstrip("*") in header]
    return "0x" + keccak256(rlp.encode([_encode(field, header) for field in present])).hex()


def _encode(field: str, header: dict[str, Any]) -> bytes:
    text = header[field.lstrip("*")]
    if not field.startswith("*"):
        return bytes.fromhex(text[2:])
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
